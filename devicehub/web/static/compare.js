// An image that was kept beside the one that comes, the live one shining through as far as is wished.

import { measures, paint } from "./frame.js";
import { fill, h } from "./dom.js";
import { clock, t } from "./words.js";

/** A button that keeps the image of now and lets it go again, and the figure that shows it. `redraw` draws the live one. */
export function comparison(id, state, redraw) {
  const canvas = h("canvas", { class: "image", width: 1, height: 1, role: "img", "aria-label": t("kept-image-of", { id }) });
  const note = h("figcaption", { class: "kept-note" });
  const through = h("input", { type: "range", min: 0, max: 100, value: 0, oninput: redraw });
  const element = h("figure", { class: "kept", hidden: true }, h("div", { class: "image-frame redden" }, canvas), note, h("label", {}, t("shine-through"), through));
  const button = h("button", { "aria-pressed": "false", onclick: () => {
    state.kept = state.kept ? null : state.frame;
    button.setAttribute("aria-pressed", String(state.kept !== null));
    element.hidden = state.kept === null;
    if (state.kept) fill(note, t("kept-at", { time: clock(state.kept.at) }));
    redraw();
  } }, t("compare"));
  return { button, element, draw: (live) => {
    if (!state.kept) return;
    const pen = paint(canvas, state.kept, state.palette, span(state));
    pen.globalAlpha = Number(through.value) / 100;
    pen.drawImage(live, 0, 0, canvas.width, canvas.height);
    pen.globalAlpha = 1;
  } };
}

/** From which to which value colours go: the locked ones, else those of the image, and of the kept one too, so that a colour means the same in both. */
export function span({ locked, frame, kept }) {
  if (locked) return locked;
  const both = [frame, kept].filter((one) => one && measures(one));
  return both.length ? [Math.min(...both.map((one) => one.low)), Math.max(...both.map((one) => one.high))] : [0, 1];
}
