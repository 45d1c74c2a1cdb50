// What is on record of one alarm, from its raising on: what this page was told, and what the journal holds of the time before.

import { events, listen, live } from "./store.js";

const MOST = 500;
/** An alarm's id is a ULID, which begins with the time of its raising. The clock may have been set since. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const SET_MS = 86_400_000;
const TYPE = "io.devicehub.alarm.";
/** What the journal holds, by alarm; null while it is read. */
const known = new Map();
const listeners = new Set();

/** Call `listener()` whenever the journal was read of an alarm. Gives what ends it. */
export function recorded(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The events of an alarm, the first one first; null while the journal was not read. */
export function record(alarm) {
  if (!known.has(alarm)) {
    known.set(alarm, null);
    read(alarm).then((found) => { known.set(alarm, found); for (const listener of listeners) listener(); }, () => known.delete(alarm));
  }
  const [held, fresh] = [known.get(alarm), told(alarm)];
  return held || fresh.length ? joined(held ?? [], fresh) : null;
}

/** What this page was told of an alarm and still holds. */
function told(alarm) {
  return events.filter(({ kind, message }) => kind === "event" && message.type.startsWith(TYPE) && message.data?.alarm === alarm).map(({ message }) => message);
}

function joined(held, fresh) {
  return [...new Map([...held, ...fresh].map((one) => [one.id, one])).values()].sort((one, other) => one.data.revision - other.data.revision);
}

/** Events of what is looked at outlast those that the page holds of all; what happened while the hub was not heard stands in the journal. */
function keep(kinds) {
  if (kinds.has("link") && live()) known.clear();
  if (kinds.has("event")) for (const [alarm, held] of known) if (held) known.set(alarm, joined(held, told(alarm)));
}

/** Rejects where the journal cannot be read now. */
async function read(alarm) {
  const answer = await fetch(`/api/journal?${new URLSearchParams({ kind: "alarm.", alarm, since: since(alarm), most: MOST })}`);
  if (!answer.ok) throw new Error((await answer.text()).trim());
  const found = (await answer.json()).events.filter(({ topic }) => topic.includes("/event/")); // the state that it led to says the same once more
  return found.map(({ payload }) => payload).filter((one) => one?.data?.alarm === alarm);
}

function since(alarm) {
  const time = [...alarm.slice(0, TIME_DIGITS)].reduce((sum, digit) => sum * DIGITS.length + DIGITS.indexOf(digit), 0);
  return new Date(Math.max(0, Math.min(time, Date.now()) - SET_MS)).toISOString();
}

listen(keep);
