// A station that is set up: what keeps it from its work, what is plugged in, a device added, the broker tried.

import { issuer } from "./act.js";
import { attempt, needsIssuer } from "./acts.js";
import { fill, h, rows } from "./dom.js";
import { number, t } from "./words.js";

/** Whatever is asked for takes a moment; what came of it is drawn by `show`, and else said. */
function asking(label, said, path, show) {
  const button = h("button", { onclick: async () => {
    button.disabled = true;
    fill(said, t("asked"));
    const answer = await fetch(path, { method: "POST" }).catch(() => null);
    button.disabled = false;
    if (!answer?.ok) { fill(said, answer ? (await answer.text()).trim() : t("link-lost")); return; }
    fill(said);
    show(await answer.json());
  } }, t(label));
  return button;
}

/** What the doctor finds, in its own words, which are English. */
export function examination() {
  const [said, found] = [h("p", { role: "status" }), h("div")];
  return h("div", {}, asking("examine", said, "/api/setup/examination", ({ checks, skipped, findings }) => {
    const fails = findings.filter((one) => one.fails).length;
    fill(said, `${t("checks", { count: checks.length - skipped.length })}: ${t("failures", { count: fails })}, ${t("warnings", { count: findings.length - fails })}`);
    fill(found, rows(["state", "what", "subject", "content", "remedy"], findings.map((one) =>
      [h("strong", {}, t(one.fails ? "finding.fails" : "finding.warns")), one.check, one.subject, h("span", { lang: "en" }, one.what), h("span", { lang: "en" }, one.remedy)])),
    skipped.length ? h("p", {}, t("not-examined", { names: skipped.join(", ") })) : null);
  }), said, found);
}

/** What is plugged in and which drivers may fit it. */
export function hardware() {
  const [said, found] = [h("p", { role: "status" }), h("div")];
  const scan = asking("scan", said, "/api/setup/hardware", ({ changes, hardware: all }) => fill(found,
    rows(["kind", "place", "usb", "serial", "what", "device", "candidates"], all.map((one) =>
      [one.kind, one.place, one.usb, one.serial, one.title, one.device ? h("a", { href: `#/devices/${one.device}` }, one.device) : h("strong", {}, t("new")), fits(one, changes, said)])) ?? h("p", {}, t("nothing-plugged")),
    h("p", {}, t(changes ? "scan-more" : "scan-only")), changes ? byHand(said) : null));
  return h("div", {}, scan, said, found);
}

function fits(one, changes, said) {
  if (!one.candidates.length) return t("no-candidate");
  return h("ul", { class: "list" }, ...one.candidates.map((fit) => h("li", {}, h("strong", {}, fit.driver), ` ${number(fit.score, 1)}`, h("span", { lang: "en" }, fit.why),
    changes && !one.device ? h("button", { "aria-label": `${t("add-device")}: ${fit.driver} ${one.place}`, onclick: () => add(said, fit.driver, one.place) }, t("add-device")) : null)));
}

/** What no search finds: a device on the network, on Bluetooth, or a simulated one. */
function byHand(said) {
  const field = (name) => h("label", {}, t(name), h("input", { name, required: true, maxlength: 256, autocomplete: "off", spellcheck: "false" }));
  return h("form", { class: "buttons", "aria-label": t("add-device"), onsubmit: (event) => {
    event.preventDefault();
    const { driver, place } = Object.fromEntries(new FormData(event.target));
    add(said, driver.trim(), place.trim());
  } }, field("driver"), field("place"), h("button", {}, t("add-device")));
}

/** Add it to the file, then have the file read. */
async function add(said, driver, place) {
  if (needsIssuer(said)) return;
  fill(said, t("asked"));
  const answer = await fetch("/api/setup/devices", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ driver, place, issuer: issuer() }) }).catch(() => null);
  if (!answer?.ok) { fill(said, answer ? (await answer.text()).trim() : t("link-lost")); return; }
  const { id } = await answer.json();
  if (await attempt(said, "hub", "reload")) fill(said, t("device-added", { id }));
}

/** The hub says its status anew; the broker has to bring it back. */
export function brokerTest() {
  const said = h("p", { role: "status" });
  return h("div", {}, h("button", { onclick: async () => {
    const answer = await attempt(said, "hub", "test-broker");
    if (answer) fill(said, t("round-trip", { ms: number(answer.result.round_trip_ms, 1) }));
  } }, t("test-broker")), said);
}
