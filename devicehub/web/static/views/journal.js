// What was stored: filtered, newest first, as a file to take away; each event checked against its digest.

import { fill, h, panel } from "../dom.js";
import { outcome, remark, stateIn } from "../gist.js";
import { devices, link } from "../store.js";
import { happening, moment, number, t } from "../words.js";
import { DISPOSITIONS } from "./alarms.js";

/** What devices measure all the time: it is on record, and seldom what is looked for. */
const READINGS = "reading,spectrum";
const KINDS = ["", "alarm", "result", "scan", "capture", "command", "device", "hub", "gap", "reading", "inspection", "preflight"];

export function open(main) {
  const rows = h("tbody");
  const badge = h("p", { role: "status" });
  const more = h("button", { hidden: true }, t("more-events"));
  const asked = form(() => load(true));
  const links = h("p", { class: "buttons" });
  let [before, asking] = [null, 0];
  async function load(anew) {
    const wish = new URLSearchParams([...new FormData(asked)].filter(([, value]) => value !== "").map(([name, value]) =>
      name === "kind" && value === READINGS ? ["without", value] : [name, name === "since" || name === "until" ? new Date(value).toISOString() : value]));
    fill(links, ...["csv", "jsonl", "zip"].map((form) => h("a", { class: "button", href: `/api/journal.${form}?${wish}`, download: "" }, t(`export-${form}`))));
    if (!anew && before !== null) wish.set("before", before);
    const mine = asking += 1;
    rows.setAttribute("aria-busy", "true");
    const answer = await fetch(`/api/journal?${wish}`);
    const told = await (answer.ok ? answer.json() : answer.text());
    if (mine !== asking) return; // another one was asked for meanwhile
    rows.setAttribute("aria-busy", "false");
    if (answer.ok) list(told, anew);
    else fill(badge, told.trim());
  }
  function list(found, anew) {
    if (anew) fill(rows);
    const again = twice(found.events);
    rows.append(...found.events.filter((one) => !again(one)).map(row));
    before = found.before;
    more.hidden = before === null;
    const broken = rows.querySelectorAll("[data-intact='false']").length;
    fill(badge, broken ? t("broken", { count: broken }) : t("intact", { count: rows.children.length }));
    badge.className = broken ? "bad" : "";
  }
  more.addEventListener("click", () => load(false));
  fill(main, h("div", { class: "wide" }, panel("journal", t("view.journal"), asked, links, badge,
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("content") }, h("table", {}, h("thead", {}, h("tr", {}, ...["time", "what", "subject", "content"].map((name) => h("th", { scope: "col" }, t(name))))), rows)), more)));
  load(true);
  return {};
}

function form(changed) {
  return h("form", { class: "buttons", onchange: changed, onsubmit: (event) => event.preventDefault() },
    h("label", {}, t("kind"), h("select", { name: "kind" }, h("option", { value: READINGS }, t("all-but-readings")), ...KINDS.map((kind) => h("option", { value: kind }, kind ? happening(kind) : t("all"))))),
    h("label", {}, t("device"), h("select", { name: "device" }, h("option", { value: "" }, t("all")), ...[...devices().keys()].map((id) => h("option", { value: id }, id)))),
    h("label", {}, t("disposition"), h("select", { name: "disposition" }, h("option", { value: "" }, t("all")), ...DISPOSITIONS.map((code) => h("option", { value: code }, t(`disposition.${code}`))))),
    h("label", {}, t("station"), h("select", { name: "named" }, h("option", { value: "" }, t("all")), h("option", { value: "now" }, named(link.prefix)), h("option", { value: "earlier" }, t("earlier-names")))),
    h("label", {}, t("since"), h("input", { name: "since", type: "datetime-local" })),
    h("label", {}, t("until"), h("input", { name: "until", type: "datetime-local" })));
}

function row({ recorded, intact, topic, payload }) {
  const kind = happening(payload?.type ?? topic);
  return h("tr", { "data-intact": String(intact) }, h("td", {}, h("time", {}, moment(payload?.time ?? recorded))), h("td", {}, kind),
    h("td", {}, payload?.subject ?? "", then(topic)), h("td", {}, h("details", {}, h("summary", {}, ...brief(payload)), h("pre", {}, JSON.stringify(payload, null, 1)))));
}

/** Whether one says once more what an event of the same lot says: the state that it led to, the answer to whoever asked. One that is not intact is never left out. */
function twice(events) {
  const said = new Set(events.filter(({ topic }) => isEvent(topic)).flatMap(({ payload }) => [payload?.id, ended(payload)]).filter(Boolean));
  return ({ topic, intact, payload }) => intact && !isEvent(topic) && (said.has(payload?.data?.event) || said.has(ended(payload)));
}

function isEvent(topic) {
  return topic.includes("/event/");
}

/** A command and the state to which it came; empty for anything else. */
function ended(payload) {
  return payload?.data?.command ? `${payload.data.command} ${payload.data.state}` : "";
}

/** Site and node of a topic, or of a prefix of topics. */
function named(topic) {
  return topic.split("/").slice(2, 4).join(" · ");
}

/** Under which name it was told, where the station is called something else now. */
function then(topic) {
  return topic.startsWith(`${link.prefix}/`) ? [] : [" ", h("small", {}, t("then-named", { node: named(topic) }))];
}

function brief(payload) {
  if (!payload?.data) return [t("deleted")];
  const { type = "", data } = payload;
  const told = [stateIn(type, data), outcome(type, data), typeof data.value === "number" ? number(data.value) : data.value ?? "", remark(type, data)].filter(Boolean);
  return told.length ? told.flatMap((one) => [one, " "]) : [t("show")];
}
