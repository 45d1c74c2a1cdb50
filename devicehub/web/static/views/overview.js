// At a glance: devices, standing alarms, the last events.

import { fill, h, mark } from "../dom.js";
import { age, believed, devices, events, link, listen, standing } from "../store.js";
import { duration, number, t } from "../words.js";

export function open(main) {
  const parts = { devices: h("div", { class: "tiles" }), alarms: h("ol", { class: "list" }), events: h("ol", { class: "list" }) };
  fill(main,
    section("overview-devices", "devices", parts.devices),
    section("overview-alarms", "standing-alarms", parts.alarms),
    section("overview-events", "last-events", parts.events));
  const draw = () => {
    fill(parts.devices, ...[...devices().values()].map(tile));
    fill(parts.alarms, ...standing().map(alarm));
    fill(parts.events, ...events.slice(0, 10).map(event));
  };
  draw();
  return { close: listen(draw), tick: draw };
}

function section(id, title, content) {
  return h("section", { class: "panel", "aria-labelledby": id }, h("h2", { id }, t(title)), content);
}

function tile(one) {
  const good = believed(one);
  const state = link.open ? one.device?.state ?? "unknown" : "unknown";
  const values = Object.entries(one.state?.data?.values ?? {}).slice(0, 3);
  return h("a", { class: `tile ${good ? "" : "stale"}`, href: `#/devices/${one.id}` },
    h("strong", {}, one.id), h("span", { class: "state" }, t(`state.${state}`)),
    ...values.map(([name, value]) => h(good ? "span" : "s", { class: "value" }, `${name} ${shown(value)}`)),
    good ? null : h("span", { class: "age" }, t("age", { age: duration(age(one.state)) })));
}

function shown(value) {
  const plain = typeof value === "object" && value !== null ? value.value : value;
  return typeof plain === "number" ? number(plain) : String(plain ?? "—");
}

function alarm({ data, subject }) {
  return h("li", {}, mark(data.priority, t(`priority.${data.priority}`)), h("a", { href: `#/alarms/${data.alarm}` }, subject),
    h("span", {}, t(`alarm.${data.state}`)), h("span", {}, duration(age({ time: data.raised }))));
}

function event({ topic, kind, message }) {
  return h("li", {}, h("time", {}, message.time.slice(11, 19)), ` ${kind} ${message.subject ?? topic} ${message.type ?? ""}`);
}
