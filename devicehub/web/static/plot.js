// Curves on a canvas: trend with limits, sparkline, plasmagram or spectrum with windows and labelled peaks.

import { number } from "./words.js";

/** Height of a line of text. */
const LINE = 16;
const PAD = { left: 48, right: 8, top: 8, bottom: 20 };

function colours(canvas) {
  const style = getComputedStyle(canvas);
  return Object.fromEntries(["ink", "dim", "line", "critical", "high", "low"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
}

/** A context that draws in CSS pixels, sharp on any screen, on an empty canvas. */
function fresh(canvas) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  return [pen, width, height];
}

function span(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 1, high + 1] : [low, high];
}

/** A line through points [x, y, quality]; gaps where y is no number; dashed where its quality is not good. */
function line(pen, points, x, y) {
  let before = null;
  for (const point of points) {
    if (before && Number.isFinite(before[1]) && Number.isFinite(point[1])) {
      pen.setLineDash(point[2] === undefined || point[2] === "good" ? [] : [3, 3]);
      pen.beginPath();
      pen.moveTo(x(before[0]), y(before[1]));
      pen.lineTo(x(point[0]), y(point[1]));
      pen.stroke();
    }
    before = point;
  }
  pen.setLineDash([]);
}

/** The course of a value: points [seconds, value, quality], limits as `{value, label}`; `beside`: a second course, drawn faint. */
export function trend(canvas, points, limits = [], seconds = 120, beside = []) {
  const [pen, width, height] = fresh(canvas);
  const paint = colours(canvas);
  const now = points.length ? points[points.length - 1][0] : 0;
  const shown = [points, beside].map((one) => one.filter((point) => now - point[0] <= seconds));
  const [low, high] = span([...shown.flat().map((point) => point[1]), ...limits.map((limit) => limit.value)]);
  const x = (at) => width - PAD.right - ((now - at) / seconds) * (width - PAD.left - PAD.right);
  const y = (value) => height - PAD.bottom - ((value - low) / (high - low)) * (height - PAD.top - PAD.bottom);
  scale(pen, paint, [low, high], y);
  pen.fillText(`−${seconds} s`, PAD.left, height - 4);
  for (const limit of limits) {
    pen.strokeStyle = paint.critical;
    const at = y(limit.value);
    pen.beginPath();
    pen.moveTo(PAD.left, at);
    pen.lineTo(width - PAD.right, at);
    pen.stroke();
    pen.fillText(limit.label, PAD.left + 4, at < LINE ? at + LINE - 3 : at - 3);
  }
  pen.strokeStyle = paint.dim;
  line(pen, shown[1], x, y);
  pen.strokeStyle = paint.ink;
  pen.lineWidth = 1.5;
  line(pen, shown[0], x, y);
}

function scale(pen, paint, values, y) {
  pen.fillStyle = paint.dim;
  for (const value of values) pen.fillText(short(value), 2, y(value) + 4);
}

function short(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 100000) ? value.toExponential(1) : number(value);
}

/** A course without scale, for a tile. */
export function sparkline(canvas, points) {
  const [pen, width, height] = fresh(canvas);
  if (points.length < 2) return;
  const [low, high] = span(points.map((point) => point[1]));
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  pen.strokeStyle = colours(canvas).ink;
  line(pen, points, (at) => ((at - first) / (last - first || 1)) * (width - 2) + 1,
    (value) => height - 2 - ((value - low) / (high - low)) * (height - 4));
}

/**
 * Values over an axis `{unit, start, step, quadratic}`; `windows` as `{low, high, label}`, `peaks` as `{at, label, alarm}`
 * on that axis, drawn behind and above the curve.
 */
export function spectrum(canvas, values, axis, windows = [], peaks = []) {
  const [pen, width, height] = fresh(canvas);
  const paint = colours(canvas);
  const at = (index) => axis.start + axis.step * index + (axis.quadratic ?? 0) * index * index;
  const [low, high] = span(values);
  const [first, last] = [at(0), at(values.length - 1)];
  const x = (place) => PAD.left + ((place - first) / (last - first || 1)) * (width - PAD.left - PAD.right);
  const y = (value) => height - PAD.bottom - ((value - low) / (high - low)) * (height - PAD.top - PAD.bottom - 14);
  pen.globalAlpha = 0.25;
  pen.fillStyle = paint.low;
  for (const window of windows) pen.fillRect(x(window.low), PAD.top, Math.max(2, x(window.high) - x(window.low)), height - PAD.top - PAD.bottom);
  pen.globalAlpha = 1;
  upright(pen, paint, windows.map((window) => [(x(window.low) + x(window.high)) / 2, window.label]));
  scale(pen, paint, [low, high], y);
  pen.fillText(`${short(first)} ${axis.unit}`, PAD.left, height - 4);
  pen.fillText(short(last), width - 48, height - 4);
  pen.strokeStyle = paint.ink;
  curve(pen, values, (index) => x(at(index)), y);
  for (const peak of peaks) {
    pen.fillStyle = peak.alarm ? paint.critical : paint.ink;
    pen.fillRect(x(peak.at) - 1, PAD.top + 12, 2, height - PAD.top - PAD.bottom - 12);
    pen.fillText(peak.label, Math.min(x(peak.at) + 3, width - 60), PAD.top + 10);
  }
}

/** Names from the top down at `[x, name]`; of two that would cover each other the first is drawn. */
function upright(pen, paint, names) {
  pen.fillStyle = paint.dim;
  let last = -Infinity;
  for (const [x, name] of names.toSorted(([one], [other]) => one - other)) {
    if (x - last < LINE - 2) continue;
    last = x;
    pen.save();
    pen.translate(x - 4, PAD.top + LINE);
    pen.rotate(Math.PI / 2);
    pen.fillText(name, 0, 0);
    pen.restore();
  }
}

/** Of many values in one column of pixels the lowest and the highest are drawn, so that no peak is lost. */
function curve(pen, values, x, y) {
  pen.beginPath();
  let [column, low, high] = [NaN, 0, 0];
  for (let index = 0; index < values.length; index += 1) {
    const here = Math.round(x(index));
    if (here !== column) {
      if (Number.isFinite(column)) { pen.lineTo(column, y(low)); pen.lineTo(column, y(high)); }
      [column, low, high] = [here, values[index], values[index]];
    }
    low = Math.min(low, values[index]);
    high = Math.max(high, values[index]);
  }
  pen.lineTo(column, y(low));
  pen.lineTo(column, y(high));
  pen.stroke();
}

const LAYOUTS = { u8: [Uint8Array, 1], u16le: [Uint16Array, 2], i16le: [Int16Array, 2], u32le: [Uint32Array, 4], f32le: [Float32Array, 4] };

/** Numbers in one of the layouts of the contract, from bytes. */
export function values(layout, buffer) {
  const [Kind, size] = LAYOUTS[layout] ?? LAYOUTS.u8;
  return new Kind(buffer, 0, Math.floor(buffer.byteLength / size));
}

/** The values of a published spectrum, from base 64. */
export function decoded(data) {
  return values(data.layout, Uint8Array.from(atob(data.values), (one) => one.charCodeAt(0)).buffer);
}
