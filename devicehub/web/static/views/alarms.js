// Standing alarms, and one of them whole: state, reading and limit, course, image, what to do, what it was.

import { attempt, issuerField } from "../acts.js";
import { SILENCE_SECONDS } from "../banner.js";
import { ask } from "../dialog.js";
import { fill, h, mark, panel, press, renew } from "../dom.js";
import { exposure } from "../evidence.js";
import { trend } from "../plot.js";
import { record, recorded } from "../record.js";
import { reading } from "../rules.js";
import { remark, steps } from "../steps.js";
import { age, history, listen, live, standing } from "../store.js";
import { duration, happening, moment, number, t, unit } from "../words.js";

export const DISPOSITIONS = ["confirmed-threat", "innocent.known-cause", "innocent.second-test-negative", "nuisance", "test", "unresolved"];
const SHELVE = [300, 1800, 3600];
/** The note that is being written, and on which alarm: what happens to the alarm meanwhile does not take it away. */
let draft = ["", ""];
/** The reason for a shelving that was not done, and of which alarm. */
let reason = ["", ""];
/** Closed by a disposition alone: the hub neither shelves nor suppresses them. */
const MANAGED = "threat";

export function open(main, chosen) {
  const list = h("ol", { class: "list" });
  const whole = h("div");
  fill(main, panel("alarms-standing", t("standing-alarms"), issuerField(), list), h("div", { class: "wide" }, whole));
  let [id, revision, image, said] = [chosen, null, null, null];
  const anew = () => { revision = null; draw(); };
  const draw = () => {
    renew(list, ...standing().map((one) => line(one, one.data.alarm === id)));
    const one = standing().find(({ data }) => data.alarm === id) ?? (chosen ? null : standing()[0]);
    id = one?.data.alarm ?? id;
    const told = one || !id ? null : record(id);
    const last = one ?? told?.at(-1) ?? null;
    const now = one ? one.data.revision : last ? `over ${last.data.revision}` : id ? `none ${told !== null} ${live()}` : `all ${live()}`;
    image?.look();
    if (now === revision) return one && course(whole, one);
    if (image?.element.dataset.exposure !== last?.data.alarm) [image, said] = last ? [exposure(last), answers()] : [null, null];
    revision = now;
    fill(whole, one ? detail(one, image.element, said) : last ? past(told, image.element) : panel("alarm-none", t(!live() ? "link-lost" : !id ? "no-alarm" : told ? "no-such-alarm" : "asked")));
    if (one) course(whole, one);
  };
  draw();
  const ends = [listen((kinds) => ["alarm", "reading", "frame", "capture"].some((kind) => kinds.has(kind)) && draw()), reading(anew), recorded(anew)];
  return { close: () => ends.forEach((end) => end()), tick: draw, key: (name, { repeat }) => !repeat && press(whole, name), alarm: () => Boolean(whole.querySelector("[data-key]")) };
}

function line({ data, subject }, here) {
  return h("li", { "data-of": data.alarm }, mark(data.priority, t(`priority.${data.priority}`)),
    h("a", { href: `#/alarms/${data.alarm}`, "aria-current": here ? "true" : null }, subject),
    h("span", {}, `${t(`alarm.${data.state}`)} ${duration(age({ time: data.raised }))}`));
}

/** Where it is said what became of an act: they outlast what is drawn anew, since what an act leads to is drawn anew. */
function answers() {
  return { steps: h("span", { role: "status" }), acts: h("span", { role: "status", "data-said": "" }), disposition: h("span", { role: "status" }) };
}

function detail(one, image, said) {
  const { data, subject } = one;
  return panel("alarm-one", `${t(`priority.${data.priority}`)} ${subject}`,
    chain(data),
    h("p", { class: "big" }, measured(data)),
    h("dl", {}, ...facts(data)),
    h("canvas", { class: "trend", "data-trend": "", role: "img", "aria-label": t("trend-of", { subject }) }),
    image,
    todo(one, said.steps),
    buttons(data, said.acts),
    disposition(data, said.disposition),
    taken(one));
}

