// Acts on alarms from the page: who acts, and what was answered.

import { command, issuer, setIssuer } from "./act.js";
import { fill, h } from "./dom.js";
import { t } from "./words.js";

/** Who works here. Nothing can be done before it is known. */
export function issuerField() {
  return h("label", { class: "issuer" }, t("issuer"), h("input", { id: "issuer", value: issuer(), maxlength: 64, autocomplete: "off",
    onchange: (event) => setIssuer(event.target.value.trim()), onkeydown: (event) => event.key === "Enter" && event.target.blur() }));
}

/** Have the hub do something to an alarm; `said` tells what became of it. */
export async function attempt(said, verb, args, why = "") {
  if (!issuer()) {
    fill(said, t("who-are-you"));
    document.getElementById("issuer")?.focus();
    return;
  }
  fill(said, t("asked"));
  try {
    const answer = await command("hub", verb, Object.fromEntries(Object.entries(args).filter(([, value]) => value !== "")), why);
    fill(said, answer.state === "done" ? t("done") : `${t(`answer.${answer.state}`)}: ${answer.why}`);
  } catch (error) {
    fill(said, t(error.message));
  }
}
