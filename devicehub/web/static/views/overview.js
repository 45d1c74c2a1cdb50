// At a glance: devices, an imager, standing alarms, the last events.

import { fill, h, mark, panel, renew } from "../dom.js";
import { event, happened } from "../gist.js";
import { imager, imagers } from "../imager.js";
import { channels, hottest, measured } from "../measured.js";
import { sparkline } from "../plot.js";
import { age, alarms, believed, devices, events, history, listen, live, silence, standing, stateOf } from "../store.js";
import { because, clock, duration, spoken, t } from "../words.js";

const SELECTED = "devicehub.imager";

export function open(main) {
  const parts = {
    devices: h("div", { class: "families" }), imager: h("div"), alarms: h("ol", { class: "list" }), events: h("ol", { class: "list" }),
  };
  fill(main,
    panel("overview-devices", t("devices"), parts.devices),
    panel("overview-imager", t("imager"), parts.imager),
    panel("overview-alarms", t("standing-alarms"), parts.alarms),
    panel("overview-events", t("last-events"), parts.events));
  const screen = selected(parts.imager);
  const draw = (kinds) => {
    renew(parts.devices, ...families());
    if (!kinds || kinds.has("alarm") || kinds.has("link")) renew(parts.alarms, ...lines());
    renew(parts.events, ...events.filter(happened).slice(0, 10).map(event));
    screen.look();
  };
  draw();
  const stop = listen(draw);
  return { tick: () => { draw(); screen.tick(); }, close: () => { stop(); screen.close(); } };
}

/** The imager that was chosen last, once there is one. */
function selected(place) {
  let [shown, id] = [null, null];
  const select = (name) => {
    shown?.close();
    id = name;
    localStorage.setItem(SELECTED, name);
    shown = imager(name);
    fill(place, chooser(name, select), shown.element);
  };
  return {
    look: () => {
      const there = imagers().map((one) => one.id);
      if (id === null && there.length) select(there.includes(localStorage.getItem(SELECTED)) ? localStorage.getItem(SELECTED) : there[0]);
    },
    tick: () => shown?.tick(),
    close: () => shown?.close(),
  };
}

function chooser(id, select) {
  return h("select", { "aria-label": t("imager"), onchange: (event) => select(event.target.value) },
    ...imagers().map((one) => h("option", { value: one.id, selected: one.id === id }, one.id)));
}

/** Tiles by what the devices are for. */
function families() {
  const found = new Map();
  for (const one of devices().values()) found.set(one.describe.category, [...found.get(one.describe.category) ?? [], one]);
  return [...found].map(([name, all]) => h("section", { "data-of": name, "aria-label": t(`family.${name}`) }, h("h3", {}, t(`family.${name}`)), h("div", { class: "tiles" }, ...all.map(tile))));
}

function tile(one) {
  const good = believed(one);
  const state = stateOf(one);
  const worst = standing().find((alarm) => alarm.subject.startsWith(`${one.id}/`));
  const fault = ["lost", "faulted"].includes(state);
  return h("a", { "data-of": one.id, class: `tile ${good ? "" : "stale"}`, href: `#/devices/${one.id}` },
    h("span", { class: "tile-head" }, worst ? mark(worst.data.priority, t(`priority.${worst.data.priority}`)) : fault ? mark("fault", t(`state.${state}`)) : null,
      h("strong", {}, one.id)),
    h("span", { class: "state" }, t(`state.${state}`)),
    ...(good ? lacking(one) : []),
    ...values(one, good),
    good ? null : h("span", { class: "age" }, fault || state === "offline" ? duration(age({ time: one.device?.since ?? "" })) : Number.isFinite(silence(one.id)) ? t("age", { age: duration(silence(one.id)) }) : t("unknown")));
}

/** What a device that is there cannot find now, or not in full: its values say nothing of that. */
function lacking(one) {
  return (one.capability?.capabilities ?? []).filter(({ level }) => level !== "full")
    .map(({ name, level, cause }) => h("strong", { class: "lacking" }, h("span", { lang: spoken(name) }, t(name)), ` ${t(`level.${level}`)} ${because(cause)}`));
}

/** What the device says, struck where it is not current or its quality is not good. */
function values(one, good) {
  const heat = hottest(one);
  const found = channels(one).slice(0, 2).map((channel) => value(h("span", { lang: "en" }, channel.title || channel.name), measured(one, channel), good, channel.kind === "state" ? null : spark(one.id, channel.name)));
  return heat ? [value(t("hottest"), heat, good, spark(one.id, "frame.max")), ...found] : found;
}

function value(title, { text, trusted, quality }, good, curve) {
  return h("span", { class: "value" }, h(trusted ? "span" : "s", {}, title, " ", h("span", { class: "amount" }, text)),
    good && quality !== "good" ? h("span", { class: "doubt" }, t(quality ? `quality.${quality}` : "unknown")) : null, curve);
}

function spark(device, channel) {
  const points = history.get(`${device}/${channel}`);
  if (!points || points.length < 2) return null;
  const canvas = h("canvas", { class: "spark", "aria-hidden": "true" });
  requestAnimationFrame(() => canvas.isConnected && sparkline(canvas, points));
  return canvas;
}

function lines() {
  const found = standing().map(({ data, subject }) => h("li", { "data-of": data.alarm }, mark(data.priority, t(`priority.${data.priority}`)),
    h("a", { href: `#/alarms/${data.alarm}` }, subject), h("time", {}, clock(data.raised)), h("span", {}, `${t(`alarm.${data.state}`)} ${duration(age({ time: data.raised }))}`)));
  return found.length ? found : [h("li", {}, t(live() && alarms.size === 0 ? "no-alarm" : "unknown"))];
}
