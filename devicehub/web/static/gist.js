// What a message tells beside its type: how something is or came out, in the words of the page, and what the hub puts into its own, which are English.

import { h } from "./dom.js";
import { clock, happening, t } from "./words.js";

const OUTCOMES = { result: (one) => t(`outcome.${one}`), inspection: (one) => t(`inspected.${one}`), preflight: (one) => t(`preflight.outcome.${one}`) };
const STATES = { alarm: (one) => t(`alarm.${one}`), device: (one) => t(`state.${one}`), lane: (one) => t(`lane.${one}`), command: (one) => t(`answer.${one}`) };

function kindOf(type) {
  return type.replace("io.devicehub.", "").split(".")[0];
}

/** How it came out; empty for what has no outcome. */
export function outcome(type, { outcome: found }) {
  return found ? OUTCOMES[kindOf(type)]?.(found) ?? found : "";
}

/** How it is now; empty where the type says so already. */
export function stateIn(type, { state }) {
  return state && !type.endsWith(`.${state}`) ? STATES[kindOf(type)]?.(state) ?? state : "";
}

/** What is said of it, by whoever did it or by the hub; null where nothing is. */
export function remark(type, { why, reason, what }) {
  const said = why || reason || (what && !type.endsWith(what) ? what : "");
  return said ? h("span", { lang: reason && !why ? null : "en" }, said) : null;
}

/** Whether it is among what happened: not the answer to whoever asked for it, and not that it was asked for. */
export function happened({ kind, message }) {
  return kind !== "res" && !(isCommand(message.type ?? "") && message.data.state === "accepted");
}

function isCommand(type) {
  return type.endsWith(".command");
}

/** One of the last events, as a line. */
export function event({ kind, message }) {
  const [type, data] = [message.type ?? kind, message.data ?? {}];
  return h("li", {}, h("time", {}, clock(message.time)), message.subject ? h("span", {}, message.subject) : null,
    h("span", {}, happening(type)), came(type, data), remark(type, data));
}

/** How it came out, or how it is now; nothing where its type says all. */
function came(type, data) {
  const now = isCommand(type) || type.endsWith(".lane.changed") ? stateIn(type, data) : outcome(type, data);
  const told = [now, ...(data.peaks ?? []).map((peak) => peak.substance)].filter(Boolean).join(" ");
  return told ? h("strong", {}, told) : null;
}
