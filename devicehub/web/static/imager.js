// Live images of one device: thermal ones with palette, scale, hot spot, regions and limit; others as the camera sent them.

import { attempt } from "./acts.js";
import { fill, h } from "./dom.js";
import { ANCHORS, lookup } from "./palettes.js";
import { hottest, reading } from "./rules.js";
import { trend } from "./plot.js";
import { believed, devices, history, link, topics } from "./store.js";
import { number, t, unit as written } from "./words.js";

const HEADER = 24;
const NOWHERE = 0xffff;
const STALE_MS = 2000;
const RETRY_MS = 1000;
const TREND_SECONDS = 60;

/** An element with the images of `id`; `close` ends it, `tick` looks whether they still come. */
export function imager(id, { rate = 12, controls = true, onframe = null } = {}) {
  const state = { palette: localStorage.getItem("devicehub.palette") ?? "inferno", locked: null, frozen: false, last: 0, frame: null, socket: null, open: true, limits: hottest(id) };
  const ends = reading(() => { state.limits = hottest(id); });
  const canvas = h("canvas", { class: "image", width: 1, height: 1, role: "img", "aria-label": t("image-of", { id }) });
  const note = h("div", { class: "image-note", role: "status" });
  const caption = h("div", { class: "image-caption" });
  const course = h("canvas", { class: "trend", hidden: true, role: "img", "aria-label": t("image-trend") });
  const element = h("figure", { class: "imager" }, h("div", { class: "image-frame" }, canvas, note), caption, controls ? course : null,
    controls ? buttons(state, id, () => draw(canvas, caption, state, id)) : null);
  const take = (frame) => {
    state.last = performance.now();
    if (state.frozen) return;
    state.frame = frame;
    draw(canvas, caption, state, id);
    onframe?.(frame);
  };
  const seen = () => (document.hidden ? state.socket?.close() : watch(id, rate, state, take));
  document.addEventListener("visibilitychange", seen);
  watch(id, rate, state, take);
  const tick = () => {
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

/** H.264 is shown by nobody here, nor a picture that the browser refuses. */
function drawable(frame) {
  return frame.picture !== null || frame.pixels.length === frame.width * frame.height;
}

async function parsed(buffer) {
  const view = new DataView(buffer);
  const frame = {
    n: view.getUint32(4, true), width: view.getUint16(8, true), height: view.getUint16(10, true),
    low: view.getFloat32(12, true), high: view.getFloat32(16, true), x: view.getUint16(20, true), y: view.getUint16(22, true),
    pixels: new Uint8Array(buffer, HEADER), picture: null,
  };
  if (frame.pixels[0] === 0xff && frame.pixels[1] === 0xd8 && !Number.isFinite(frame.low)) {
    frame.picture = await createImageBitmap(new Blob([frame.pixels], { type: "image/jpeg" })).catch(() => null);
  }
  return frame;
}

/** What is not current, or cannot be drawn, never looks as if it were. */
function judge(element, note, state, id) {
  const one = devices().get(id);
  const word = link.open ? one?.device?.state ?? "unknown" : "unknown";
  const late = performance.now() - state.last > STALE_MS;
  const gone = !link.open || ["lost", "faulted", "offline", "unknown"].includes(word);
  element.classList.toggle("stale", gone || late || state.frozen);
  fill(note, gone ? t(`state.${word}`) : late ? t("no-image") : state.frozen ? t("frozen") : "");
  note.hidden = !(gone || late || state.frozen);
}

function draw(canvas, caption, state, id) {
  const { frame } = state;
  if (!frame) return;
  if (canvas.width !== frame.width) canvas.width = frame.width;
  if (canvas.height !== frame.height) canvas.height = frame.height;
  const pen = canvas.getContext("2d");
  if (frame.picture) pen.drawImage(frame.picture, 0, 0, canvas.width, canvas.height);
  else if (Number.isFinite(frame.low)) thermal(pen, frame, state, id);
  else pen.clearRect(0, 0, canvas.width, canvas.height);
  legend(caption, frame, state, id);
}

function thermal(pen, frame, state, id) {
  const image = pen.createImageData(frame.width, frame.height);
  const words = new Uint32Array(image.data.buffer);
  const table = lookup(state.palette);
  const [low, high] = state.locked ?? [frame.low, frame.high];
  const step = (frame.high - frame.low) / 255;
  for (let index = 0; index < words.length; index += 1) {
    const value = frame.low + frame.pixels[index] * step;
    words[index] = table[Math.max(0, Math.min(255, Math.round(((value - low) / (high - low || 1)) * 255)))];
  }
  isotherm(words, frame, state.limits[0], step);
  pen.putImageData(image, 0, 0);
  if (frame.x !== NOWHERE) cross(pen, frame.x, frame.y);
  for (const region of topics.get(`frame/${id}`)?.data.regions ?? []) box(pen, region);
}

/** A line around what is as hot as the lowest limit that is in force on the image. */
function isotherm(words, frame, limit, step) {
  if (limit === undefined || limit > frame.high) return;
  const edge = (limit - frame.low) / (step || 1);
  for (let index = 1; index < words.length; index += 1) {
    if ((frame.pixels[index] >= edge) !== (frame.pixels[index - 1] >= edge)) words[index] = 0xffffff00 | 0xff;
  }
}

/** Four strokes around the hottest pixel, which stays visible. */
function cross(pen, x, y) {
  const size = Math.max(1, Math.round(pen.canvas.width / 40));
  pen.fillStyle = "#fff";
  for (const [dx, dy, width, height] of [[-2 * size, 0, size, 1], [size + 1, 0, size, 1], [0, -2 * size, 1, size], [0, size + 1, 1, size]]) {
    pen.fillRect(x + dx, y + dy, width, height);
  }
}

function box(pen, { bbox, id }) {
  if (!bbox) return;
  const [left, top, width, height] = bbox;
  pen.strokeStyle = "#fff";
  pen.lineWidth = 1;
  pen.strokeRect(left + 0.5, top + 0.5, width, height);
  pen.fillStyle = "#fff";
  pen.font = "8px system-ui, sans-serif";
  pen.fillText(id, left + 1, Math.max(8, top - 1));
}

function legend(caption, frame, state, id) {
  const data = topics.get(`frame/${id}`)?.data;
  if (!Number.isFinite(frame.low)) { fill(caption, `${frame.width}×${frame.height}`); return; }
  const unit = written(data?.unit ?? "");
  const [low, high] = state.locked ?? [frame.low, frame.high];
  fill(caption, h("span", {}, `${number(low, 1)}`), ramp(state.palette), h("span", {}, `${number(high, 1)} ${unit}`),
    h("strong", {}, `${t("hottest")} ${number(frame.high, 1)} ${unit}`),
    data && data.radiometric !== "true" ? h("em", {}, t(`radiometric.${data.radiometric}`)) : null);
}

function ramp(name) {
  const canvas = h("canvas", { class: "ramp", width: 256, height: 1, "aria-hidden": "true" });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(256, 1);
  new Uint32Array(image.data.buffer).set(lookup(name));
  pen.putImageData(image, 0, 0);
  return canvas;
}

function buttons(state, id, redraw) {
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
    state.locked = state.locked || !state.frame ? null : [state.frame.low, state.frame.high];
    lock.setAttribute("aria-pressed", String(state.locked !== null));
    redraw();
  } }, t("lock-scale"));
  return h("div", { class: "buttons" }, picker, lock, freeze, snapshot(id));
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
