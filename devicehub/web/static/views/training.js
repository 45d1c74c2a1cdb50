// An exercise. Trainee: what was said, and the score once it is over. Instructor: timeline, live injects, pause, speed, score so far.

import { attempt, issuerField } from "../acts.js";
import { ask } from "../dialog.js";
import { fill, h, panel, press } from "../dom.js";
import { live } from "../store.js";
import { exercise, look, spoken } from "../training.js";
import { duration, language, number, t } from "../words.js";

const SPEEDS = [0.5, 1, 2, 4, 8];
const KEYS = 9;

export function open(main) {
  const parts = { head: h("div"), said: h("ol", { class: "list" }), score: h("p", { class: "big", role: "status" }), steps: h("tbody"), direct: h("div") };
  const course = h("div", { hidden: true }, panel("training-course", t("course"), parts.score, report(),
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("course") }, table(parts.steps))));
  const direct = h("div", { hidden: true }, parts.direct);
  fill(main, panel("training-exercise", t("view.training"), parts.head), panel("training-said", t("said"), parts.said), direct, course);
  let [shown, directed] = ["", false];
  const draw = () => {
    const now = live() ? exercise.now : null;
    fill(parts.head, ...head(now));
    course.hidden = !now?.sheet;
    direct.hidden = !now?.instructor;
    if (now?.instructor && !directed) {
      directed = true;
      fill(parts.direct, panel("training-direct", t("direct"), ...direction(now)));
    }
    for (const button of parts.direct.querySelectorAll("[data-when]")) button.disabled = !button.dataset.when.split(" ").includes(now?.state);
    const seen = JSON.stringify([now?.sheet, now?.said, now?.state]);
    if (seen === shown) return;
    shown = seen;
    fill(parts.said, ...(now?.said ?? []).map(({ at, text }) => h("li", {}, h("time", {}, clock(at)), spoken(text))));
    if (now?.sheet) drawSheet(parts, now);
  };
  const renew = () => look().then(draw);
  draw();
  renew();
  return { tick: renew, key: (name, { repeat }) => !repeat && press(parts.direct, name) };
}

function head(now) {
  if (!now) return [h("p", {}, t(live() ? "no-exercise" : "link-lost"))];
  return [h("p", { class: "big" }, spoken(now.title)),
    h("p", {}, `${t(`exercise.${now.state}`)} · ${clock(now.at)} / ${clock(now.length)} · ×${number(now.speed)}`),
    h("progress", { max: now.length, value: Math.min(now.at, now.length), "aria-label": t("course") })];
}

function report() {
  return h("p", { class: "buttons" }, h("a", { class: "button", target: "_blank", href: `/training/report?language=${language()}` }, t("report")));
}

function drawSheet(parts, { sheet, state }) {
  const mark = state === "over" ? ` · ${t(sheet.percent >= sheet.pass_mark ? "passed" : "not-passed")}` : "";
  fill(parts.score, `${t("score", { points: number(sheet.points), most: number(sheet.most), percent: number(sheet.percent, 1) })} · ${t("pass-mark", { percent: sheet.pass_mark })}${mark}`,
    sheet.complete ? null : ` · ${t("incomplete")}`);
  const played = ({ path }) => !path || sheet.paths.includes(path);
  const next = sheet.steps.find((step) => !step.happened && played(step));
  fill(parts.steps, ...sheet.steps.map((step) => row(step, state !== "over" && step === next, played(step))));
}

function table(body) {
  const heads = ["time", "what-happens", "expected", "came-out", "points", "reaction"];
  return h("table", {}, h("thead", {}, h("tr", {}, ...heads.map((name) => h("th", { scope: "col" }, t(name))))), body);
}

function row({ at, act, happened, text, path, demand }, next, played) {
  const found = demand?.finding;
  return h("tr", { "aria-current": next ? "step" : null, class: happened ? "happened" : "to-come" },
    h("td", {}, clock(at)), h("td", {}, path ? `[${path}] ` : "", what(act), spoken(text) ? [" ", h("q", {}, spoken(text))] : []), h("td", {}, demand ? expected(demand) : ""),
    h("td", { class: demand?.outcome === "missed" ? "bad" : null }, demand ? outcome(demand) : t(happened ? "done" : !played ? "other-path" : next ? "next" : "to-come")),
    h("td", {}, found ? `${demand.outcome === "met" ? found.points : 0} / ${found.most}` : ""), h("td", {}, found ? reaction(found) : ""));
}

/** Seconds from the step to the alarm, from there to the acts; as what it was closed. */
function reaction({ raised_s: raised, acked_s: acked, closed_s: closed, disposition }) {
  const times = [raised, acked, closed].filter((one) => typeof one === "number").map((one) => number(one, 1));
  return [times.length ? `${times.join(" → ")} s` : "", disposition ? t(`disposition.${disposition}`) : ""].filter(Boolean).join(", ");
}

