// The frame of the page: bar, banner, views by address, keys.

import { fill, h, mark } from "./dom.js";
import { age, connect, link, listen, standing, topics } from "./store.js";
import { response } from "./rules.js";
import { lastSaid, look } from "./training.js";
import { LANGUAGES, duration, language, number, speak, t, unit } from "./words.js";

const VIEWS = ["overview", "alarms", "inspections", "devices", "journal", "training", "setup", "wall"];
const THEMES = ["day", "dark", "night"];
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

function bar() {
  const [here] = place();
  const node = link.prefix.split("/").slice(-2).join(" · ");
  const state = topics.get("status")?.data;
  const health = topics.get("health")?.data;
  fill(document.getElementById("bar"),
    h("h1", { class: "node" }, node || "devicehub"),
    h("time", {}, new Date().toLocaleTimeString(language())),
    lane(),
    light("page", link.open),
    light("broker", state?.delivery !== undefined && state.state === "online"),
    light("journal", state?.accepting !== false && state !== undefined),
    light("clock", health?.clock_synchronised !== false),
    sound(health?.sound),
    h("nav", { "aria-label": t("nav") }, ...VIEWS.map((name) =>
      h("a", { href: `#/${name}`, "aria-current": name === here ? "page" : null }, t(`view.${name}`)))),
    h("select", { id: "language", "aria-label": t("language"), onchange: (event) => speak(event.target.value).then(show) },
      ...Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, selected: code === language() }, name))),
    h("button", { id: "theme", onclick: nextTheme }, t(`theme.${document.documentElement.dataset.theme}`)));
}

/** The one word on this workstation; without the hub there is none. */
function lane() {
  const data = link.open ? topics.get("lane")?.data : undefined;
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

function banner() {
  const [worst, ...more] = standing().filter(({ data }) => !data.acknowledged);
  const place = document.getElementById("banner");
  place.hidden = !worst;
  if (!worst) return fill(place);
  const { data, subject } = worst;
  fill(place, mark(data.priority, t(`priority.${data.priority}`)),
    h("a", { href: `#/alarms/${encodeURIComponent(data.alarm)}` },
      `${t(`priority.${data.priority}`)} ${subject} ${reading(data)}`), duration(age({ time: data.raised })),
    h("span", {}, t("next", { step: response(worst)?.[0] ?? t(`step.${data.category}.1`) })),
    more.length ? h("span", {}, t("more", { count: more.length })) : null);
}

function reading(data) {
  if (typeof data.value !== "number") return data.message?.key ?? "";
  return `${number(data.value)} ${unit(data.unit)} (${t("limit")} ${typeof data.limit === "number" ? number(data.limit) : "—"})`;
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
  fill(document.getElementById("foot"), link.open ? t("foot", {
    version: topics.get("info")?.data.version ?? "", readings: number(health?.readings_per_s ?? 0, 0),
    latency: number(health?.latency_p99_ms ?? 0, 1), depth: number(health?.journal_depth ?? 0, 0),
  }) : t("link-lost"));
}

function nextTheme() {
  const now = document.documentElement.dataset.theme;
  setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
  bar();
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

/** A goes to the most urgent alarm and acknowledges it there, S silences; digits are the view's own, Alt with one opens a view. */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName)) return;
  if (event.altKey && VIEWS[Number(event.key) - 1]) {
    location.hash = `#/${VIEWS[Number(event.key) - 1]}`;
  } else if (event.altKey) {
    return;
  } else if (!shown?.key?.(event) && ["a", "s"].includes(event.key.toLowerCase())) {
    const [worst] = standing().filter(({ data }) => !data.acknowledged);
    if (worst) location.hash = `#/alarms/${worst.data.alarm}`;
    else return;
  } else if (!/^[as1-9]$/i.test(event.key)) {
    return;
  }
  event.preventDefault();
}

setTheme(THEMES.includes(localStorage.getItem(THEME)) ? localStorage.getItem(THEME) : "day");
connect();
await speak(language());
addEventListener("hashchange", show);
await show();
addEventListener("keydown", onKey);
listen(refresh);
refresh();
setInterval(() => { bar(); look().then(refresh); shown?.tick?.(); }, 1000);
