"""Simulator of the reference ion-mobility trace detector (docs/protocols/ims-reference.md).

What trainers simulate: a drift tube with reactant ion, calibrant and analyte peaks in both polarities
(`_ims_physics`), an instrument that warms up, samples, judges by itself and bakes out (`_ims_instrument`,
`_ims_judge`), and the wire with its faults (here and `_ims_reference_wire`). One minute after power-up it is ready.
"""

import math
from collections.abc import Callable
from random import Random

from simulators.trace import _ims_instrument as instrument
from simulators.trace import _ims_judge as judge
from simulators.trace import _ims_reference_wire as wire
from simulators.trace._ims_physics import INTERFERENTS, SUBSTANCES, Substance, Window, substance

WIRE_FAULTS = ("crc", "drop", "duplicate", "truncate", "garbage")
_Values = dict[str, float | str]


class ImsReference:
    """The instrument on a serial line, with an operator.

    Verbs:

    * `demo`: the operator acts: a swab every half minute or so, mostly clean.
    * `sample(substance, mass_ng)`: a swab is put in (none given: a clean one). Refused unless ready.
    * `clean`: the inlet is cleaned, nine tenths of the residue go. `contaminate(substance, mass_ng)`: residue comes.
    * `warm(seconds)`: warm up within so many seconds. `abort`: the operator stops the run.
    * `acknowledge`: the operator takes the alarm off the display. `refill`: a new box of swabs.
    * `environment(temperature_k, pressure_hpa, humidity_percent)`: what the drift gas is regulated to; any of them.
    * `resolution(points)`: points per scan from now on, 16 to 2000 over the same 20 ms.
    * `fault(kind, amount)`: `crc`, `drop`, `duplicate`, `truncate`, `garbage` spoil the next `amount` frames (1);
      `stuck` silences the device for `amount` seconds (10); `drift` makes the temperature sensor err by `amount`
      kelvin (1); `heater`, `self-test` are faults that the device reports; `reactant`, `calibrant` take that
      peak away; `none` repairs everything.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._device = instrument.Instrument(random, f"REF{random.randrange(10_000):04d}")
        self._reader = wire.RequestReader()
        self._sequence = 0
        self._spoil: list[str] = []
        self._stuck_until = -math.inf
        self._next_act = math.inf
        self._answered: tuple[int, int, int] | None = None
        self._verbs: dict[str, Callable[[_Values], None]] = {
            "demo": self._demo, "sample": self._sample, "clean": self._clean, "contaminate": self._contaminate,
            "warm": self._warm, "abort": self._abort, "acknowledge": self._acknowledge, "refill": self._refill,
            "environment": self._environment, "resolution": self._resolution, "fault": self._fault,
        }  # fmt: skip

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world. Raises `ValueError` for an unknown verb, substance or kind of fault."""
        if verb not in self._verbs:
            raise ValueError(f"ims_reference has no verb '{verb}'")
        self._verbs[verb](values)

    def on_bytes(self, data: bytes) -> bytes:
        """The host wrote: requests are answered at once, damaged ones not at all."""
        out = self.advance(0.0)
        for kind, sequence, payload in self._reader.feed(data):
            if self._device.now >= self._stuck_until:
                out += self._send(*self._answer(kind, sequence, payload), reply_to=sequence)
        return out + self.advance(0.0)

    def advance(self, dt: float) -> bytes:
        """Time passes."""
        until = self._device.now + dt
        while self._next_act <= until:
            self._device.advance(max(0.0, self._next_act - self._device.now))
            self._act()
        self._device.advance(max(0.0, until - self._device.now))
        said, self._device.said = self._device.said, []
        if self._device.now < self._stuck_until:
            return b""
        return b"".join(self._send(kind, payload) for kind, payload in said)

    def _send(self, kind: int, payload: bytes, reply_to: int = 0) -> bytes:
        data = wire.frame(kind, self._sequence, payload, reply_to)
        self._sequence = (self._sequence + 1) & 0xFFFF
        if not self._spoil:
            return data
        at = self._random.randrange(2, len(data))
        spoilt = {
            "crc": data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :],
            "drop": b"",
            "duplicate": data + data,
            "truncate": data[: len(data) // 2],
            "garbage": bytes(self._random.choices(range(0x20, 0x7F), k=9)) + data,
        }
        return spoilt[self._spoil.pop(0)]

    def _answer(self, kind: int, sequence: int, payload: bytes) -> tuple[int, bytes]:
        device = self._device
        if payload and wire.IDENTIFY <= kind <= wire.ABORT_SAMPLE:
            return wire.NAK, bytes([kind, wire.NAK_LENGTH])
        if kind == wire.IDENTIFY:
            return wire.IDENT, device.ident.pack()
        if kind == wire.GET_STATE:
            return wire.STATE, device.state_payload()
        if kind == wire.GET_ENVIRONMENT:
            return wire.ENVIRONMENT, device.gas().pack()
        if kind == wire.GET_LAST_RUN:
            return self._last_run(kind)
        return self._command(kind, sequence)

    def _last_run(self, kind: int) -> tuple[int, bytes]:
        if self._device.last_run is None:
            return wire.NAK, bytes([kind, wire.NAK_NO_RUN])
        ended, run, duration, scans, verdict = self._device.last_run
        return wire.RUN_END, wire.run_end(run, duration, scans, verdict, self._device.now - ended)

    def _command(self, kind: int, sequence: int) -> tuple[int, bytes]:
        """START_SAMPLE and ABORT_SAMPLE; a repeated command is answered again and not done again."""
        if self._answered is None or self._answered[:2] != (kind, sequence):
            if kind == wire.START_SAMPLE:
                refusal = self._device.offer({})
            elif kind == wire.ABORT_SAMPLE:
                refusal = 0 if self._device.state == instrument.SAMPLING else wire.NAK_NOT_READY
                self._device.stop(judge.CAUSE_OPERATOR)
            else:
                refusal = wire.NAK_UNKNOWN
            self._answered = (kind, sequence, refusal)
        refusal = self._answered[2]
        return (wire.NAK, bytes([kind, refusal])) if refusal else (wire.ACK, bytes([kind]))

    def _demo(self, values: _Values) -> None:
        del values
        self._next_act = self._device.now + self._random.uniform(5, 15)

    def _act(self) -> None:
        """The operator's next step: take the last alarm off, then put in a swab if the device is ready."""
        device, random = self._device, self._random
        self._next_act += random.uniform(20, 60)
        if not device.swabs:
            self._refill({})
        if device.alarms:
            self._acknowledge({})
            return
        device.offer(self._found_on_a_swab())

    def _found_on_a_swab(self) -> dict[Substance, float]:
        """Mostly nothing; sometimes a harmless interferent; now and then a substance, seldom a lot of it."""
        random, chance = self._random, self._random.random()
        if chance < 0.80:
            return {}
        if chance < 0.86:
            return {random.choice(INTERFERENTS): random.uniform(10, 60)}
        mass = 400.0 if chance > 0.99 else 10 ** random.uniform(0, 1.7)
        return {random.choice(SUBSTANCES): mass}

    def _sample(self, values: _Values) -> None:
        name, mass = str(values.get("substance", "")), float(values.get("mass_ng", 0.0))
        self._device.offer({substance(name): mass} if name else {})

    def _contaminate(self, values: _Values) -> None:
        kind, residue = substance(str(values["substance"])), self._device.chemistry.residue
        residue[kind] = residue.get(kind, 0.0) + float(values["mass_ng"])

    def _clean(self, values: _Values) -> None:
        del values
        chemistry = self._device.chemistry
        chemistry.residue = {kind: mass / 10 for kind, mass in chemistry.residue.items()}

    def _warm(self, values: _Values) -> None:
        self._device.warm(float(values["seconds"]))

    def _abort(self, values: _Values) -> None:
        del values
        self._device.stop(judge.CAUSE_OPERATOR)

    def _acknowledge(self, values: _Values) -> None:
        del values
        self._device.alarms = 0
        self._device.say_state()

    def _refill(self, values: _Values) -> None:
        del values
        self._device.swabs = 100
        self._device.say_state()

    def _environment(self, values: _Values) -> None:
        device = self._device
        device.temperature = float(values.get("temperature_k", device.temperature))
        device.pressure = float(values.get("pressure_hpa", device.pressure))
        device.humidity = float(values.get("humidity_percent", device.humidity))

    def _resolution(self, values: _Values) -> None:
        points = int(values["points"])
        if not 16 <= points <= 2000:
            raise ValueError(f"{points} points: must be from 16 to 2000")
        self._device.chemistry.window = Window(points=points)

    def _fault(self, values: _Values) -> None:
        kind, device = str(values["kind"]), self._device
        reported = {"heater": instrument.FAULT_HEATER, "self-test": instrument.FAULT_SELF_TEST}
        if kind in WIRE_FAULTS:
            self._spoil += [kind] * int(values.get("amount", 1))
        elif kind == "stuck":
            self._stuck_until = device.now + float(values.get("amount", 10.0))
        elif kind == "drift":
            device.sensor_error = float(values.get("amount", 1.0))
        elif kind in reported:
            device.fail(reported[kind])
        elif kind in {"reactant", "calibrant", "none"}:
            self._reagents(kind)
        else:
            raise ValueError(f"ims_reference has no fault '{kind}'")

    def _reagents(self, kind: str) -> None:
        """Take away the reactant ion or the calibrant; `none` gives both back and repairs the rest."""
        device = self._device
        repaired = kind == "none"
        device.chemistry.charge = dict.fromkeys((0, 1), 0.0 if kind == "reactant" else 1.0)
        device.chemistry.calibrant = dict.fromkeys((0, 1), 0.0 if kind == "calibrant" else 1.0)
        if repaired:
            self._spoil, self._stuck_until, device.sensor_error = [], -math.inf, 0.0
            if device.faults:
                device.warm(instrument.WARM_UP)


SIMULATOR = ImsReference
