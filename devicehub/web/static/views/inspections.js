// Inspections at the desks: those that are open, one of them whole, those that ended.

import { attempt, issuerField } from "../acts.js";
import { fill, h, mark, panel, renew, rows } from "../dom.js";
import { preflight, recorded as checked } from "../preflight.js";
import { age, alarms, events, listen, live, topics } from "../store.js";
import { because, clock, duration, moment, number, t } from "../words.js";

const SHOWN = 100;

export function open(main, chosen) {
  const parts = { desks: h("div", { class: "desks" }), whole: h("div", { class: "wide" }), past: h("ol", { class: "list" }) };
  fill(main, h("div", { class: "column" },
    panel("inspections-desks", t("desks"), issuerField(), parts.desks),
    panel("inspections-ended", t("inspections-ended"), parts.past)), parts.whole);
  const [cards, ended, looked] = [new Map(), new Map(), new Map()];
  let shown = "";
  const draw = () => {
    for (const one of said()) ended.set(one.inspection, one);
    desks(parts.desks, cards, looked);
    renew(parts.past, ...listed(ended, chosen));
    const data = found(ended, chosen);
    const now = data ? JSON.stringify([data, live(), [...alarms.values()].map((one) => one.data.revision)]) : chosen ?? "";
    if (now === shown) return;
    shown = now;
    fill(parts.whole, ...(data ? whole(data) : [panel("inspection-none", t(chosen ? "no-such-inspection" : "no-inspection"))]));
  };
  draw();
  Promise.all([recorded(ended), checked(looked)]).then(draw);
  return { close: listen((kinds) => ["inspection", "event", "info", "link", "alarm"].some((kind) => kinds.has(kind)) && draw()), tick: draw };
}

/** Ends of which this page was told while it was open. */
function said() {
  return events.filter(({ topic }) => topic === "event/inspection-ended").map(({ message }) => message.data);
}

/** Ends that the journal holds. */
async function recorded(ended) {
  const answer = await fetch(`/api/journal?kind=inspection.ended&most=${SHOWN}`);
  if (!answer.ok) return;
  for (const { payload } of (await answer.json()).events) if (payload) ended.set(payload.data.inspection, payload.data);
}

function lasting() {
  return [...topics].filter(([topic]) => topic.startsWith("inspection/")).map(([, message]) => message.data);
}

/** The one that was chosen, else the first that is open. */
function found(ended, chosen) {
  const open = lasting();
  return chosen ? ended.get(chosen) ?? open.find((one) => one.inspection === chosen) : open[0];
}

/** A card for each desk; it stays, so that what somebody types in it stays. */
function desks(place, cards, looked) {
  const there = topics.get("info")?.data.desks ?? [];
  const names = there.map((one) => one.desk);
  if ([...cards.keys()].join() !== names.join() || !place.childElementCount) {
    cards.clear();
    for (const one of there) cards.set(one.desk, card(one, looked));
    fill(place, ...(names.length ? [...cards.values()].map((one) => one.element) : [h("p", {}, t(live() ? "no-desk" : "unknown"))]));
  }
  for (const [name, one] of cards) one.draw(topics.get(`inspection/${name}`)?.data);
}

function card({ desk, devices }, looked) {
  const [state, said, before] = [h("div"), h("span", { role: "status" }), preflight(desk, looked)];
  const text = h("input", { maxlength: 64, autocomplete: "off", "aria-label": `${desk}: ${t("reference")}`, placeholder: t("reference") });
  const note = h("input", { maxlength: 500, autocomplete: "off", "aria-label": `${desk}: ${t("note")}`, placeholder: t("note") });
  const begin = h("form", { class: "buttons", onsubmit: (event) => {
    event.preventDefault();
    attempt(said, "hub", "open-inspection", { desk, reference: text.value }).then(() => { text.value = ""; });
  } }, text, h("button", {}, t("open-inspection")));
  const end = h("form", { class: "buttons", hidden: true, onsubmit: (event) => {
    event.preventDefault();
    attempt(said, "hub", "close-inspection", { desk }, note.value).then(() => { note.value = ""; });
  } }, note, h("button", {}, t("close-inspection")));
  return { element: h("section", { class: "desk", "aria-label": desk }, h("h3", {}, desk), h("p", {}, devices.join(", ")), state, begin, end, said, before.element), draw: (data) => {
    end.hidden = !data;
    before.draw();
    renew(state, brief(data));
  } };
}

