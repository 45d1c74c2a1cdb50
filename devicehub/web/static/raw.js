// What passes over the link of a device while somebody watches: bytes as they came, and what the driver made of them.

import { fill, h } from "./dom.js";
import { number, t } from "./words.js";

const KEPT = 200;
const SIGNS = { "<": "raw-in", ">": "raw-out", "=": "raw-made", "!": "raw-fault" };

/** A panel's content for `id`; nothing is fetched before it is asked for. `close` ends it. */
export function raw(id) {
  const [said, lines] = [h("p", { role: "status" }), h("ol", { class: "raw scroll", tabindex: 0, hidden: true, "aria-label": t("raw"), "aria-live": "off" })];
  let socket = null;
  const button = h("button", { "aria-pressed": "false", onclick: () => (socket ? stop("raw-stopped") : start()) }, t("raw-watch"));
  const stop = (word) => {
    const before = socket;
    socket = null;
    before?.close();
    button.setAttribute("aria-pressed", "false");
    fill(said, t(word));
  };
  const start = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const mine = socket = new WebSocket(`${scheme}://${location.host}/ws/raw/${encodeURIComponent(id)}`);
    let missed = 0;
    button.setAttribute("aria-pressed", "true");
    lines.hidden = false;
    mine.onmessage = ({ data }) => {
      if (mine !== socket) return;
      const told = JSON.parse(data);
      missed += told.missed;
      fill(said, [t(told.hidden ? "raw-hidden" : "raw-live"), missed ? t("raw-missed", { count: missed, n: number(missed, 0) }) : ""].filter(Boolean).join(" "));
      append(lines, told.lines);
    };
    mine.onclose = () => mine === socket && stop("link-lost");
  };
  return { element: h("div", {}, h("div", { class: "buttons" }, button), said, lines), close: () => { if (socket) stop("raw-stopped"); } };
}

/** The newest stand below, and stay in sight of whoever has not scrolled away from them. */
function append(list, lines) {
  const below = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(...lines.slice(-KEPT).map(row));
  while (list.childElementCount > KEPT) list.firstElementChild.remove();
  if (below) list.scrollTop = list.scrollHeight;
}

function row({ at, sign, text, size }) {
  return h("li", { class: SIGNS[sign] }, h("time", {}, clock(at)), h("span", { class: "raw-sign", "aria-label": t(SIGNS[sign]) }, sign),
    h("code", {}, text), size === undefined ? null : h("span", {}, t(text ? "raw-of" : "raw-bytes", { count: size, n: number(size, 0) })));
}

function clock(seconds) {
  const at = new Date(seconds * 1000);
  return `${at.toLocaleTimeString("en-GB")}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}
