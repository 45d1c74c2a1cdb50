// What is to be done upon an alarm, in order, and when it was ticked off: a remark on the alarm, so that all pages and the journal have it.
// It is on record alone: what somebody wrote himself stays the alarm's comment.

import { record } from "./record.js";
import { response } from "./rules.js";
import { clock, t } from "./words.js";

const COUNTS = { threat: 4, device: 3, hub: 2, training: 2 };
/** So begins the remark, whatever the language of the page. */
const REMARK = /^step (\d+) (done|not done)/;
const LONGEST = 200;

/** The steps as `{text, at}`: those of the rules, else the usual ones; `at` is empty for what was not ticked off. */
export function steps(one) {
  const { data } = one;
  const told = response(one) ?? Array.from({ length: COUNTS[data.category] ?? 2 }, (_, index) => t(`step.${data.category}.${index + 1}`));
  const done = new Map();
  for (const { type, time, data: { audit } } of record(data.alarm) ?? []) {
    const [, number, word] = (type.endsWith(".commented") && REMARK.exec(audit?.why)) || [];
    if (number) done.set(Number(number), word === "done" ? clock(time) : "");
  }
  return told.map((text, index) => ({ text, at: done.get(index + 1) ?? "" }));
}

/** Arguments of the remark that ticks a step off, or takes that back. */
export function remark(index, text, over) {
  return { why: `step ${index + 1} ${over ? "done" : "not done"}: ${text}`.slice(0, LONGEST), record_only: true };
}

/** The first step that was not ticked off; empty where all were. */
export function nextStep(one) {
  return steps(one).find(({ at }) => !at)?.text ?? "";
}
