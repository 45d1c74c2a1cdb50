// The frame of the page: bar, banner, views by address, keys.

import { banner, bannerKey, unseen } from "./banner.js";
import { fill, h, pressed, put } from "./dom.js";
import { connect, current, link, listen, live, topics } from "./store.js";
import { lastSaid, look } from "./training.js";
import { clock, language, LANGUAGES, number, speak, t } from "./words.js";

const VIEWS = ["overview", "alarms", "inspections", "devices", "journal", "training", "setup", "wall"];
const THEMES = ["day", "dark", "night"];
const DOUBTED = [undefined, "unverified", "refused"];
/** Where letters and digits are somebody's own; a box that is ticked and a slider that is moved want none. */
const TYPED = "input:not([type=checkbox], [type=range]), textarea, select";
const THEME = "devicehub.theme";
let shown = null;

function place() {
  const [name, ...rest] = location.hash.replace(/^#\//, "").split("/");
  return [VIEWS.includes(name) ? name : "overview", rest.map(decodeURIComponent)];
}

async function show() {
  const [name, rest] = place();
  const module = await import(`./views/${name}.js`);
  if (place().join("/") !== [name, rest].join("/")) return;
  shown?.close?.();
  shown = module.open(document.getElementById("main"), ...rest);
  document.body.dataset.view = name;
  bar();
}

/** What stands in the bar changes; what can be pressed there stays, so that nobody loses his place by it. */
function bar() {
  const [here] = place();
  const node = link.prefix.split("/").slice(-2).join(" · ");
  const state = current("status");
  const health = current("health");
  fill(document.getElementById("lights"),
    h("h1", { class: "node" }, node || "devicehub"),
    h("time", {}, clock()),
    lane(),
    light("page", live()),
    light("broker", link.broker && state?.state === "online" && !DOUBTED.includes(state.delivery), state?.delivery),
    light("journal", state !== undefined && state.accepting !== false),
    light("clock", health !== undefined && health.clock_synchronised !== false),
    sound(health?.sound));
  const [nav, picker, theme] = controls();
  nav.setAttribute("aria-label", t("nav"));
  for (const one of nav.children) {
    put(one, t(`view.${one.dataset.name}`));
    if (one.dataset.name === here) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  put(document.querySelector(".skip"), t("skip"));
  picker.setAttribute("aria-label", t("language"));
  put(theme, t(`theme.${document.documentElement.dataset.theme}`));
}

/** Views, language and theme, made once. */
function controls() {
  const place = document.getElementById("controls");
  if (!place.childElementCount) {
    fill(place,
      h("nav", {}, ...VIEWS.map((name) => h("a", { href: `#/${name}`, "data-name": name }))),
      h("select", { id: "language", onchange: (event) => speak(event.target.value).then(show).then(refresh) },
        ...Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, selected: code === language() }, name))),
      h("button", { id: "theme", onclick: nextTheme }));
  }
  return place.children;
}

/** The one word on this workstation; without the hub there is none. */
function lane() {
  const data = current("lane");
  return h("span", { class: `lane lane-${data?.state ?? "unknown"}`, title: data?.why ?? "" }, t(data ? `lane.${data.state}` : "unknown"));
}

/** Whether the workstation itself sounds alarms; where nothing plays them, that is no fault, and said. */
function sound(state) {
  if (state !== "off") return light("sound", state === "ok", state);
  return h("span", { class: "light" }, `${t("light.sound")} ${t("off")}`);
}

function light(name, good, why = "") {
  return h("span", { class: `light ${good ? "good" : "bad"}`, title: good ? "" : why }, `${t(`light.${name}`)} ${t(good ? "ok" : "not-ok")}`);
}

function exercise() {
  const stripe = document.getElementById("exercise");
  stripe.hidden = !link.prefix.startsWith("devicehub-sim/");
  stripe.textContent = t("exercise");
  const told = document.getElementById("told");
  told.hidden = !lastSaid();
  if (told.textContent !== lastSaid()) told.textContent = lastSaid();
}

function foot() {
  const health = topics.get("health")?.data;
  fill(document.getElementById("foot"), live() ? t("foot", {
    version: topics.get("info")?.data.version ?? "", readings: number(health?.readings_per_s ?? 0, 0),
    latency: number(health?.latency_p99_ms ?? 0, 1), depth: number(health?.journal_depth ?? 0, 0),
    evidence: typeof health?.evidence_files === "number" ? number(health.evidence_files, 0) : "—",
  }) : t("link-lost"));
}

function nextTheme() {
  const now = document.documentElement.dataset.theme;
  setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
  bar();
  shown?.tick?.();
}

function setTheme(name) {
  localStorage.setItem(THEME, name);
  document.documentElement.dataset.theme = name;
}

function refresh() {
  banner();
  exercise();
  foot();
}

/**
 * A and S are the view's own where it shows one alarm, else the banner's; where that one is acknowledged, A opens the banner's.
 * Digits are the view's, Alt with one opens a view.
 */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.target.matches?.(TYPED) || document.querySelector("dialog")) return;
  const key = pressed(event);
  if (event.altKey ? !opened(VIEWS[Number(key) - 1]) : !shown?.key?.(key, event) && !banned(key, event) && !/^[as1-9]$/.test(key)) return;
  event.preventDefault();
}

function opened(name) {
  if (name) location.hash = `#/${name}`;
  return Boolean(name);
}

function banned(key, event) {
  const [worst] = unseen();
  if (!worst || !["a", "s"].includes(key)) return false;
  if (!event.repeat && shown?.alarm?.()) location.hash = `#/alarms/${worst.data.alarm}`;
  else bannerKey(key, event);
  return true;
}

setTheme(THEMES.includes(localStorage.getItem(THEME)) ? localStorage.getItem(THEME) : "day");
connect();
await speak(language());
addEventListener("hashchange", show);
await show();
addEventListener("keydown", onKey);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address says which view there is
  document.getElementById("main").focus();
});
listen((kinds) => { refresh(); if (kinds.has("link")) bar(); });
refresh();
setInterval(() => { bar(); look().then(refresh); shown?.tick?.(); }, 1000);
