// Reduced mobilities on the axis of a plasmagram, which is in milliseconds.

const ZERO_CELSIUS = 273.15;
const STANDARD_HPA = 1013.25;
/** How far the calibrant may be from where the drift tube lets it be expected; the hub looks for it as wide. */
const NEAR = 0.06;
const STANDS_OUT = 2;

/**
 * What gives the drift time of a reduced mobility in a scan: K0 of the calibrant times its drift time, over that mobility. The calibrant is the
 * highest peak where length, voltage, temperature and pressure let it be expected; where none is there, that place. Null where no tube was told.
 */
export function drifts(drift, axis, values) {
  if (!drift || axis.unit !== "ms") return null;
  const expected = drifted(drift);
  const index = (ms) => Math.max(0, Math.min(values.length - 1, Math.round((ms - axis.start) / axis.step)));
  const [first, last] = [index(expected * (1 - NEAR)), index(expected * (1 + NEAR))];
  let apex = first;
  for (let at = first; at <= last; at += 1) if (values[at] > values[apex]) apex = at;
  const found = values[apex] > STANDS_OUT * median(values) ? axis.start + axis.step * apex : expected;
  return (mobility) => (drift.calibrant_k0 * found) / mobility;
}

/** t = L² / (K V), with K0 = K (273.15 / T) (P / 1013.25); lengths in cm, K0 in cm²/(V·s). */
function drifted({ length_cm: length, voltage, kelvin, hectopascal, calibrant_k0: mobility }) {
  return ((1000 * length * length) / (voltage * mobility)) * (ZERO_CELSIUS / kelvin) * (hectopascal / STANDARD_HPA);
}

function median(values) {
  return Float64Array.from(values).sort()[Math.floor(values.length / 2)];
}