function brief(data) {
  if (!live()) return h("strong", {}, t("unknown"));
  if (!data) return h("span", {}, t("no-inspection"));
  const left = (Date.parse(data.until) - Date.now()) / 1000;
  return h("p", {}, h("a", { href: `#/inspections/${data.inspection}` }, `${t("inspected.open")} ${duration(age({ time: data.opened }))}`),
    ` ${data.reference ?? ""} · ${t("ends-in", { time: duration(Math.max(0, left)) })}`);
}

function listed(ended, chosen) {
  const all = [...ended.values()].sort((one, other) => other.opened.localeCompare(one.opened));
  if (!all.length) return [h("li", {}, t("none-on-record"))];
  return all.slice(0, SHOWN).map((one) => h("li", { "data-of": one.inspection }, h("a", { href: `#/inspections/${one.inspection}`, "aria-current": one.inspection === chosen ? "true" : null },
    moment(one.opened)), h("span", {}, one.desk), h("span", {}, one.reference ?? ""), h("strong", {}, t(`inspected.${one.outcome}`))));
}

function whole(data) {
  const over = data.reason !== undefined && data.reason !== null;
  const outcome = over ? t(`inspected.${data.outcome}`) : t(live() ? "inspected.open" : "unknown");
  return [
    panel("inspection-one", `${data.desk} · ${data.reference || data.inspection}`,
      h("p", { class: `big inspected-${over ? data.outcome : "open"}` }, outcome), h("dl", {}, ...facts(data, over))),
    panel("inspection-checked", t("checked"), rows(["device", "values", "spectra", "frames", "scans", "unusable"],
      (data.checked ?? []).map((one) => [device(one.device), ...["values", "spectra", "frames", "scans", "unusable"].map((name) => number(one[name] ?? 0, 0))])) ?? t("nothing-checked")),
    section("inspection-alarms", "alarms-met", rows(["subject", "state", "disposition", "time"], (data.alarms ?? []).map(alarm))),
    section("inspection-results", "results", rows(["time", "device", "outcome", "cause", "subject"], (data.results ?? []).map((one) =>
      [clock(one.at), device(one.device), t(`outcome.${one.outcome}`), because(one.cause), one.sample_id ?? ""]))),
    section("inspection-blind", "not-in-full", rows(["device", "what", "state", "cause"], (data.blind ?? []).map((one) =>
      [device(one.device), t(one.capability), t(`level.${one.level}`), because(one.cause)]))),
    section("inspection-missing", "missing", rows(["device", "why", "since", "until"], (data.missing ?? []).map((one) =>
      [device(one.device), one.reason, at(one.since), at(one.until)]))),
    section("inspection-images", "images", pictures(data.images ?? [])),
    data.left_out ? h("p", {}, t("left-out", { count: data.left_out })) : null,
  ];
}

/** Nothing, where there is nothing to be shown in it. */
function section(id, title, content) {
  return content ? panel(id, t(title), content) : null;
}

function facts(data, over) {
  const told = [["opened-at", at(data.opened)], ["opened-by", [t(`how.${data.how}`), data.by || data.device].filter(Boolean).join(" ")], ["reference", data.reference],
    ["subject-hash", data.subject], ["devices", (data.devices ?? []).join(", ")],
    ["ended-at", over ? `${data.ended ? at(data.ended) : t("unknown")} · ${t(`ending.${data.reason}`)}` : null], ["closed-by", data.closed_by], ["note", data.note]];
  return told.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, value)]);
}

/** As it stands now, where it stands; else as it was when this was told. */
function alarm(one) {
  const now = [...alarms.values()].find(({ data }) => data.alarm === one.alarm)?.data ?? one;
  return [h("span", { class: "tile-head" }, mark(one.priority, t(`priority.${one.priority}`)), h("a", { href: `#/alarms/${one.alarm}` }, `${one.device}/${one.point}`)),
    t(`alarm.${now.state}`), now.disposition ? t(`disposition.${now.disposition.code}`) : "", one.earlier ? t("earlier") : ""];
}

function device(name) {
  return h("a", { href: `#/devices/${name}` }, name);
}

function at(time) {
  return time ? moment(time) : "";
}

/** What was kept as evidence. An image that no browser draws is a link. */
function pictures(images) {
  if (!images.length) return null;
  return h("div", { class: "tiles" }, ...images.map((one) => {
    const address = `/evidence/${one.digest.replace("sha256:", "")}`;
    const picture = h("img", { class: "evidence", alt: `${one.device} ${one.digest.slice(7, 19)}`, src: address, loading: "lazy", onerror: () => picture.remove() });
    return h("a", { class: "tile", href: address, download: "" }, h("span", { class: "redden evidence-frame" }, picture), `${one.device} ${one.digest.slice(7, 19)}`);
  }));
}