/** All that its device told since, with the images that were kept. */
function taken({ data, subject }) {
  return h("a", { class: "button", href: `/api/journal.zip?device=${subject.split("/")[0]}&since=${data.raised}`, download: "" }, t("evidence-zip"));
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
    ["activations", data.activations], ["acked-by", data.acked && [data.acked.by, data.acked.note].filter(Boolean).join(": ")], ["disposition", data.disposition && t(`disposition.${data.disposition.code}`)], ["note", data.disposition?.note],
    ["comment", data.comment && `${data.comment.by}: ${data.comment.note}`],
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

/** What to do, in order, with the time at which each was done. A tick that the hub did not take is none. */
function todo(one, said) {
  return h("fieldset", {}, h("legend", {}, t("steps")), ...steps(one).map(({ text, at }, index) =>
    h("label", { class: "step" }, h("span", { class: "redden" }, h("input", { type: "checkbox", checked: Boolean(at), onchange: async ({ target }) => {
      if (!await attempt(said, "hub", "comment", { alarm: one.data.alarm, ...remark(index, text, target.checked) })) target.checked = !target.checked;
    } })), text, h("time", {}, at))), said);
}

function buttons(data, said) {
  const act = (verb, args = {}, why = "") => attempt(said, "hub", verb, { alarm: data.alarm, revision: data.revision, ...args }, why);
  return h("div", { class: "buttons" },
    h("button", { "data-key": "a", disabled: data.acknowledged, onclick: () => act("ack") }, t("acknowledge")),
    h("button", { "data-key": "s", disabled: Boolean(data.silenced), onclick: () => act("silence", { seconds: SILENCE_SECONDS }) }, t("silence", { time: duration(SILENCE_SECONDS) })),
    ...(data.category === MANAGED ? [h("span", {}, t("never-shelved"))] : SHELVE.map((seconds) => h("button", { onclick: async () => {
      const why = await ask(t("shelve-for", { time: duration(seconds) }), t("shelve"), t("why-shelve"), reason[0] === data.alarm ? reason[1] : "");
      if (why) reason = [data.alarm, await act("shelve", { seconds, why }, why) ? "" : why];
    } }, t("shelve-for", { time: duration(seconds) })))),
    data.shelved ? h("button", { onclick: () => act("unshelve") }, t("unshelve")) : null,
    data.latched && data.active === false ? h("button", { onclick: () => act("reset") }, t("reset")) : null,
    said);
}

/** What it was: required before the alarm is over. Digits choose. */
function disposition(data, said) {
  const note = h("textarea", { rows: 2, "aria-label": t("note"), placeholder: t("note"), oninput: () => { draft = [data.alarm, note.value]; } });
  if (draft[0] === data.alarm) note.value = draft[1];
  return h("fieldset", {}, h("legend", {}, t("what-was-it")), note, h("div", { class: "buttons" },
    ...DISPOSITIONS.map((code, index) => h("button", { "data-key": String(index + 1), onclick: () =>
      attempt(said, "hub", "confirm", { alarm: data.alarm, revision: data.revision, disposition: code, why: note.value }, note.value) },
    `${index + 1} ${t(`disposition.${code}`)}`)), said));
}

/** An alarm that stands no more, as it was at its end, and what happened to it. */
function past(told, image) {
  const one = told.at(-1);
  const { data, subject } = one;
  return panel("alarm-past", `${t("alarm-over")}: ${t(`priority.${data.priority}`)} ${subject}`,
    chain(data),
    h("p", { class: "big" }, measured(data)),
    h("dl", {}, ...facts(data)),
    image,
    h("ol", { class: "list" }, ...steps(one).map(({ text, at }) => h("li", {}, h("time", {}, at || "—"), text))),
    h("ol", { class: "list" }, ...told.map((event) => h("li", {}, h("time", {}, moment(event.time)), happening(event.type), ...whose(event.data)))),
    taken(one));
}

/** Who did it, and what was said of it: of what nobody did, nothing. */
function whose({ audit, disposition }) {
  return audit ? [" ", audit.verb === "confirm" && disposition ? `${t(`disposition.${disposition.code}`)} ` : "", [audit.by, audit.why].filter(Boolean).join(": ")] : [];
}
