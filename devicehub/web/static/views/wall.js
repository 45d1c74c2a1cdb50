// For a screen on the wall: what is seen from across the room.

import { fill, h, mark, renew } from "../dom.js";
import { imager, imagers } from "../imager.js";
import { age, believed, devices, listen, live, standing } from "../store.js";
import { duration, t } from "../words.js";

export function open(main) {
  const alarms = h("ol", { class: "wall-alarms" });
  const screens = h("div", { class: "wall-images" });
  const lost = h("p", { class: "wall-lost" });
  fill(main, h("div", { class: "wide" }, alarms, lost, screens));
  const shown = new Map();
  const draw = () => {
    renew(alarms, ...standing().slice(0, 6).map(({ data, subject }) => h("li", { "data-of": data.alarm }, mark(data.priority, t(`priority.${data.priority}`)), subject, " ",
      t(`alarm.${data.state}`), " ", duration(age({ time: data.raised })))));
    const away = [...devices().values()].filter((one) => !believed(one)).map((one) => one.id);
    fill(lost, !live() ? t("link-lost") : away.length ? t("not-current", { devices: away.join(", ") }) : "");
    for (const one of imagers().slice(0, 4)) {
      if (shown.has(one.id)) continue;
      shown.set(one.id, imager(one.id, { controls: false }));
      screens.append(h("div", {}, h("strong", {}, one.id), shown.get(one.id).element));
    }
  };
  draw();
  const stop = listen(draw);
  return { tick: () => { draw(); for (const one of shown.values()) one.tick(); }, close: () => { stop(); for (const one of shown.values()) one.close(); } };
}
