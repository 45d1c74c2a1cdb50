// Acts on one alarm, one after the other: whoever presses twice at once means both.

import { command } from "./act.js";

/** The last act that was pressed on an alarm and is not over, as `{what, over}`. */
const waiting = new Map();
/** The last revisions in a row that acts from this page led to, by alarm, as `{from, to}`: `from` is what was seen before the first. */
const made = new Map();

/**
 * Have the hub act on an alarm after what was pressed on it before, at the revision to which that led. The same act pressed again while it waits is
 * one act. Gives and rejects as `command` does.
 */
export function inTurn(verb, args, reason) {
  const [what, last] = [JSON.stringify([verb, args, reason]), waiting.get(args.alarm)];
  if (last?.what === what) return last.over;
  const over = (async () => {
    await last?.over.catch(() => null); // whoever pressed it is told
    return done(args.alarm, await command("hub", verb, { ...args, ...seen(args) }, reason));
  })();
  const turn = { what, over };
  waiting.set(args.alarm, turn);
  const leave = () => waiting.get(args.alarm) === turn && waiting.delete(args.alarm);
  over.then(leave, leave);
  return over;
}

/** What came of somebody's own act he knows; what anything else led to meanwhile he has not seen, so that the hub refuses what he pressed before. */
function seen({ alarm, revision }) {
  const own = made.get(alarm);
  return own && revision >= own.from && revision <= own.to ? { revision: own.to } : {};
}

function done(alarm, answer) {
  const revision = answer.result?.revision;
  if (!revision) return answer;
  const own = made.get(alarm);
  made.set(alarm, { from: own?.to === revision - 1 ? own.from : revision - 1, to: revision });
  return answer;
}
