// What is drawn over a thermal image, as sharp as the screen is: regions, spots that rules found, the limit, the hottest pixel.

import { NOWHERE, measures } from "./frame.js";

const DARK = "#000";

/** Draw the marks of a frame: `regions` as `{name, corners}`, `spots` as `{id, bbox}`, `limit` a value or undefined. */
export function marks(canvas, image, frame, { regions, spots, limit }) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [image.clientWidth, image.clientHeight];
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!measures(frame) || !width) return;
  const scale = Math.min(width / frame.width, height / frame.height);
  const place = { scale, x: (width - frame.width * scale) / 2, y: (height - frame.height * scale) / 2 };
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = "13px system-ui, sans-serif";
  for (const { name, corners } of regions) outline(pen, corners.map((corner) => on(place, corner)), name, [6, 4]);
  for (const { id, bbox } of spots) if (bbox) outline(pen, corners(bbox).map((corner) => on(place, corner)), id, []);
  if (limit !== undefined && limit <= frame.high) isotherm(pen, place, frame, limit);
  if (frame.x !== NOWHERE) cross(pen, on(place, [frame.x + 0.5, frame.y + 0.5]), scale);
}

function on({ scale, x, y }, [column, row]) {
  return [x + column * scale, y + row * scale];
}

function corners([left, top, width, height]) {
  return [[left, top], [left + width, top], [left + width, top + height], [left, top + height]];
}

/** The colour of the theme for marks. */
function pale(pen) {
  return getComputedStyle(pen.canvas).color;
}

/** Pale on dark, so that it is seen on every colour of a palette. */
function stroke(pen, path, dash = []) {
  for (const [colour, width] of [[DARK, 3], [pale(pen), 1.5]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.stroke(path);
  }
  pen.setLineDash([]);
}

function outline(pen, points, name, dash) {
  const path = new Path2D();
  for (const [x, y] of points) path.lineTo(x, y);
  path.closePath();
  stroke(pen, path, dash);
  const [left, top] = [Math.min(...points.map(([x]) => x)) + 4, Math.min(...points.map(([, y]) => y)) + 15];
  pen.lineWidth = 3;
  pen.strokeStyle = DARK;
  pen.strokeText(name, left, top);
  pen.fillStyle = pale(pen);
  pen.fillText(name, left, top);
}

/** A line between what is as hot as the limit and what is not. */
function isotherm(pen, { scale, x, y }, frame, limit) {
  const edge = ((limit - frame.low) / (frame.high - frame.low || 1)) * 255;
  const path = new Path2D();
  for (let row = 0; row < frame.height; row += 1) {
    for (let column = 0; column < frame.width; column += 1) {
      const index = row * frame.width + column;
      const hot = frame.pixels[index] >= edge;
      const [left, top] = [x + column * scale, y + row * scale];
      if (column && hot !== frame.pixels[index - 1] >= edge) { path.moveTo(left, top); path.lineTo(left, top + scale); }
      if (row && hot !== frame.pixels[index - frame.width] >= edge) { path.moveTo(left, top); path.lineTo(left + scale, top); }
    }
  }
  stroke(pen, path);
}

/** Four strokes around the hottest pixel, which stays visible. */
function cross(pen, [x, y], scale) {
  const near = Math.max(5, scale / 2 + 1);
  const path = new Path2D();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + dx * near, y + dy * near);
    path.lineTo(x + dx * (near + 9), y + dy * (near + 9));
  }
  stroke(pen, path);
}
