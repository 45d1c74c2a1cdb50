// What a channel says now, in words, and whether that may be believed: one answer for tiles and for the device's own view.

import { believed, topics } from "./store.js";
import { number, unit } from "./words.js";

/** Channels that say one thing at a time: numbers first, then states. */
export function channels(one) {
  const of = (kind) => one.describe.channels.filter((channel) => channel.kind === kind);
  return [...of("measurement"), ...of("state")];
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
  return { text: text || "—", trusted: believed(one) && quality === "good" && flat !== null && text !== "", quality, cause };
}

/** The hottest that a camera's newest image shows; null where its values are of no unit. */
export function hottest(one) {
  const { max, unit: code, quality } = one.frame?.data ?? {};
  return typeof max === "number" && unit(code) ? { text: `${number(max, 1)} ${unit(code)}`, trusted: believed(one) && quality === "good", quality } : null;
}

function said(channel, value, flat) {
  if (channel.kind === "state") return typeof flat === "string" ? flat : "";
  const shown = typeof value === "number" ? value : flat;
  return typeof shown === "number" ? `${number(shown)} ${unit(channel.unit)}`.trim() : shown ?? "";
}
