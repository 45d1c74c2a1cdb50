// How this workstation is set up and how it fares.

import { attempt, issuerField } from "../acts.js";
import { fill, h, mark, rows } from "../dom.js";
import { change, changeable } from "../limits.js";
import { reading, rules } from "../rules.js";
import { devices, link, listen, topics } from "../store.js";
import { number, t, unit } from "../words.js";
import { panel } from "./overview.js";

export function open(main) {
  const parts = { rules: h("div"), hub: h("dl"), health: h("dl"), devices: h("tbody"), said: h("p", { role: "status" }) };
  fill(main,
    panel("setup-hub", t("hub"), parts.hub),
    panel("setup-health", t("health"), parts.health),
    panel("setup-acts", t("acts"), issuerField(), h("div", { class: "buttons" },
      h("button", { onclick: () => attempt(parts.said, "hub", "reload") }, t("reload")), h("button", { onclick: () => attempt(parts.said, "hub", "identify") }, t("identify"))), parts.said),
    h("div", { class: "wide" }, panel("setup-rules", t("rules-in-force"), parts.rules)),
    h("div", { class: "wide" }, panel("setup-devices", t("devices"), h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("content") },
      h("table", {}, h("thead", {}, h("tr", {}, ...["device", "driver", "state", "integrity", "errors", "why"].map((name) => h("th", { scope: "col" }, t(name))))), parts.devices)))));
  const draw = () => {
    fill(parts.hub, ...pairs({ page: t(link.open ? "ok" : "not-ok"), ...topics.get("status")?.data, ...topics.get("info")?.data }));
    fill(parts.health, ...pairs(topics.get("health")?.data ?? {}));
    fill(parts.devices, ...[...devices().values()].map(device));
  };
  const write = () => fill(parts.rules, ...book((point, written) => {
    const form = change(point, written, write);
    fill(parts.rules, form.element);
    form.focus();
  }));
  draw();
  write();
  const ends = [listen((kinds) => { draw(); if (kinds.has("link")) write(); }), reading(write)];
  return { close: () => ends.forEach((end) => end()), tick: draw };
}

/** By which limits alarms come, which version of the rules that is, who set it and why. */
function book(ask) {
  const found = rules();
  if (!found) return [h("p", {}, t("unknown"))];
  const head = found.rules;
  const facts = [["version", head.version ?? t("no-version")], ["author", head.author], ["reason", head.reason], ["rule-file", found.file || t("in-configuration")], ["digest", head.digest]];
  return [h("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, String(value))])),
    rows(["subject", "channel", "condition", "limit", "hysteresis", "priority", "category", "acts"], found.points.map((one) => point(one, found.changeable && ask))) ?? h("p", {}, t("no-limit")),
    found.changeable ? null : h("p", {}, t("not-changeable"))];
}

function point(one, ask) {
  const channels = topics.get(`describe/${one.device}`)?.data.channels ?? [];
  const written = unit(channels.find((channel) => channel.name === one.channel.split(".")[0])?.unit ?? "");
  const limit = [one.limit, one.until].filter((value) => typeof value === "number").map((value) => number(value)).join(" – ");
  const relative = ["anomaly", "state", "stale"].includes(one.condition) ? "" : ["rise", "fall"].includes(one.condition) ? `${written}/s` : written;
  const measured = one.condition === "stale" ? "s" : relative;
  const button = ask && changeable(one) ? h("button", { onclick: () => ask(one, measured), "aria-label": `${t("change-limit")}: ${one.device}/${one.point}` }, t("change-limit")) : "";
  return [h("span", { class: "tile-head" }, mark(one.priority, t(`priority.${one.priority}`)), `${one.device}/${one.point}`), one.channel, t(`condition.${one.condition}`),
    limit ? `${limit} ${measured}` : "—", number(one.hysteresis), t(`priority.${one.priority}`), t(`category.${one.category}`), button];
}

function pairs(data) {
  return Object.entries(data).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value) && value !== "")
    .flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, typeof value === "number" ? number(value) : String(value))]);
}

function device(one) {
  const errors = Object.values(one.device?.errors ?? {}).reduce((sum, count) => sum + count, 0);
  const state = link.open ? one.device?.state ?? "unknown" : "unknown";
  return h("tr", {}, h("td", {}, h("a", { href: `#/devices/${one.id}` }, one.id)), h("td", {}, one.describe.driver), h("td", {}, t(`state.${state}`)),
    h("td", {}, one.describe.integrity), h("td", {}, number(errors, 0)), h("td", {}, one.device?.why ?? ""));
}
