// The check of a desk before a shift: begun, what is to be shown, how it came out, and the page that prints it.

import { attempt } from "./acts.js";
import { fill, h } from "./dom.js";
import { events, live } from "./store.js";
import { duration, language, moment, t } from "./words.js";

const SHOWN = 20;

/** Ends that the journal holds, newest first, into `ended` by desk. */
export async function recorded(ended) {
  const answer = await fetch(`/api/journal?kind=preflight.ended&most=${SHOWN}`);
  if (!answer.ok) return;
  for (const { payload } of (await answer.json()).events) if (payload && !ended.has(payload.data.desk)) ended.set(payload.data.desk, payload.data);
}

/** What belongs into the card of a desk. `ended`: the last end by desk. */
export function preflight(desk, ended) {
  const [state, said] = [h("div"), h("span", { role: "status" })];
  const begin = h("button", { type: "button", onclick: () => attempt(said, "hub", "preflight", { desk }) }, t("preflight"));
  let shown = "";
  return { element: h("div", { class: "preflight" }, h("p", { class: "buttons" }, begin), state, said), draw: () => {
    const begun = newest("event/preflight-begun", desk);
    const over = newest("event/preflight-ended", desk) ?? ended.get(desk);
    const lasts = begun && begun.preflight !== over?.preflight && begun.began >= (over?.began ?? "") && Date.parse(begun.until) > Date.now() - 5000;
    const now = JSON.stringify([lasts ? begun : over, live()]);
    if (now === shown) return;
    shown = now;
    fill(state, ...(lasts ? awaited(begun) : over ? outcome(over) : []));
  } };
}

/** The last of its kind of which this page was told while it was open. */
function newest(topic, desk) {
  return events.find((one) => one.topic === topic && one.message.data.desk === desk)?.message.data;
}

function awaited(data) {
  const time = duration((Date.parse(data.until) - Date.parse(data.began)) / 1000);
  const samples = (data.checks ?? []).filter((one) => one.check === "sample");
  return samples.map((one) => h("p", {}, h("strong", {}, t("preflight.show", { time, sample: one.subject, device: one.device }))));
}

/** What failed is in sight; what is unknown or waived is counted, and opened by whoever wants it. */
function outcome(data) {
  const open = (data.checks ?? []).filter((one) => one.verdict !== "passed");
  const [failed, others] = [open.filter((one) => one.verdict === "failed"), open.filter((one) => one.verdict !== "failed")];
  return [h("p", {}, h("strong", {}, t(`preflight.outcome.${data.outcome}`)), ` ${moment(data.began)}`),
    list(failed),
    others.length ? h("details", {}, h("summary", {}, counted(others)), list(others)) : null,
    h("p", { class: "buttons" }, h("a", { class: "button", href: `/preflight/${data.preflight}?language=${language()}`, target: "_blank" }, t("report")))];
}

function counted(checks) {
  const found = ["unknown", "waived"].map((verdict) => [verdict, checks.filter((one) => one.verdict === verdict).length]);
  return found.filter(([, count]) => count).map(([verdict, count]) => `${t(`preflight.verdict.${verdict}`)}: ${count}`).join(" · ");
}

function list(checks) {
  return checks.length ? h("ul", {}, ...checks.map((one) => h("li", {}, [one.device, t(`preflight.check.${one.check}`), one.subject].filter(Boolean).join(" "), ": ",
    t(`preflight.verdict.${one.verdict}`), one.reason ? ` (${t(`preflight.reason.${one.reason}`)})` : ""))) : null;
}
