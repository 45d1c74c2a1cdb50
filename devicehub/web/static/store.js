// What the hub publishes, as it came: one value per topic, alarms by id, the last events. Nothing is judged here.

const EVENTS_KEPT = 300;
const HISTORY_SECONDS = 120;
const RETRY_MS = 1000;
const STALE_MS = 5000;
/** The hub says something every second. One that says nothing for so long stands still, or its computer does. */
const LOST_MS = 3000;
const WATCH_MS = 250;
const STATISTICS = ["min", "mean", "max", "p05", "p95"];
const SPEAKING = new Set(["measurement", "image"]);

/** The newest messages by topic, without the prefix of the node. */
export const topics = new Map();
/** Standing alarms by topic part `device/point`. */
export const alarms = new Map();
/** The last events of any kind, newest first. */
export const events = [];
/** Points of the last two minutes by `device/channel`, of images by `device/frame.max` and the like: [seconds, value, quality]. */
export const history = new Map();
/** The newest spectra by `device/channel/mode`, those of a run and blanks between runs apart. */
export const spectra = new Map();
/** When a device said something last, in milliseconds that no setting of a clock moves. */
const heard = new Map();
export const link = { missed: 0, prefix: "", broker: false };
/** The socket to the hub: when it said something last, whether it lives as far as the listeners know. */
const hub = { open: false, heard: 0, lived: false };

const listeners = new Set();

/** Call `listener(changed)` after each lot of messages, with the set of their kinds. Gives what ends it. */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Devices that were described, by id: everything that is known of each. */
export function devices() {
  const found = new Map();
  for (const [topic, message] of topics) {
    const [kind, id] = topic.split("/");
    if (kind !== "describe" || message === null) continue;
    found.set(id, {
      id,
      describe: message.data,
      device: topics.get(`device/${id}`)?.data,
      capability: topics.get(`capability/${id}`)?.data,
      state: topics.get(`state/${id}`),
      frame: topics.get(`frame/${id}`),
    });
  }
  return found;
}

/** Seconds since a message was made, by the hub's clock. */
export function age(message) {
  return message ? Math.max(0, (Date.now() - Date.parse(message.time)) / 1000) : Infinity;
}

/** Seconds since a device said something that this page has seen. */
export function silence(id) {
  return heard.has(id) ? (performance.now() - heard.get(id)) / 1000 : Infinity;
}

/** Whether the hub is heard. A socket stays open for as long as nobody closes it, whatever becomes of the hub behind it. */
export function live() {
  return hub.open && performance.now() - hub.heard < LOST_MS;
}

/** The newest data of a topic; nothing while the hub is not heard. */
export function current(topic) {
  return live() ? topics.get(topic)?.data : undefined;
}

/** The state of a device, which nobody knows while the hub is not heard. */
export function stateOf(one) {
  return (live() && one?.device?.state) || "unknown";
}

/** Whether what a device says may be believed now; silence never looks safe. Scanners speak when there is something. */
export function believed(one) {
  if (current("status")?.state !== "online") return false;
  if (!["ready", "busy", "degraded"].includes(one.device?.state)) return false;
  const speaks = one.describe.channels.some((channel) => SPEAKING.has(channel.kind));
  return !speaks || silence(one.id) * 1000 < STALE_MS;
}

/** Standing alarms, the most urgent first, among equals the newest. */
export function standing() {
  const order = { critical: 0, high: 1, medium: 2, low: 3 };
  return [...alarms.values()].sort((one, other) =>
    order[one.data.priority] - order[other.data.priority] || other.data.raised.localeCompare(one.data.raised));
}

/** Listen to the hub for as long as the page is open. */
export function connect() {
  setInterval(watch, WATCH_MS);
  document.addEventListener("visibilitychange", watch); // of a page that nobody sees timers are slow
  dial();
}

/** Say so when the hub falls silent, and when it is back. */
function watch() {
  if (live() === hub.lived) return;
  hub.lived = live();
  tell(new Set(["link"]));
}

function dial() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/news`);
  let first = true;
  socket.onmessage = (event) => {
    if (first) forget();
    take(JSON.parse(event.data), first);
    first = false;
  };
  socket.onclose = () => {
    hub.open = false;
    watch();
    setTimeout(dial, RETRY_MS);
  };
}

function forget() {
  topics.clear();
  alarms.clear();
  heard.clear();
  spectra.clear();
  hub.open = true;
}

/** `known`: what the hub knew already, so that no device has said it now. */
function take(news, known) {
  link.prefix = news.prefix;
  link.missed += news.missed;
  link.broker = news.connected;
  hub.heard = performance.now();
  const kinds = new Set();
  for (const [topic, message] of news.messages) {
    const [kind, ...rest] = topic.split("/");
    kinds.add(kind);
    if (kind === "alarm") takeAlarm(rest.join("/"), message);
    else if (message === null) topics.delete(topic);
    else takeOther(kind, topic, rest, message, known);
  }
  tell(kinds);
}

function takeAlarm(point, message) {
  if (message === null || message.data === null) alarms.delete(point);
  else alarms.set(point, message);
}

function takeOther(kind, topic, rest, message, known) {
  if (["event", "result", "capture", "scan", "gap", "res"].includes(kind)) {
    events.unshift({ topic, kind, message });
    events.length = Math.min(events.length, EVENTS_KEPT);
    return;
  }
  if (kind === "reading" && message.data?.historical) return; // of a device's memory: nothing that it says now
  topics.set(topic, message);
  if (!known && (kind === "reading" || kind === "frame")) heard.set(rest[0], performance.now());
  if (kind === "reading" && typeof message.data?.value === "number") remember(rest.join("/"), message, message.data.value);
  if (kind === "reading" && message.data?.layout) spectra.set([...rest, message.data.mode ?? "", message.data.idle ? "idle" : ""].join("/"), message);
  if (kind === "frame") for (const name of STATISTICS) if (typeof message.data?.[name] === "number") remember(`${rest[0]}/frame.${name}`, message, message.data[name]);
}

function remember(channel, message, value) {
  const points = history.get(channel) ?? [];
  const now = Date.parse(message.time) / 1000;
  points.push([now, value, message.data.quality]);
  while (points.length && now - points[0][0] > HISTORY_SECONDS) points.shift();
  history.set(channel, points);
}

function tell(kinds) {
  for (const listener of listeners) listener(kinds);
}
