// What a channel says now, in words, and whether that may be believed: one answer for tiles and for the device's own view.

import { believed, topics } from "./store.js";
import { because, number, t, unit } from "./words.js";

/** Channels that say one thing at a time: numbers first, then states. */
export function channels(one) {
  const of = (kind) => one.describe.channels.filter((channel) => channel.kind === kind);
  return [...of("measurement"), ...of("state")];
}

/** Whether what a device said with that quality may be believed now: what may not is struck, wherever it stands. */
export function trusted(one, quality) {
  return believed(one) && quality === "good";
}

/** What is told beside something that is struck for its quality: the quality and where it comes from. */
export function doubt({ quality, cause }) {
  return quality === "good" ? "" : [t(quality ? `quality.${quality}` : "unknown"), because(cause)].filter(Boolean).join(": ");
}

/**
 * The newest value of a channel: as text, whether it may be believed, and its quality and cause if it was told.
 *
 * The flat state holds a value's label where it has one, and null where the value is of no use; it does not tell the
 * quality. The reading holds number and quality.
 */
export function measured(one, channel) {
  const flat = one.state?.data?.[channel.name];
  const { value, quality, cause } = topics.get(`reading/${one.id}/${channel.name}`)?.data ?? {};
  const text = said(channel, value, flat);
  return { text: text || "—", trusted: trusted(one, quality) && flat !== null && text !== "", quality, cause };
}

/** The hottest that a camera's newest image shows; null where its values are of no unit. */
export function hottest(one) {
  const { max, unit: code, quality } = one.frame?.data ?? {};
  return typeof max === "number" && unit(code) ? { text: `${number(max, 1)} ${unit(code)}`, trusted: trusted(one, quality), quality } : null;
}

function said(channel, value, flat) {
  if (channel.kind === "state") return typeof flat === "string" ? flat : "";
  const shown = typeof value === "number" ? value : flat;
  return typeof shown === "number" ? `${number(shown)} ${unit(channel.unit)}`.trim() : shown ?? "";
}
