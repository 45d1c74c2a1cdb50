// A limit is to be another one: what it was and what it would be, why, and only then the change.

import { attempt } from "./acts.js";
import { fill, h, mark, rows } from "./dom.js";
import { rules } from "./rules.js";
import { history, topics } from "./store.js";
import { number, t, unit } from "./words.js";

const FIXED = new Set(["state", "interval"]);
const BEYOND = { high: (value, limit) => value > limit, "high-high": (value, limit) => value > limit, low: (value, limit) => value < limit, "low-low": (value, limit) => value < limit };

/** The limits of those points; where they may be changed, the form takes their place until it is over. */
export function limits(points) {
  const place = h("div");
  const ask = rules()?.changeable ? (one, written) => {
    const form = change(one, written, write);
    fill(place, form.element);
    form.focus();
  } : null;
  const write = () => fill(place, rows(["subject", "channel", "condition", "limit", "hysteresis", "priority", "category", "acts"], points.map((one) => row(one, ask))) ?? h("p", {}, t("no-limit")),
    ask ? null : h("p", {}, t("not-changeable")));
  write();
  return place;
}

function row(one, ask) {
  const channels = topics.get(`describe/${one.device}`)?.data.channels ?? [];
  const written = unit(channels.find((channel) => channel.name === one.channel.split(".")[0])?.unit ?? "");
  const limit = [one.limit, one.until].filter((value) => typeof value === "number").map((value) => number(value)).join(" – ");
  const relative = ["anomaly", "state", "stale"].includes(one.condition) ? "" : ["rise", "fall"].includes(one.condition) ? `${written}/s` : written;
  const measured = one.condition === "stale" ? "s" : relative;
  const button = ask && changeable(one) ? h("button", { onclick: () => ask(one, measured), "aria-label": `${t("change-limit")}: ${one.device}/${one.point}` }, t("change-limit")) : "";
  return [h("span", { class: "tile-head" }, mark(one.priority, t(`priority.${one.priority}`)), `${one.device}/${one.point}`), one.channel, t(`condition.${one.condition}`),
    limit ? `${limit} ${measured}` : "—", number(one.hysteresis), t(`priority.${one.priority}`), t(`category.${one.category}`), button];
}

/** Whether a limit is one number that may be changed here. */
function changeable(point) {
  return !FIXED.has(point.condition) && typeof point.limit === "number";
}

/** The form for the limit of a point, whose unit is written so. `done` is called when it is over. */
function change(point, unit, done) {
  const [said, told] = [h("span", { role: "status" }), h("p", { role: "status" })];
  const value = h("input", { type: "number", step: "any", required: true, value: point.limit });
  const reason = h("input", { required: true, maxlength: 500, autocomplete: "off" });
  const differs = () => fill(told, difference(point, Number(value.value), unit));
  value.addEventListener("input", differs);
  differs();
  const form = h("form", { class: "buttons", "aria-label": `${t("change-limit")}: ${point.device}/${point.point}`, onsubmit: async (event) => {
    event.preventDefault();
    const args = { device: point.device, point: point.point, value: Number(value.value), was: point.limit };
    if (await attempt(said, "hub", "change-limit", args, reason.value)) done();
  } }, h("strong", {}, `${point.device}/${point.point}`), h("label", {}, t("limit"), value, unit), h("label", {}, t("reason"), reason), told,
  h("button", {}, t("change-limit")), h("button", { type: "button", onclick: done }, t("cancel")), said);
  return { element: form, focus: () => value.focus() };
}

/** From what to what, and how many of the values that this page saw last would be beyond it. */
function difference(point, value, unit) {
  const diff = `${number(point.limit, 6)} → ${number(value, 6)} ${unit}`;
  const values = (history.get(`${point.device}/${point.channel}`) ?? []).map((one) => one[1]);
  const beyond = BEYOND[point.condition];
  if (!beyond || !values.length) return `${diff} · ${t("ask-whatif")}`;
  return `${diff} · ${t("beyond", { count: values.filter((one) => beyond(one, value)).length, all: values.length })} · ${t("ask-whatif")}`;
}
