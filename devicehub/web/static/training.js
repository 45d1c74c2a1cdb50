// The exercise that is played on this hub, as it may be seen from here: looked at once a second, null where there is none.

import { link, live } from "./store.js";
import { language } from "./words.js";

export const exercise = { now: null, none: false };
let asking = false;

/** Ask how the exercise stands. A hub that plays none is asked no more. */
export async function look() {
  if (asking || exercise.none || !live() || !link.prefix.startsWith("devicehub-sim/")) return;
  asking = true;
  try {
    const answer = await fetch("/api/training");
    exercise.now = answer.ok ? await answer.json() : null;
    exercise.none = answer.ok && exercise.now === null;
  } catch {
    exercise.now = null;
  } finally {
    asking = false;
  }
}

/** Words of a scenario, in the language of whoever looks. */
export function spoken(words) {
  return words[language()] ?? words.en ?? "";
}

/** What the trainee was told last. */
export function lastSaid() {
  const said = exercise.now?.said.at(-1);
  return said ? spoken(said.text) : "";
}
