// Live images of one device: thermal ones with palette, scale, hot spot, regions and limit; others as the camera sent them.

import { attempt } from "./acts.js";
import { comparison, span } from "./compare.js";
import { fill, h, put } from "./dom.js";
import { drawable, measures, paint, parsed } from "./frame.js";
import { marks } from "./marks.js";
import { doubt, trusted } from "./measured.js";
import { ANCHORS, lookup } from "./palettes.js";
import { hottest, reading, regions } from "./rules.js";
import { trend } from "./plot.js";
import { believed, devices, history, live, stateOf, topics } from "./store.js";
import { number, t, unit as written } from "./words.js";

const STALE_MS = 2000;
const RETRY_MS = 1000;
const TREND_SECONDS = 60;

/** An element with the images of `id`; `close` ends it, `tick` looks whether they still come. */
export function imager(id, { rate = 12, controls = true } = {}) {
  const state = { palette: localStorage.getItem("devicehub.palette") ?? "inferno", locked: null, frozen: false, kept: null, last: 0, frame: null, socket: null, open: true };
  const known = () => { state.limits = hottest(id); state.regions = regions(id); };
  known();
  const ends = reading(known);
  const canvas = h("canvas", { class: "image", width: 1, height: 1, role: "img", "aria-label": t("image-of", { id }) });
  const over = h("canvas", { class: "marks", width: 1, height: 1, "aria-hidden": "true" });
  const note = h("div", { class: "image-note", role: "status" });
  const told = legend(id);
  const course = h("canvas", { class: "trend", hidden: true, role: "img", "aria-label": t("image-trend") });
  const draw = () => {
    if (!state.frame) return;
    paint(canvas, state.frame, state.palette, span(state));
    marks(over, canvas, state.frame, { regions: state.regions, spots: topics.get(`frame/${id}`)?.data.regions ?? [], limit: state.limits[0] });
    told.draw(state);
    kept.draw(canvas);
  };
  const kept = comparison(id, state, draw);
  const element = h("figure", { class: "imager" },
    h("div", { class: "screens" }, h("div", { class: "image-frame redden" }, canvas, over, note), kept.element),
    told.element, controls ? course : null, controls ? buttons(state, id, draw, kept.button) : null);
  const take = (frame) => {
    state.last = performance.now();
    if (state.frozen) return;
    state.frame = frame;
    draw();
    if (!note.hidden) tick();
  };
  const seen = () => (document.hidden ? state.socket?.close() : watch(id, rate, state, take));
  document.addEventListener("visibilitychange", seen);
  watch(id, rate, state, take);
  const tick = () => {
    draw();
    judge(element, note, state, id);
    if (controls) hottestSince(course, state, id);
  };
  tick();
  return { element, tick, close: () => { state.open = false; document.removeEventListener("visibilitychange", seen); ends(); state.socket?.close(); } };
}

/** How hot the hottest pixel was in the last minute, the mean beside it, and the limits in force. */
function hottestSince(canvas, state, id) {
  const points = history.get(`${id}/frame.max`);
  canvas.hidden = !points;
  if (points && canvas.clientWidth) trend(canvas, points, state.limits.map((value) => ({ value, label: number(value) })), TREND_SECONDS, history.get(`${id}/frame.mean`) ?? []);
}

