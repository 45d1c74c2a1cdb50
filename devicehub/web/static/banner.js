// The most urgent alarm that nobody has acknowledged, in every view: what it is, what is next, and the two keys for it.

import { attempt } from "./acts.js";
import { fill, h, mark, put } from "./dom.js";
import { nextStep } from "./steps.js";
import { age, standing } from "./store.js";
import { duration, number, t, unit } from "./words.js";

export const SILENCE_SECONDS = 120;
/** So long after an alarm took the place of another one no key means it. */
const UNSEEN_MS = 1000;
/** Put aside by somebody, or by design: listed, and not announced. */
const ASIDE = new Set(["shelved", "suppressed", "out-of-service"]);

let parts = null;
let shown = null;
let came = -Infinity;

/** Alarms that are announced and that nobody has acknowledged, the most urgent first. */
export function unseen() {
  return standing().filter(({ data }) => !data.acknowledged && !ASIDE.has(data.state));
}

/** Draw it as things stand now. Its elements stay, so that a finger or the focus on one of them stays there. */
export function banner() {
  const place = document.getElementById("banner");
  const [worst, ...more] = unseen();
  place.hidden = !worst;
  if (!worst) { leave(null); return; }
  if (worst.data.alarm !== shown?.data.alarm) leave(worst);
  shown = worst;
  parts ??= build(place);
  const { data, subject } = worst;
  const word = t(`priority.${data.priority}`);
  if (place.dataset.priority !== data.priority) fill(parts.mark, mark(data.priority, word));
  place.dataset.priority = data.priority;
  put(parts.alarm, `${word} ${subject} ${reading(data)}`);
  parts.alarm.setAttribute("href", `#/alarms/${encodeURIComponent(data.alarm)}`);
  put(parts.since, duration(age({ time: data.raised })));
  put(parts.ack, t("acknowledge"));
  put(parts.silence, t("silence", { time: duration(SILENCE_SECONDS) }));
  parts.silence.disabled = Boolean(data.silenced);
  put(parts.next, nextStep(worst) ? t("next-step", { step: nextStep(worst) }) : "");
  parts.more.hidden = !more.length;
  put(parts.more, more.length ? t("more", { count: more.length }) : "");
}

/** A and S press the button that bears them; a key that is held down presses nothing. */
export function bannerKey(key, { repeat }) {
  if (shown && !repeat) ({ a: parts.ack, s: parts.silence })[key]?.click();
}

/** Another alarm, or none: what was said of the one before is over, unless somebody is typing there. */
function leave(next) {
  came = shown && next ? performance.now() : -Infinity;
  shown = next;
  if (parts && !parts.said.contains(document.activeElement)) fill(parts.said);
}

function build(place) {
  const made = { mark: h("span", { class: "banner-mark" }), alarm: h("a", { href: "#/alarms" }), since: h("span"), next: h("strong"), more: h("a", { href: "#/alarms" }), said: h("span", { role: "status" }),
    ack: h("button", { class: "banner-act", onclick: () => act("ack") }), silence: h("button", { class: "banner-act", onclick: () => act("silence", { seconds: SILENCE_SECONDS }) }) };
  fill(place, made.mark, h("span", { role: "alert" }, made.alarm), made.since, made.ack, made.silence, made.next, made.more, made.said);
  return made;
}

/** What is pressed for one alarm must not befall the next one, which nobody has read yet. */
function act(verb, args = {}) {
  if (performance.now() - came < UNSEEN_MS) { put(parts.said, t("read-first")); return; }
  attempt(parts.said, "hub", verb, { alarm: shown.data.alarm, revision: shown.data.revision, ...args });
}

function reading(data) {
  if (typeof data.value !== "number") return [t(`condition.${data.condition}`), data.message?.args?.text].filter(Boolean).join(": ");
  return `${number(data.value)} ${unit(data.unit)} (${t("limit")} ${typeof data.limit === "number" ? number(data.limit) : "—"})`;
}
