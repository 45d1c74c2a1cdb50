// A limit is to be another one: what it was and what it would be, why, and only then the change.

import { attempt } from "./acts.js";
import { fill, h } from "./dom.js";
import { history } from "./store.js";
import { number, t } from "./words.js";

const FIXED = new Set(["state", "interval"]);
const BEYOND = { high: (value, limit) => value > limit, "high-high": (value, limit) => value > limit, low: (value, limit) => value < limit, "low-low": (value, limit) => value < limit };

/** Whether a limit is one number that may be changed here. */
export function changeable(point) {
  return !FIXED.has(point.condition) && typeof point.limit === "number";
}

/** The form for the limit of a point, whose unit is written so. `done` is called when it is over. */
export function change(point, unit, done) {
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
