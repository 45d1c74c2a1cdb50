// Elements without markup in strings: what devices say can never become markup.

import { t } from "./words.js";

/**
 * An element with attributes and children. `on*` attributes are listeners, `class`, `data-*`, `aria-*` are set as such;
 * null and false are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SHAPES = {
  critical: ["1", "M2 2h20v20H2z"],
  high: ["2", "M12 1l11 21H1z"],
  medium: ["3", "M12 1l11 11-11 11L1 12z"],
  low: ["4", "M1 5h22v14H1z"],
  fault: ["F", "M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22z"],
};

/** The mark of a priority: shape, digit and colour, so that none of them has to be seen. */
export function mark(priority, title) {
  const [digit, path] = SHAPES[priority] ?? SHAPES.fault;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const shape = document.createElementNS(svg.namespaceURI, "path");
  const text = document.createElementNS(svg.namespaceURI, "text");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `mark mark-${priority in SHAPES ? priority : "fault"}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title ?? priority);
  shape.setAttribute("d", path);
  text.setAttribute("x", "12");
  text.setAttribute("y", priority === "high" ? "19" : "17");
  text.setAttribute("text-anchor", "middle");
  text.textContent = digit;
  svg.append(shape, text);
  return svg;
}

/** A part of a view, under its title. */
export function panel(id, title, ...content) {
  return h("section", { class: "panel", "aria-labelledby": id }, h("h2", { id }, title), ...content);
}

/** Put children in place of what an element has. Whoever stood on one of those with the keyboard stands on what took its place. */
export function fill(element, ...children) {
  const trail = focused(element);
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  if (trail) stand(element, trail);
}

/**
 * Have an element say what fresh children would, by changing those that it has: what a finger is down on, and what has the focus, stays. For what
 * is drawn again and again: a click is lost whose element was replaced between press and release. A child with `data-of` is that of the same `data-of`,
 * any other the one at its place. Only for children that nobody keeps hold of and that have no listeners of their own.
 */
export function renew(element, ...children) {
  const [trail, held] = [focused(element), document.activeElement];
  const fresh = children.flat().filter((child) => child !== null && child !== undefined && child !== false).map((child) => child instanceof Node ? child : document.createTextNode(child));
  const names = new Set(fresh.map((child) => child.dataset?.of));
  for (const there of [...element.childNodes]) if (there.dataset?.of && !names.has(there.dataset.of)) there.remove();
  const named = new Map([...element.children].filter((there) => there.dataset.of).map((there) => [there.dataset.of, there]));
  for (const [index, next] of fresh.entries()) {
    const there = element.childNodes[index];
    const kept = next.dataset?.of ? named.get(next.dataset.of) : there;
    if (!kept || !alike(kept, next)) element.insertBefore(next, there ?? null);
    else {
      if (kept !== there) element.insertBefore(kept, there);
      become(kept, next);
    }
  }
  while (element.childNodes.length > fresh.length) element.lastChild.remove();
  if (!trail || focused(element)) return;
  if (element.contains(held)) held.focus({ preventScroll: true });
  else stand(element, trail);
}

/** Whether one may become the other. What was drawn on a canvas does not pass over, and a named one stays the one it is. */
function alike(one, other) {
  return one.nodeName === other.nodeName && one.nodeName !== "CANVAS" && one.dataset?.of === other.dataset?.of;
}

function become(old, next) {
  if (!(old instanceof Element)) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  for (const name of old.getAttributeNames()) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const name of next.getAttributeNames()) if (old.getAttribute(name) !== next.getAttribute(name)) old.setAttribute(name, next.getAttribute(name));
  renew(old, ...next.childNodes);
}

function stand(element, trail) {
  trail.reduce((place, index) => place?.children[index], element)?.focus?.({ preventScroll: true });
}

/** The way from an element down to the one in it that has the focus, as indices; null where none has. */
function focused(element) {
  let at = document.activeElement;
  if (at === element || !element.contains(at)) return null;
  const trail = [];
  for (; at !== element; at = at.parentElement) trail.unshift([...at.parentElement.children].indexOf(at));
  return trail;
}

/** Have an element say something else; one that says it already is left alone, so that nobody is told again. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The key of an event as it stands on a Latin keyboard, in lower case: on a Cyrillic one A and S are elsewhere letters. */
export function pressed({ key, code }) {
  return /^[\x20-\x7e]$/.test(key) ? key.toLowerCase() : /^(Key|Digit)(.)$/.exec(code)?.[2].toLowerCase() ?? key;
}

/** Press the button that bears a key; whether there is one. */
export function press(place, key) {
  const button = place.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!button || button.disabled) return false;
  button.click();
  return true;
}

/** A table with those titles, which are words; null where it has no rows. */
export function rows(titles, cells) {
  if (!cells.length) return null;
  return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": titles.map((name) => t(name)).join(", ") }, h("table", {},
    h("thead", {}, h("tr", {}, ...titles.map((name) => h("th", { scope: "col" }, t(name))))),
    h("tbody", {}, ...cells.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell)))))));
}