/** Nothing is fetched for a page that nobody sees. */
function watch(id, rate, state, take) {
  if (!state.open || document.hidden || state.socket?.readyState <= WebSocket.OPEN) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/images/${id}?rate=${rate}`);
  state.socket = socket;
  socket.binaryType = "arraybuffer";
  socket.onmessage = async ({ data }) => {
    const frame = await parsed(data);
    if (drawable(frame)) take(frame);
  };
  socket.onclose = () => setTimeout(() => watch(id, rate, state, take), RETRY_MS);
}

/** What is not current, or cannot be drawn, never looks as if it were. */
function judge(element, note, state, id) {
  const one = devices().get(id);
  const word = stateOf(one);
  const late = performance.now() - state.last > STALE_MS;
  const gone = !live() || ["lost", "faulted", "offline", "unknown"].includes(word);
  const bad = useless(id);
  element.classList.toggle("stale", gone || late || state.frozen || Boolean(bad));
  fill(note, gone ? t(`state.${word}`) : late ? t("no-image") : state.frozen ? t("frozen") : bad);
  note.hidden = !(gone || late || state.frozen || bad);
}

/** Why nothing can be seen by what the camera shows now; empty where something can, however uncertain its values are. */
function useless(id) {
  const data = topics.get(`frame/${id}`)?.data;
  return data?.quality === "bad" ? doubt(data) : "";
}

/** The scale, the hottest value and what is to be said against it, how far the values are temperatures, the names of the regions. */
function legend(id) {
  const parts = { low: h("span"), ramp: h("canvas", { class: "ramp", width: 256, height: 1, "aria-hidden": "true" }), high: h("span"), hottest: h("strong"), doubt: h("span", { class: "doubt" }), how: h("em"), regions: h("span") };
  let shown = "";
  return { element: h("div", { class: "image-caption" }, parts.low, h("span", { class: "redden ramp-frame" }, parts.ramp), parts.high, parts.hottest, parts.doubt, parts.how, parts.regions), draw: (state) => {
    const { frame } = state;
    const data = topics.get(`frame/${id}`)?.data;
    const values = measures(frame);
    for (const one of [parts.ramp, parts.high, parts.hottest, parts.doubt]) one.hidden = !values;
    if (!values) { put(parts.low, `${frame.width}×${frame.height}`); return; }
    const unit = written(data?.unit ?? "");
    const [low, high] = span(state);
    if (shown !== state.palette) ramp(parts.ramp, shown = state.palette);
    put(parts.low, number(low, 1));
    put(parts.high, `${number(high, 1)} ${unit}`);
    put(parts.hottest, `${t("hottest")} ${number(frame.high, 1)} ${unit}`);
    parts.hottest.classList.toggle("struck", !trusted(devices().get(id), data?.quality));
    put(parts.doubt, data ? doubt(data) : "");
    put(parts.how, data && data.radiometric !== "true" ? t(`radiometric.${data.radiometric}`) : "");
    put(parts.regions, state.regions.length ? t("regions-named", { names: state.regions.map(({ name }) => name).join(", ") }) : "");
  } };
}

function ramp(canvas, name) {
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(256, 1);
  new Uint32Array(image.data.buffer).set(lookup(name));
  pen.putImageData(image, 0, 0);
}

function buttons(state, id, redraw, compare) {
  const picker = h("select", { "aria-label": t("palette"), onchange: (event) => {
    state.palette = event.target.value;
    localStorage.setItem("devicehub.palette", state.palette);
    redraw();
  } }, ...Object.keys(ANCHORS).map((name) => h("option", { value: name, selected: name === state.palette }, t(`palette.${name}`))));
  const freeze = h("button", { "aria-pressed": "false", onclick: () => {
    state.frozen = !state.frozen;
    freeze.setAttribute("aria-pressed", String(state.frozen));
  } }, t("freeze"));
  const lock = h("button", { "aria-pressed": "false", onclick: () => {
    state.locked = state.locked || !state.frame ? null : span(state);
    lock.setAttribute("aria-pressed", String(state.locked !== null));
    redraw();
  } }, t("lock-scale"));
  return h("div", { class: "buttons" }, picker, lock, freeze, compare, snapshot(id));
}

function snapshot(id) {
  const said = h("span", { role: "status" });
  return h("span", {}, h("button", { onclick: async () => {
    if (await attempt(said, "hub", "snapshot", { device: id })) fill(said, t("snapshot-kept"));
  } }, t("snapshot")), said);
}

/** Devices that have images, those that are believed first. */
export function imagers() {
  return [...devices().values()]
    .filter((one) => one.describe.channels.some((channel) => channel.kind === "image"))
    .sort((one, other) => Number(believed(other)) - Number(believed(one)));
}