function what({ do: verb, device, values, lasts }) {
  const told = Object.entries(values ?? {}).map(([name, value]) => `${name}=${value}`);
  return [verb, device, ...told, lasts ? `(${duration(lasts)})` : ""].filter(Boolean).join(" ");
}

function expected({ within, ack_within: ack, alarm, lane, event, command, quiet, disposition }) {
  const time = duration(within);
  if (quiet) return t("expect.quiet", { time });
  if (event) return t("expect.event", { what: event, time });
  if (command) return t("expect.command", { what: command, time });
  if (!alarm) return t("expect.lane", { what: lane.map((word) => t(`lane.${word}`)).join(", "), time });
  return [t("expect.alarm", { what: alarm, time }), ack === null ? "" : t("expect.ack", { time: duration(ack) }),
    disposition.length ? t("expect.closed", { what: disposition.map((code) => t(`disposition.${code}`)).join(", ") }) : ""].filter(Boolean).join("; ");
}

function outcome(demand) {
  const word = t(`outcome-${demand.outcome}`);
  return demand.outcome === "missed" ? [word, reason(demand)].filter(Boolean).join(": ") : word;
}

/** Why it is missed, by what came and what did not. */
function reason({ alarm, ack_within: ack, finding }) {
  if (!alarm) return "";
  if (typeof finding.raised_s !== "number") return t("missed.raised");
  if (ack !== null && !(finding.acked_s <= ack)) return t("missed.acked");
  return t(finding.disposition ? "missed.otherwise" : "missed.closed");
}

/** What the instructor may do. */
function direction(now) {
  const said = h("p", { role: "status", "data-said": "" });
  const act = (verb, args = {}) => attempt(said, "hub", `exercise-${verb}`, args);
  const inject = (verb, device, values, seconds) => act("inject", { do: verb, device, values: Object.keys(values).length ? JSON.stringify(values) : "", seconds });
  return [issuerField(), h("div", { class: "buttons" },
    h("button", { "data-key": "p", "data-when": "running", onclick: () => act("pause") }, t("pause")),
    h("button", { "data-key": "r", "data-when": "paused", onclick: () => act("resume") }, t("resume")),
    h("label", {}, t("speed"), h("select", { onchange: (event) => act("speed", { speed: Number(event.target.value) }) },
      ...SPEEDS.map((speed) => h("option", { value: speed, selected: speed === now.speed }, `×${number(speed)}`)))),
    h("button", { "data-when": "running paused", onclick: async () => (await ask(t("end-exercise-now"), t("end-exercise"))) !== null && act("end") }, t("end-exercise")),
    h("button", { "data-when": "over", onclick: () => act("end") }, t("leave-exercise"))),
  said, h("h3", {}, t("inject")), h("div", { class: "buttons" }, ...ready(now).map((one, index) =>
    h("button", { "data-key": String(index + 1), "data-when": "running paused", onclick: () => inject(one.do, one.device, one.values ?? {}, one.lasts ?? 0) }, `${index + 1} ${what(one)}`))),
  form(now, inject)];
}

/** What one key does: the scenario's own steps, then a cable that comes out for each device. */
function ready({ sheet, devices }) {
  const found = new Map();
  const steps = sheet.steps.filter(({ act }) => act.device).map(({ act }) => act);
  for (const act of [...steps.filter(({ do: verb }) => !["rate", "warm"].includes(verb)), ...devices.map((device) => ({ do: "unplug", device, lasts: 10 }))]) found.set(what(act), act);
  return [...found.values()].slice(0, KEYS);
}

/** Any verb of the scenario language; what is said to the trainee. */
function form({ devices }, inject) {
  const field = (name, attributes = {}) => h("input", { name, autocomplete: "off", ...attributes });
  const send = (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    if (given.text) inject("say", "", { text: given.text }, 0);
    else if (given.do) inject(given.do.trim(), given.device, values(given.values), Number(given.seconds) || 0);
  };
  return h("div", {}, h("form", { class: "buttons", onsubmit: send },
    h("label", {}, t("verb"), field("do", { required: true, maxlength: 32 })),
    h("label", {}, t("device"), h("select", { name: "device" }, h("option", { value: "" }, "—"), ...devices.map((id) => h("option", { value: id }, id)))),
    h("label", {}, t("values"), field("values", { placeholder: "x=16 y=12 dk=20" })),
    h("label", {}, t("for-seconds"), field("seconds", { type: "number", min: 0 })), h("button", { "data-when": "running paused" }, t("inject"))),
  h("form", { class: "buttons", onsubmit: send }, h("label", {}, t("say"), field("text", { required: true, maxlength: 200 })), h("button", { "data-when": "running paused" }, t("say"))));
}

/** `x=16 kind=crc` as values: each as JSON where it is, else as the text that it is. */
function values(text) {
  return Object.fromEntries(text.split(/\s+/).filter((word) => word.includes("=")).map((word) => {
    const [name, value] = [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)];
    try {
      return [name, JSON.parse(value)];
    } catch {
      return [name, value];
    }
  }));
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}
