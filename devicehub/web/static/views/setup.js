// How this workstation is set up and how it fares.

import { attempt, issuerField } from "../acts.js";
import { fill, h, panel, renew } from "../dom.js";
import { limits } from "../limits.js";
import { reading, rules } from "../rules.js";
import { brokerTest, examination, hardware } from "../station.js";
import { current, devices, listen, live, stateOf, topics } from "../store.js";
import { moment, number, size, spoken, t } from "../words.js";

const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

export function open(main) {
  const parts = { rules: h("div"), hub: h("dl"), health: h("dl"), devices: h("tbody"), said: h("p", { role: "status" }) };
  fill(main,
    panel("setup-hub", t("hub"), parts.hub),
    panel("setup-health", t("health"), parts.health),
    panel("setup-acts", t("acts"), issuerField(), h("div", { class: "buttons" },
      h("button", { onclick: () => attempt(parts.said, "hub", "reload") }, t("reload")), h("button", { onclick: () => attempt(parts.said, "hub", "identify") }, t("identify"))), parts.said),
    panel("setup-broker", t("light.broker"), brokerTest()),
    h("div", { class: "wide" }, panel("setup-examination", t("examination"), examination())),
    h("div", { class: "wide" }, panel("setup-hardware", t("hardware"), hardware())),
    h("div", { class: "wide" }, panel("setup-rules", t("rules-in-force"), parts.rules)),
    h("div", { class: "wide" }, panel("setup-devices", t("devices"), h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("content") },
      h("table", {}, h("thead", {}, h("tr", {}, ...["device", "driver", "state", "integrity", "errors", "why"].map((name) => h("th", { scope: "col" }, t(name))))), parts.devices)))));
  const draw = () => {
    renew(parts.hub, ...pairs({ page: t(live() ? "ok" : "not-ok"), ...current("status"), ...topics.get("info")?.data }));
    renew(parts.health, ...pairs(current("health") ?? {}));
    renew(parts.devices, ...[...devices().values()].map(device));
  };
  const write = () => fill(parts.rules, ...book());
  draw();
  write();
  const ends = [listen((kinds) => { draw(); if (kinds.has("link")) write(); }), reading(write)];
  return { close: () => ends.forEach((end) => end()), tick: draw };
}

/** By which limits alarms come, which version of the rules that is, who set it and why. */
function book() {
  const found = rules();
  if (!found) return [h("p", {}, t("unknown"))];
  const head = found.rules;
  const facts = [["version", head.version ?? t("no-version")], ["author", head.author], ["reason", head.reason], ["rule-file", found.file || t("in-configuration")], ["digest", head.digest]];
  return [h("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, String(value))])),
    limits(found.points)];
}

function pairs(data) {
  return Object.entries(data).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value) && value !== "")
    .flatMap(([name, value]) => [h("dt", { lang: spoken(name) }, t(name)), h("dd", {}, written(name, value))]);
}

function written(name, value) {
  if (name.endsWith("_bytes")) return size(value);
  if (INSTANT.test(value)) return moment(value);
  return typeof value === "number" ? number(value) : typeof value === "boolean" ? t(value ? "yes" : "no") : value;
}

function device(one) {
  const errors = Object.values(one.device?.errors ?? {}).reduce((sum, count) => sum + count, 0);
  return h("tr", { "data-of": one.id }, h("td", {}, h("a", { href: `#/devices/${one.id}` }, one.id)), h("td", {}, one.describe.driver), h("td", {}, t(`state.${stateOf(one)}`)),
    h("td", {}, one.describe.integrity), h("td", {}, number(errors, 0)), h("td", {}, one.device?.why ?? ""));
}
