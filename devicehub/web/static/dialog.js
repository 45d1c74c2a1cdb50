// A question that stands over the page until it is answered: by keyboard too, where Escape is no answer.

import { h } from "./dom.js";
import { t } from "./words.js";

/** Ask; gives what was written into the field of that label, which begins with `written`, "" where there is none, null where nothing was answered. */
export function ask(question, yes, label = "", written = "") {
  return new Promise((answered) => {
    const field = label ? h("input", { required: true, maxlength: 500, autocomplete: "off", value: written }) : null;
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); box.close("yes"); } },
      h("h2", { id: "question" }, question), field ? h("label", {}, label, field) : null,
      h("div", { class: "buttons" }, h("button", {}, yes), h("button", { type: "button", onclick: () => box.close() }, t("cancel"))));
    const box = h("dialog", { class: "panel", "aria-labelledby": "question", onclose: () => {
      box.remove();
      answered(box.returnValue === "yes" ? field?.value.trim() ?? "" : null);
    } }, form);
    document.body.append(box);
    box.showModal();
  });
}
