// Acts from the page: who acts, and what was answered.

import { command, issuer, setIssuer } from "./act.js";
import { fill, h } from "./dom.js";
import { inTurn } from "./turns.js";
import { refused, t } from "./words.js";

/** Who works here. Nothing can be done before it is known. */
export function issuerField() {
  return h("label", { class: "issuer" }, t("issuer"), h("input", { id: "issuer", value: issuer(), maxlength: 64, autocomplete: "off",
    onchange: (event) => setIssuer(event.target.value.trim()), onkeydown: (event) => event.key === "Enter" && event.target.blur() }));
}

/**
 * Have the hub or a device do something; `said` tells what became of it. Arguments that are empty are left out. What is done to an alarm waits for its turn.
 * Gives the answer if it was done, else null.
 */
export async function attempt(said, target, verb, args = {}, why = "") {
  if (needsIssuer(said)) return null;
  fill(said, t("asked"));
  try {
    const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== ""));
    const answer = await (given.alarm ? inTurn(verb, given, why) : command(target, verb, given, why));
    fill(said, [t(`answer.${answer.state}`), refused(answer.why)].filter(Boolean).join(": "));
    return answer.state === "done" ? answer : null;
  } catch (error) {
    fill(said, t(error.message));
    return null;
  }
}

/** Whether it is not known yet who acts; then it is asked for. */
export function needsIssuer(said) {
  if (issuer()) return false;
  const there = document.getElementById("issuer");
  fill(said, t("who-are-you"), there ? null : issuerField());
  document.getElementById("issuer").focus();
  return true;
}
