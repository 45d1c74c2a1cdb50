// One device whole: identity, channels with course and limits, images, plasmagram or spectrum, errors, commands.

import { attempt, issuerField } from "../acts.js";
import { fill, h, panel, put, renew } from "../dom.js";
import { event, happened } from "../gist.js";
import { imager } from "../imager.js";
import { limits } from "../limits.js";
import { channels, doubt, measured } from "../measured.js";
import { drifts } from "../mobility.js";
import { decoded, spectrum, trend } from "../plot.js";
import { raw } from "../raw.js";
import { due, reading, rules, windows } from "../rules.js";
import { age, believed, devices, events, history, listen, live, spectra, stateOf, topics } from "../store.js";
import { because, clock, date, duration, number, spoken, t, unit } from "../words.js";

/** What was there without the thing that is looked at: no result speaks of its peaks. */
const BACKGROUND = "background";

export function open(main, id) {
  const place = h("div", { class: "wide" });
  let [shown, pictures] = [null, null];
  const list = h("ol", { class: "list" });
  fill(main, panel("devices-all", t("devices"), list), place);
  const draw = () => {
    const all = devices();
    renew(list, ...[...all.values()].map((one) => h("li", { "data-of": one.id }, h("a", { href: `#/devices/${one.id}`, "aria-current": one.id === id ? "true" : null }, one.id),
      h("span", {}, t(`state.${stateOf(one)}`)))));
    const one = all.get(id ?? all.keys().next().value);
    if (!one) return;
    if (shown?.id !== one.id) {
      pictures?.close();
      shown?.close();
      pictures = one.describe.channels.some((channel) => channel.kind === "image") ? imager(one.id, { rate: 25 }) : null;
      shown = whole(place, one, pictures);
    }
    shown.draw(one);
    pictures?.tick();
  };
  draw();
  const stop = listen(draw);
  return { tick: draw, close: () => { stop(); pictures?.close(); shown?.close(); } };
}

function whole(place, one, pictures) {
  const parts = { facts: h("dl"), channels: h("div"), spectra: h("div"), limits: h("div"), errors: h("dl"), events: h("ol", { class: "list" }) };
  const tap = raw(one.id);
  const write = () => fill(parts.limits, rules() ? limits(rules().points.filter(({ device }) => device === one.id)) : h("p", {}, t("unknown")));
  const unread = reading(write);
  write();
  fill(place,
    panel("device-facts", one.id, parts.facts),
    pictures ? panel("device-images", t("imager"), pictures.element) : null,
    panel("device-channels", t("channels"), parts.channels, parts.spectra),
    panel("device-limits", t("rules-in-force"), parts.limits),
    panel("device-errors", t("errors"), parts.errors),
    commands(one),
    panel("device-raw", t("raw"), tap.element),
    panel("device-events", t("last-events"), parts.events));
  const curves = new Map();
  return { id: one.id, close: () => { tap.close(); unread(); }, draw: (now) => {
    const known = live() ? now : { ...now, device: undefined, capability: undefined };
    renew(parts.facts, ...pairs({ state: t(`state.${stateOf(now)}`), since: known.device && duration(age({ time: known.device.since })), why: known.device?.why,
      driver: now.describe.driver, integrity: now.describe.integrity, serial: now.describe.serial, battery: known.device?.battery, "verification-due": verification(due(one.id)), ...now.describe.facts }),
    ...pairs(Object.fromEntries((known.capability?.capabilities ?? []).map((item) => [item.name, `${t(`level.${item.level}`)} ${because(item.cause)}`]))));
    renew(parts.errors, ...pairs({ ...(now.device?.errors ?? {}), losses: now.device?.losses, "last-fault": now.device?.last_fault }));
    written(parts.channels, now, curves);
    plots(parts.spectra, now, curves);
    renew(parts.events, ...events.filter((told) => happened(told) && told.message.subject?.split("/")[0] === one.id).slice(0, 15).map(event));
  } };
}

/** The day, and whether it is over: it is the last one. */
function verification(day) {
  if (!day) return "";
  const over = new Date(`${day}T23:59:59.999`) < new Date();
  return `${date(`${day}T12:00`)}${over ? ` · ${t("preflight.reason.overdue").toUpperCase()}` : ""}`;
}

function pairs(facts) {
  return Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== "")
    .flatMap(([name, value]) => [h("dt", { lang: spoken(name) }, t(name)), h("dd", {}, String(value))]);
}

function written(place, one, curves) {
  for (const channel of channels(one)) {
    const row = kept(curves, channel.name, place, () => {
      const value = h("span", { class: "value" });
      const canvas = channel.kind === "state" ? null : h("canvas", { class: "trend", role: "img", "aria-label": t("trend-of", { subject: channel.title || channel.name }) });
      return { element: h("div", { class: "channel" }, h("strong", { lang: "en" }, channel.title || channel.name), value, canvas), value, canvas };
    });
    const { text, trusted, ...how } = measured(one, channel);
    renew(row.value, h(trusted ? "span" : "s", { lang: channel.kind === "state" ? "en" : null }, text), trusted || !how.quality ? "" : ` ${doubt(how)}`);
    if (row.canvas === null) continue;
    const limits = Object.entries(topics.get(`reading/${one.id}/${channel.name}`)?.data?.limits ?? {}).filter(([, value]) => typeof value === "number");
    trend(row.canvas, history.get(`${one.id}/${channel.name}`) ?? [], limits.map(([name, value]) => ({ value, label: `${t(name)} ${number(value)}` })));
  }
}

