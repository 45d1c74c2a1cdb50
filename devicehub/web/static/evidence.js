// The image on which an alarm came, as it was kept: a picture as it is, raw values of a thermal camera by its palette.

import { fill, h } from "./dom.js";
import { paint } from "./frame.js";
import { values } from "./plot.js";
import { events } from "./store.js";
import { moment, t } from "./words.js";

const PICTURES = new Set(["image/jpeg", "image/png"]);
const RAW = "application/x-devicehub-raw;layout=";
/** What tells of the image, by alarm. */
const known = new Map();

/** A place for the image of an alarm; `look` fills it once there is one. */
export function exposure({ data, subject }) {
  const place = h("div", { class: "exposure", "data-exposure": data.alarm });
  const [device] = subject.split("/");
  let shown = false;
  const look = () => {
    const found = known.get(data.alarm) ?? events.find(({ kind, message }) => kind === "capture" && message.data.alarm === data.alarm)?.message;
    if (!found || shown) return;
    shown = true;
    known.set(data.alarm, found);
    fill(place, figure(found));
  };
  if (!known.has(data.alarm)) recorded(device, data).then(look);
  look();
  return { element: place, look };
}

/** What the journal holds of it: whoever opens the page late was not told. */
async function recorded(device, { alarm, raised }) {
  const wish = new URLSearchParams({ kind: "capture", device, since: raised, most: 500 });
  const answer = await fetch(`/api/journal?${wish}`).catch(() => null);
  if (!answer?.ok) return;
  const found = (await answer.json()).events.find(({ payload }) => payload?.data.alarm === alarm);
  if (found) known.set(alarm, found.payload);
}

function figure({ time, subject, data }) {
  const address = `/evidence/${data.digest.replace("sha256:", "")}`;
  const name = t("raised-on", { time: moment(time) });
  const picture = PICTURES.has(data.media_type) ? h("img", { class: "evidence", alt: name, src: address }) : drawn(address, data, name);
  return h("figure", { class: "kept" }, picture ? h("span", { class: "redden evidence-frame" }, picture) : null,
    h("figcaption", { class: "kept-note" }, name, " ", h("a", { class: "button", href: address, download: `${subject}-${data.digest.slice(7, 19)}` }, t("original"))));
}

/** Raw values from the lowest to the highest; null for what nobody here can draw. */
function drawn(address, { media_type: media, width, height }, name) {
  if (!media.startsWith(RAW)) return null;
  const canvas = h("canvas", { class: "evidence image", width, height, role: "img", "aria-label": name });
  fetch(address).then((answer) => (answer.ok ? answer.arrayBuffer() : null)).then((buffer) => {
    const found = buffer && values(media.slice(RAW.length), buffer);
    if (found?.length === width * height) paint(canvas, indexed(found, width, height), localStorage.getItem("devicehub.palette") ?? "inferno", [0, 1]);
  });
  return canvas;
}

/** As the hub sends live images: an index of 0 to 255 a pixel. */
function indexed(found, width, height) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of found) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { n: 0, width, height, low: 0, high: 1, picture: null, pixels: Uint8Array.from(found, (value) => ((value - low) / (high - low || 1)) * 255 || 0) };
}
