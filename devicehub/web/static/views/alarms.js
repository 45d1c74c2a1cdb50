// Standing alarms, and one of them whole: state, reading and limit, course, image, what to do, what it was.

import { attempt, issuerField } from "../acts.js";
import { SILENCE_SECONDS } from "../banner.js";
import { ask } from "../dialog.js";
import { fill, h, mark, press, renew } from "../dom.js";
import { exposure } from "../evidence.js";
import { trend } from "../plot.js";
import { reading } from "../rules.js";
import { steps, tick } from "../steps.js";
import { age, events, history, listen, live, standing } from "../store.js";
import { clock, duration, moment, number, t, unit } from "../words.js";
import { panel } from "./overview.js";

export const DISPOSITIONS = ["confirmed-threat", "innocent.known-cause", "innocent.second-test-negative", "nuisance", "test", "unresolved"];
const SHELVE = [300, 1800, 3600];
/** Closed by a disposition alone: the hub neither shelves nor suppresses them. */
const MANAGED = "threat";

export function open(main, chosen) {
  const list = h("ol", { class: "list" });
  const whole = h("div");
  fill(main, panel("alarms-standing", t("standing-alarms"), issuerField(), list), h("div", { class: "wide" }, whole));
  let [id, revision, image] = [chosen, null, null];
  const draw = () => {
    renew(list, ...standing().map((one) => line(one, one.data.alarm === id)));
    const one = standing().find(({ data }) => data.alarm === id) ?? (chosen ? null : standing()[0]);
    id = one?.data.alarm ?? id;
    image?.look();
    if (one && one.data.revision === revision) return course(whole, one);
    if (image?.element.dataset.exposure !== one?.data.alarm) image = one ? exposure(one) : null;
    revision = one?.data.revision ?? null;
    fill(whole, one ? detail(one, image.element) : id ? past(id) : panel("alarm-none", t(live() ? "no-alarm" : "link-lost")));
    if (one) course(whole, one);
  };
  draw();
  const ends = [listen((kinds) => ["alarm", "reading", "frame", "capture"].some((kind) => kinds.has(kind)) && draw()), reading(() => { revision = null; draw(); })];
  return { close: () => ends.forEach((end) => end()), tick: draw, key: (name, { repeat }) => !repeat && press(whole, name), alarm: () => Boolean(whole.querySelector("[data-key]")) };
}

function line({ data, subject }, here) {
  return h("li", { "data-of": data.alarm }, mark(data.priority, t(`priority.${data.priority}`)),
    h("a", { href: `#/alarms/${data.alarm}`, "aria-current": here ? "true" : null }, subject),
    h("span", {}, t(`alarm.${data.state}`)), h("span", {}, duration(age({ time: data.raised }))));
}

function detail(one, image) {
  const { data, subject } = one;
  return panel("alarm-one", `${t(`priority.${data.priority}`)} ${subject}`,
    chain(data),
    h("p", { class: "big" }, measured(data)),
    h("dl", {}, ...facts(data)),
    h("canvas", { class: "trend", "data-trend": "", role: "img", "aria-label": t("trend-of", { subject }) }),
    image,
    todo(one),
    buttons(data),
    disposition(data),
    h("a", { class: "button", href: `/api/journal.zip?device=${subject.split("/")[0]}&since=${data.raised}`, download: "" }, t("evidence-zip")));
}

function chain(data) {
  const stages = [["raised", true], ["acknowledged", data.acknowledged], ["confirmed", data.disposition !== null && data.disposition !== undefined], ["returned", data.active === false]];
  return h("ol", { class: "chain" }, ...stages.map(([name, reached]) => h("li", { "aria-current": reached ? "step" : null }, t(`stage.${name}`))));
}

function measured(data) {
  if (typeof data.value !== "number") return t(`condition.${data.condition}`) + (data.message?.args?.text ? `: ${data.message.args.text}` : "");
  const limit = typeof data.limit === "number" ? ` (${t("limit")} ${number(data.limit)})` : "";
  return `${t(`condition.${data.condition}`)} ${number(data.value)} ${unit(data.unit)}${limit}`;
}

