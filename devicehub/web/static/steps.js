// What is to be done upon an alarm, in order, and when it was ticked off at this page: kept by this page alone.

import { response } from "./rules.js";
import { clock, t } from "./words.js";

const COUNTS = { threat: 4, device: 3, hub: 2, training: 2 };
const done = new Map();

/** The steps as `{text, at}`: those of the rules, else the usual ones; `at` is empty for what was not ticked off. */
export function steps(one) {
  const { data } = one;
  const told = response(one) ?? Array.from({ length: COUNTS[data.category] ?? 2 }, (_, index) => t(`step.${data.category}.${index + 1}`));
  return told.map((text, index) => ({ text, at: done.get(`${data.alarm}/${index}`) ?? "" }));
}

/** Tick a step off, or take that back; gives the time that it bears now. */
export function tick(alarm, index, over) {
  const key = `${alarm}/${index}`;
  if (over) done.set(key, clock());
  else done.delete(key);
  return done.get(key) ?? "";
}

/** The first step that was not ticked off; empty where all were. */
export function nextStep(one) {
  return steps(one).find(({ at }) => !at)?.text ?? "";
}
