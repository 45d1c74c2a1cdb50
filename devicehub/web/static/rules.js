// The rules in force, as this workstation has them: alarm points, their limits, and what is to be done upon their alarms.

import { listen, live, topics } from "./store.js";
import { language } from "./words.js";

const NEAREST = { "sr-Latn": ["sr-Cyrl"], "sr-Cyrl": ["sr-Latn"] };
const HOT = new Set(["high", "high-high", "above"]);
let book = null;
let known = "";
const readers = new Set();

/** The book of rules; null while it is not known. */
export function rules() {
  return live() ? book : null;
}

/** Call `reader()` whenever the rules are other ones. Gives what ends it. */
export function reading(reader) {
  readers.add(reader);
  return () => readers.delete(reader);
}

/** The limits on how hot an image may be, the lowest first: where isotherms are drawn. */
export function hottest(device) {
  const found = (rules()?.points ?? []).filter((one) => one.device === device && HOT.has(one.condition) && (one.thermal || one.channel.endsWith(".max")));
  return found.map((one) => one.limit).sort((one, other) => one - other);
}

/** The parts of a device's image that rules speak of, as `{name, corners}` in pixels. */
export function regions(device) {
  return (rules()?.regions ?? []).filter((one) => one.device === device);
}

/** The last day of a device's calibration or verification; undefined where none is configured. */
export function due(device) {
  return rules()?.due?.[device];
}

/** Where peaks of a device are looked for in plasmagrams of a polarity, as reduced mobility. */
export function windows(device, mode) {
  return (rules()?.windows ?? []).filter((one) => one.device === device && (!mode || one.mode === mode));
}

/** What is to be done, in the language of whoever looks; null where the rules say nothing of it. */
export function response({ data, subject }) {
  const all = rules()?.responses ?? [];
  for (const place of [subject, subject.split("/")[0], `category:${data.category}`]) {
    const steps = all.find((one) => one.places.includes(place))?.steps;
    if (steps) return [language(), ...(NEAREST[language()] ?? []), "en"].map((name) => steps[name]).find(Boolean);
  }
  return null;
}

/** Rules are read anew when the hub says that they are other ones. */
async function load() {
  if (!topics.has("info")) return;
  const { rules: head, boot, config_digest: all } = topics.get("info").data;
  const now = JSON.stringify([head, boot, all]);
  if (now === known) return;
  known = now;
  const answer = await fetch("/api/rules").catch(() => null);
  book = answer?.ok ? await answer.json() : null;
  if (book === null) known = "";
  for (const reader of readers) reader();
}

listen((kinds) => kinds.has("info") && load());
load();
