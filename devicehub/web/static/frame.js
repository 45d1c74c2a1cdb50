// One image as it comes from the hub, and its drawing: thermal ones by a palette, others as the camera sent them.

import { lookup } from "./palettes.js";

const HEADER = 24;
export const NOWHERE = 0xffff;

/** A frame of `buffer`; `at` is when it came, in milliseconds since 1970. */
export async function parsed(buffer) {
  const view = new DataView(buffer);
  const frame = {
    n: view.getUint32(4, true), width: view.getUint16(8, true), height: view.getUint16(10, true),
    low: view.getFloat32(12, true), high: view.getFloat32(16, true), x: view.getUint16(20, true), y: view.getUint16(22, true),
    pixels: new Uint8Array(buffer, HEADER), picture: null, at: Date.now(),
  };
  if (frame.pixels[0] === 0xff && frame.pixels[1] === 0xd8 && !Number.isFinite(frame.low)) {
    frame.picture = await createImageBitmap(new Blob([frame.pixels], { type: "image/jpeg" })).catch(() => null);
  }
  return frame;
}

/** H.264 is shown by nobody here, nor a picture that the browser refuses. */
export function drawable(frame) {
  return frame.picture !== null || frame.pixels.length === frame.width * frame.height;
}

/** Whether its pixels are values. */
export function measures(frame) {
  return Number.isFinite(frame.low);
}

/** Draw a frame by a palette from `low` to `high`; gives the pen for what is to be drawn over it. Its number stands in `data-frame`. */
export function paint(canvas, frame, palette, [low, high]) {
  canvas.dataset.frame = frame.n;
  if (canvas.width !== frame.width) canvas.width = frame.width;
  if (canvas.height !== frame.height) canvas.height = frame.height;
  const pen = canvas.getContext("2d");
  if (frame.picture) pen.drawImage(frame.picture, 0, 0, canvas.width, canvas.height);
  else if (measures(frame)) pen.putImageData(thermal(pen, frame, lookup(palette), low, high), 0, 0);
  else pen.clearRect(0, 0, canvas.width, canvas.height);
  return pen;
}

function thermal(pen, frame, table, low, high) {
  const image = pen.createImageData(frame.width, frame.height);
  const words = new Uint32Array(image.data.buffer);
  const step = (frame.high - frame.low) / 255;
  const colours = Uint32Array.from({ length: 256 }, (_, index) =>
    table[Math.max(0, Math.min(255, Math.round(((frame.low + index * step - low) / (high - low || 1)) * 255)))]);
  for (let index = 0; index < words.length; index += 1) words[index] = colours[frame.pixels[index]];
  return image;
}
