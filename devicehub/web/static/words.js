// Words in the language of whoever looks: en, sq, sr-Latn, sr-Cyrl.

export const LANGUAGES = { en: "English", sq: "Shqip", "sr-Latn": "Srpski", "sr-Cyrl": "Српски" };
const KEY = "devicehub.language";
let words = {};
let fallback = {};
let plural = new Intl.PluralRules("en");

export function language() {
  const kept = localStorage.getItem(KEY);
  return kept in LANGUAGES ? kept : "en";
}

export async function speak(name) {
  localStorage.setItem(KEY, name);
  const english = load("en");
  [words, fallback] = await Promise.all([name === "en" ? english : load(name), english]);
  plural = new Intl.PluralRules([name, "en"]); // Albanian has the classes of English
  document.documentElement.lang = name;
}

/** The words of a key, with `{name}` replaced; a key with classes of number takes that of `args.count`. */
export function t(key, args = {}) {
  let found = words[key] ?? fallback[key] ?? key;
  if (typeof found === "object") found = found[plural.select(args.count)] ?? found.other;
  return found.replace(/\{(\w+)\}/g, (_, name) => args[name] ?? "");
}

/** The language of what `t` gives for a key: of a name that has no words, the English in which drivers and the contract give it. */
export function spoken(key) {
  return key in words ? null : "en";
}

/** What happened, by the type of an event; of one that has no words, those of its kind and the rest of its type. */
export function happening(type) {
  const name = type.replace("io.devicehub.", "");
  const [kind, ...rest] = name.split(".");
  return words[`event.${name}`] ?? [words[`event.${kind}`] ?? kind, ...rest].join(" ");
}

/** Why a value is not good, or something not detected in full; empty where nothing is said of it. */
export function because(cause) {
  return cause ? t(`cause.${cause}`) : "";
}

/** Why an act on an alarm was refused, which the hub says as `word: English`; what else it says of a command stays as it came. */
export function refused(why = "") {
  return words[`refusal.${why.split(":")[0]}`] ?? why;
}

/** How a language writes numbers and dates, in browsers that do not know it: no Chromium knows Albanian, and takes the browser's own language. */
const NUMBERS = { sq: ["sq", "fr"] };
const DATES = { sq: ["sq", "de"] };

function inDates(form) {
  return new Intl.DateTimeFormat(DATES[language()] ?? language(), { ...form, hourCycle: "h23" });
}

/** A number with at most `digits` behind the point, as the language writes it. */
export function number(value, digits = 2) {
  return new Intl.NumberFormat(NUMBERS[language()] ?? language(), { maximumFractionDigits: digits }).format(value);
}

const WRITTEN = { Cel: "°C", uSv: "µSv", "uSv/h": "µSv/h", us: "µs", "[ppm]": "ppm", "[ppb]": "ppb", "[arb'U]": "a.u.", By: "B", "cm2/(V.s)": "cm²/(V·s)",
  "g/cm2": "g/cm²", "ng/cm2": "ng/cm²", "1": "" };

/** A UCUM unit as people write it; what is only counted has none. */
export function unit(code) {
  return code in WRITTEN ? WRITTEN[code] : (code ?? "").startsWith("{") ? "" : code ?? "";
}

/** A time of day as the language writes it, in 24 hours; of an instant, or of now. */
export function clock(time = Date.now()) {
  return inDates({ timeStyle: "medium" }).format(new Date(time));
}

/** Date and time of an instant. */
export function moment(time) {
  return inDates({ dateStyle: "medium", timeStyle: "medium" }).format(new Date(time));
}

/** The day of an instant. */
export function date(time) {
  return inDates({ dateStyle: "medium" }).format(new Date(time));
}

/** So many bytes as people write it: 69.8 GB, 4.5 MB. */
export function size(bytes) {
  const power = Math.min(3, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${number(bytes / 1000 ** power, power ? 1 : 0)}\u00a0${["B", "kB", "MB", "GB"][power]}`;
}

/** A duration as people say it: 12 s, 3 min, 2 h. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "—";
  if (seconds < 90) return t("seconds", { n: Math.round(seconds) });
  if (seconds < 5400) return t("minutes", { n: Math.round(seconds / 60) });
  return t("hours", { n: Math.round(seconds / 3600) });
}

async function load(name) {
  return (await fetch(`/static/words/${name}.json`)).json();
}
