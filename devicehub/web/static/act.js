// What people do: a command as anybody sends it over MQTT, and what became of it.

import { events, listen } from "./store.js";

const ISSUER = "devicehub.issuer";

/** Who works here; asked for once, kept by this browser alone. */
export function issuer() {
  return localStorage.getItem(ISSUER) ?? "";
}

export function setIssuer(name) {
  localStorage.setItem(ISSUER, name);
}

/**
 * Have the hub do something; waits for its last word: `{state, why, result}`.
 * Rejects with an Error that says why where it could not even be asked.
 */
export async function command(target, verb, args = {}, reason = "", within = 30) {
  if (!issuer()) throw new Error("issuer");
  const answer = await fetch("/api/command", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ target, verb, args, reason, within, issuer: issuer() }),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  const { id } = await answer.json();
  return ended(id, within);
}

function ended(id, within) {
  return new Promise((resolve, reject) => {
    const over = setTimeout(() => finish(() => reject(new Error("timeout"))), (within + 5) * 1000);
    const stop = listen(look);
    function look() {
      const found = events.find(({ kind, message }) =>
        kind === "res" && message.data.command === id && message.data.state !== "accepted");
      if (found) finish(() => resolve(found.message.data));
    }
    function finish(how) {
      clearTimeout(over);
      stop();
      how();
    }
    look();
  });
}