function kept(curves, name, place, make) {
  if (!curves.has(name)) {
    curves.set(name, make());
    place.append(curves.get(name).element);
  }
  return curves.get(name);
}

/** Plasmagrams and spectra of each mode, the last of a run with what its result found, and the last blank. */
function plots(place, one, curves) {
  for (const channel of one.describe.channels.filter(({ kind }) => kind === "spectrum")) {
    for (const [name, message] of spectra) {
      if (name.startsWith(`${one.id}/${channel.name}/`)) plot(kept(curves, `spectrum/${name}`, place, () => framed(channel)), one, channel, message);
    }
  }
}

function framed(channel) {
  const parts = { head: h("strong"), canvas: h("canvas", { class: "spectrum", role: "img", "aria-label": channel.title || channel.name }), told: h("p", { class: "spectrum-told" }) };
  return { element: h("div", {}, parts.head, parts.canvas, parts.told), ...parts };
}

function plot({ element, head, canvas, told }, one, channel, { data, time }) {
  const values = decoded(data);
  const drift = drifts(data.drift, data.axis, values);
  const [looked, found] = [drift ? spans(one.id, data, drift) : [], data.idle || data.mode === BACKGROUND ? [] : marks(resultOf(one.id, data.run), data, drift)];
  spectrum(canvas, values, data.axis, looked, found);
  element.classList.toggle("stale", !believed(one));
  put(head, [channel.title || channel.name, data.mode, data.idle ? t("blank") : data.run ? t("run", { run: data.run }) : "", clock(time), believed(one) ? "" : t(`state.${stateOf(one)}`)].filter(Boolean).join(" · "));
  put(told, [["peaks", found.map(peakName)], ["windows", looked.map((one) => windowName(one, data.axis))]].filter(([, names]) => names.length)
    .map(([word, names]) => t(word, { names: [...new Set(names)].join(", ") })).join(" · "));
}

/** What came of a run, the hub's own word first where there is one; of what is part of none, the last result. */
function resultOf(id, run) {
  return events.find(({ kind, message }) => kind === "result" && message.subject?.split("/")[0] === id && (!run || message.data.sample_id === run))?.message.data;
}

function peakName({ label, alarm }) {
  return alarm ? `${label} (${t("outcome.alarm")})` : label;
}

function windowName({ low, high, label }, axis) {
  return `${label} ${number(low)}–${number(high)} ${unit(axis.unit)}`;
}

/** Peaks of a result on the axis of the curve; those of K0 where its drift tube was told. */
function marks(result, data, drift) {
  return (result?.peaks ?? []).filter((peak) => !peak.mode || !data.mode || peak.mode === data.mode).flatMap((peak) => {
    const at = peak.unit === data.axis.unit ? peak.position : peak.unit === "cm2/(V.s)" && drift ? drift(peak.position) : NaN;
    return Number.isFinite(at) ? [{ at, label: peak.substance || peak.name || `${number(peak.position)} ${unit(peak.unit)}`, alarm: peak.finding === "alarm" }] : [];
  });
}

/** Windows on the axis of the curve; a lower mobility drifts for longer. */
function spans(id, data, drift) {
  return windows(id, data.mode).map((one) => ({ low: drift(one.high), high: drift(one.low), label: one.name }));
}

function commands(one) {
  const offered = one.describe.commands ?? [];
  if (!offered.length) return null;
  return panel("device-commands", t("commands"), issuerField(), ...offered.map((offer) => order(one.id, offer)));
}

/** A command with its arguments; what the configuration does not allow cannot be pressed. */
function order(id, offer) {
  const said = h("span", { role: "status" });
  const allowed = offer.allowed ?? true; // what is so by default is not published
  const fields = Object.entries(offer.args?.properties ?? {}).map(([name, schema]) => [name, field(name, schema), schema]);
  return h("form", { class: "buttons", onsubmit: (submitted) => {
    submitted.preventDefault();
    attempt(said, id, offer.verb, Object.fromEntries(fields.flatMap(([name, input, schema]) => given(name, input, schema))));
  } }, ...fields.map(([name, input]) => h("label", {}, name, input)), h("button", { disabled: !allowed, lang: "en" }, offer.title), allowed ? null : h("em", {}, t("read-only")), said);
}

function field(name, schema) {
  if (schema.enum) return h("select", { name }, ...schema.enum.map((value) => h("option", { value }, String(value))));
  if (schema.type === "boolean") return h("input", { name, type: "checkbox", checked: schema.default === true });
  const numeric = schema.type === "number" || schema.type === "integer";
  return h("input", { name, type: numeric ? "number" : "text", step: schema.type === "integer" ? 1 : "any", min: schema.minimum, max: schema.maximum, value: schema.default ?? "" });
}

function given(name, input, schema) {
  if (schema.type === "boolean") return [[name, input.checked]];
  if (input.value === "") return [];
  return [[name, schema.type === "number" || schema.type === "integer" ? Number(input.value) : input.value]];
}
