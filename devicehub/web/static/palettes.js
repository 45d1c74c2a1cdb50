// Colours of images by value. None of them is a rainbow, whose steps are no steps to who confuses colours.

/** Anchor colours, evenly spaced from the lowest to the highest value. */
export const ANCHORS = {
  inferno: ["#000004", "#160b39", "#420a68", "#6a176e", "#932667", "#bc3754", "#dd513a", "#f37819", "#fca50a", "#f6d746", "#fcffa4"],
  iron: ["#000000", "#1e0046", "#6e0094", "#b4009a", "#e0406a", "#f58a1f", "#fcc800", "#fff4a0", "#ffffff"],
  "white-hot": ["#000000", "#ffffff"],
  "black-hot": ["#ffffff", "#000000"],
};

const tables = new Map();

/** 256 colours as 32-bit words in the order in which a canvas stores them. */
export function lookup(name) {
  if (!tables.has(name)) tables.set(name, table(name));
  return tables.get(name);
}

function table(name) {
  const anchors = ANCHORS[name].map((text) => [1, 3, 5].map((place) => parseInt(text.slice(place, place + 2), 16)));
  const colours = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    const place = (index / 255) * (anchors.length - 1);
    const low = Math.min(Math.floor(place), anchors.length - 2);
    const [red, green, blue] = [0, 1, 2].map((part) =>
      Math.round(anchors[low][part] + (anchors[low + 1][part] - anchors[low][part]) * (place - low)));
    colours[index] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
  return colours;
}