function facts(data) {
  const rows = [["raised-at", moment(data.raised)], ["letter", data.letter ?? "A"], ["quality", t(`quality.${data.quality ?? "good"}`)],
    ["activations", data.activations], ["acked-by", data.acked?.by], ["disposition", data.disposition && t(`disposition.${data.disposition.code}`)],
    ["shelved-by", data.shelved && `${data.shelved.by}: ${data.shelved.why}`], ["rules", data.rules_digest?.slice(0, 18)]];
  return rows.filter(([, value]) => value !== null && value !== undefined && value !== "").flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, String(value))]);
}

/** The course of the value that is held against the limit. */
function course(whole, { data, subject }) {
  const canvas = whole.querySelector("[data-trend]");
  const [device] = subject.split("/");
  const channel = data.message?.args?.channel ?? "";
  const points = history.get(`${device}/${channel}`) ?? history.get(`${device}/frame.${channel.split(".")[1]}`);
  if (!canvas) return;
  canvas.hidden = !points;
  if (points) trend(canvas, points, typeof data.limit === "number" ? [{ value: data.limit, label: `${number(data.limit)} ${unit(data.unit)}` }] : []);
}

/** What to do, in order, with the time at which each was done. */
function todo(one) {
  return h("fieldset", {}, h("legend", {}, t("steps")), ...steps(one).map(({ text, at }, index) => {
    const when = h("time", {}, at);
    return h("label", { class: "step" }, h("span", { class: "redden" }, h("input", { type: "checkbox", checked: Boolean(at), onchange: (event) =>
      fill(when, tick(one.data.alarm, index, event.target.checked)) })), text, when);
  }));
}

function buttons(data) {
  const said = h("span", { role: "status", "data-said": "" });
  const act = (verb, args = {}, why = "") => attempt(said, "hub", verb, { alarm: data.alarm, revision: data.revision, ...args }, why);
  return h("div", { class: "buttons" },
    h("button", { "data-key": "a", disabled: data.acknowledged, onclick: () => act("ack") }, t("acknowledge")),
    h("button", { "data-key": "s", disabled: Boolean(data.silenced), onclick: () => act("silence", { seconds: SILENCE_SECONDS }) }, t("silence", { time: duration(SILENCE_SECONDS) })),
    ...(data.category === MANAGED ? [h("span", {}, t("never-shelved"))] : SHELVE.map((seconds) => h("button", { onclick: async () => {
      const why = await ask(t("shelve-for", { time: duration(seconds) }), t("shelve"), t("why-shelve"));
      if (why) act("shelve", { seconds, why }, why);
    } }, t("shelve-for", { time: duration(seconds) })))),
    data.shelved ? h("button", { onclick: () => act("unshelve") }, t("unshelve")) : null,
    data.latched && data.active === false ? h("button", { onclick: () => act("reset") }, t("reset")) : null,
    said);
}

/** What it was: required before the alarm is over. Digits choose. */
function disposition(data) {
  const said = h("span", { role: "status" });
  const note = h("textarea", { rows: 2, "aria-label": t("note"), placeholder: t("note") });
  return h("fieldset", {}, h("legend", {}, t("what-was-it")), note, h("div", { class: "buttons" },
    ...DISPOSITIONS.map((code, index) => h("button", { "data-key": String(index + 1), onclick: () =>
      attempt(said, "hub", "confirm", { alarm: data.alarm, revision: data.revision, disposition: code, why: note.value }, note.value) },
    `${index + 1} ${t(`disposition.${code}`)}`)), said));
}

function past(id) {
  const told = events.filter(({ message }) => message.data?.alarm === id);
  return panel("alarm-past", t("alarm-over"), h("ol", { class: "list" }, ...told.map(({ message }) =>
    h("li", {}, h("time", {}, clock(message.time)), message.subject, " ", t(`alarm.${message.data.state}`),
      message.data.disposition ? ` ${t(`disposition.${message.data.disposition.code}`)}` : ""))));
}
