"""State machine of the reference instrument: warming-up, ready, sampling, bake-out, fault.

Time moves by due events, so that the result does not depend on the size of the ticks. `said` holds the
messages (type, payload) not yet sent.
"""

import math
from collections.abc import Callable
from random import Random

import numpy as np

from simulators.trace import _ims_judge as judge
from simulators.trace import _ims_reference_wire as wire
from simulators.trace._ims_physics import REFERENCES, Chemistry, Substance, Trace, Tube

WARMING_UP, READY, SAMPLING, BAKE_OUT, FAULT = range(5)
FAULT_HEATER, FAULT_SELF_TEST = 0x0001, 0x0080
SCANS, SCAN_PERIOD = 20, 0.25
IDLE_PERIOD, BAKE_PERIOD = 10.0, 5.0
WARM_UP = 60.0
SATURATED, LAST, IDLE = 0x01, 0x02, 0x04
_NEVER = math.inf
_AMBIENT = 296.0
_LEAVES, _BAKES = 90.0, 12.0  # time constants of the residue, s


class Instrument:
    """The device behind the wire. Its clock starts at power-up."""

    def __init__(self, random: Random, serial: str) -> None:
        self.now = 0.0
        self.said: list[tuple[int, bytes]] = []
        self.tube = Tube()
        self.chemistry = Chemistry(random, self.tube)
        self.temperature, self.pressure, self.humidity = 383.0, 1008.0, 4.0
        self.sensor_error = 0.0
        self.swabs = 100
        self.state = WARMING_UP
        self.last_run: tuple[float, int, float, int, wire.Verdict] | None = None
        self.conditions = [judge.CALIBRATING, judge.CALIBRATING]
        self.alarms = self.faults = 0
        self.ident = wire.Ident("IMS-REF-1", serial, "1.0.0", "training 1", 0.06, 1400.0, REFERENCES)
        self._judge = judge.Judge(self.tube)
        self._heating = (0.0, WARM_UP, _AMBIENT)
        self._run = random.randrange(1, 1000)
        self._sums: dict[int, list[Trace]] = {}
        self._index = 0
        self._began = 0.0
        self._saturated = False
        self._baked_from = 0.0
        self._progress = 0
        self._events: dict[str, Callable[[], None]] = {
            "boot": self._boot, "heartbeat": self._heartbeat, "environment": self._environment,
            "heat": self._heat, "idle": self._idle, "scan": self._scan,
        }  # fmt: skip
        self._due = dict.fromkeys(self._events, _NEVER) | {"boot": 0.0, "heartbeat": 1.0, "environment": 0.0}
        self._due |= {"heat": 1.0, "idle": IDLE_PERIOD}

    def advance(self, dt: float) -> None:
        """`dt` seconds pass."""
        until = self.now + dt
        while True:
            name = min(self._due, key=self._due.__getitem__)
            if self._due[name] > until:
                break
            self._pass(self._due[name] - self.now)
            self._due[name] = _NEVER
            self._events[name]()
        self._pass(until - self.now)

    def _pass(self, dt: float) -> None:
        self.now += dt
        if self.chemistry.residue:
            self.chemistry.decay(dt, _BAKES if self.state == BAKE_OUT else _LEAVES)

    def true_gas(self) -> wire.Gas:
        """What the drift gas really is at this moment."""
        began, length, start = self._heating
        goal = _AMBIENT if self.faults & FAULT_HEATER else self.temperature
        lag = (start - goal) * math.exp(-7 * (self.now - began) / max(length, 1e-3))
        breath = 0.05 * math.sin(2 * math.pi * self.now / 300)
        return wire.Gas(goal + lag + breath, self.pressure + 2 * math.sin(math.pi * self.now / 900), self.humidity)

    def gas(self) -> wire.Gas:
        """What the sensors say of it."""
        true = self.true_gas()
        return wire.Gas(true.temperature + self.sensor_error, true.pressure, true.humidity)

    def state_payload(self) -> bytes:
        """STATE as it is now."""
        hours = int(self.now / 3600)
        conditions = (self.conditions[0], self.conditions[1])
        stores = (self.swabs, 400 - hours, 700 - hours)
        return wire.State(self.state, self._progress, self.faults, conditions, self.alarms, *stores).pack()

    def say_state(self) -> None:
        """Tell the state of its own accord."""
        self.said.append((wire.STATE, self.state_payload()))

    def warm(self, seconds: float) -> None:
        """Begin to warm up so that it ends in `seconds`."""
        start = self.true_gas().temperature
        self.faults = 0
        self.state, self.conditions = WARMING_UP, [judge.CALIBRATING, judge.CALIBRATING]
        self._heating = (self.now, max(0.0, seconds), start)
        self._progress = 0
        self._due |= {"heat": self.now + min(1.0, max(0.0, seconds)), "scan": _NEVER}

    def fail(self, bits: int) -> None:
        """Fault bits rise; a run under way is aborted."""
        if self.state == SAMPLING:
            self.stop(judge.CAUSE_FAULT)
        self.state, self.faults, self._progress = FAULT, self.faults | bits, wire.NO_VALUE
        if bits & FAULT_HEATER:
            self._heating = (self.now, WARM_UP, self.temperature)
        self._due["heat"] = _NEVER
        self.say_state()

    def offer(self, load: dict[Substance, float]) -> int:
        """A swab is put in; 0, or the reason of refusal as in NAK."""
        if self.state != READY:
            return wire.NAK_BUSY if self.state == SAMPLING else wire.NAK_NOT_READY
        self.chemistry.loads = dict(load)
        self.state, self.alarms, self._progress = SAMPLING, 0, 0
        self._run, self._index, self._began = self._run + 1, 0, self.now
        self._sums, self._saturated = {wire.NEGATIVE: [], wire.POSITIVE: []}, False
        self.swabs = max(0, self.swabs - 1)
        self.said.append((wire.RUN_START, wire.run_start(self._run, SCANS * SCAN_PERIOD, SCANS)))
        self.say_state()
        self._due |= {"scan": self.now + SCAN_PERIOD, "idle": _NEVER}
        return 0

    def stop(self, cause: int) -> None:
        """The run under way ends without a judgement."""
        if self.state == SAMPLING:
            self._finish(wire.Verdict(judge.ABORTED, cause))

    def _boot(self) -> None:
        self.said.append((wire.IDENT, self.ident.pack()))
        self.say_state()

    def _heartbeat(self) -> None:
        self.said.append((wire.HEARTBEAT, int(self.now).to_bytes(4, "little") + bytes([self.state])))
        self._due["heartbeat"] = self.now + 1.0

    def _environment(self) -> None:
        self.said.append((wire.ENVIRONMENT, self.gas().pack()))
        self._due["environment"] = self.now + 5.0

    def _heat(self) -> None:
        began, length, _ = self._heating
        done = 1.0 if length <= 0 else (self.now - began) / length
        if done < 1.0 - 1e-9:
            self._due["heat"] = self.now + min(1.0, length - (self.now - began))
            step = int(20 * done) * 5
            if step != self._progress:
                self._progress = step
                self.say_state()
            return
        self.state, self._progress = READY, wire.NO_VALUE
        self._due["idle"] = self.now
        self.conditions = [judge.USABLE, judge.USABLE]
        self.say_state()

    def _idle(self) -> None:
        """A blank in both polarities: baseline, reactant ion, calibrant, residue."""
        gas, seen = self.gas(), []
        for polarity in (wire.NEGATIVE, wire.POSITIVE):
            points, flags = self._acquire(polarity, None)
            self._say_scan((polarity, flags | IDLE, 0, 0), points)
            seen.append(self._judge.idle(polarity, points.astype(np.float64), self.chemistry.window, gas))
        self._due["idle"] = self.now + (BAKE_PERIOD if self.state == BAKE_OUT else IDLE_PERIOD)
        if self.state in {READY, BAKE_OUT}:
            self._judge_blank(seen)

    def _judge_blank(self, seen: list[judge.Seen]) -> None:
        before = (self.state, self._progress, *self.conditions)
        strongest = max(one.strongest for one in seen)
        self.conditions = [one.condition for one in seen]
        if self.state == READY and strongest > judge.BAKE_OUT:
            self.state, self._baked_from = BAKE_OUT, strongest
        elif self.state == BAKE_OUT and judge.CONTAMINATED not in self.conditions:
            self.state, self._progress = READY, wire.NO_VALUE
        if self.state == BAKE_OUT:
            self._baked_from = max(self._baked_from, strongest)
            left = math.log(max(1.0, strongest / judge.RESIDUE)) / math.log(self._baked_from / judge.RESIDUE)
            self._progress = max(0, min(99, round(100 * (1 - left))))
            self._due["idle"] = self.now + BAKE_PERIOD
        if before != (self.state, self._progress, *self.conditions):
            self.say_state()

    def _acquire(self, polarity: int, elapsed: float | None) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint16]], int]:
        true = self.true_gas()
        trace = np.rint(self.chemistry.trace(polarity, elapsed, true.temperature, true.pressure))
        clipped = bool(trace.max() > 65535) or self.chemistry.depleted(polarity, elapsed)
        points = np.clip(trace, 0, 65535).astype(np.uint16)
        return points, SATURATED if clipped and self.chemistry.charge[polarity] else 0

    def _say_scan(self, head: tuple[int, int, int, int], points: np.ndarray[tuple[int], np.dtype[np.uint16]]) -> None:
        polarity, flags, index, run = head
        window = self.chemistry.window
        scan = wire.Scan(
            polarity=polarity, flags=flags, index=index, run=run, start=window.start, interval=window.interval,
            gate=self.tube.gate, gas=self.gas(), pulses=8, points=points.astype("<u2").tobytes(),
        )  # fmt: skip
        self.said.append((wire.SCAN, scan.pack()))

    def _scan(self) -> None:
        polarity = self._index % 2
        points, flags = self._acquire(polarity, self.now - self._began)
        last = LAST if self._index == SCANS - 1 else 0
        self._say_scan((polarity, flags | last, self._index, self._run), points)
        self._saturated |= bool(flags & SATURATED)
        self._sums[polarity].append(points.astype(np.float64))
        self._index += 1
        self._progress = 100 * self._index // SCANS
        if not last:
            self._due["scan"] = self.now + SCAN_PERIOD
            return
        means = {key: np.mean(np.stack(rows), axis=0) for key, rows in self._sums.items()}
        peaks = self._judge.run(means, self.chemistry.window, self.gas())
        conditions = (self.conditions[0], self.conditions[1])
        self._finish(judge.verdict(peaks, conditions, saturated=self._saturated))

    def _finish(self, verdict: wire.Verdict) -> None:
        duration = self.now - self._began
        self.last_run = (self.now, self._run, duration, self._index, verdict)
        self.said.append((wire.RUN_END, wire.run_end(self._run, duration, self._index, verdict)))
        alarmed = {peak.group for peak in verdict.peaks if peak.alarmed}
        self.alarms = sum(1 << (group - 1) for group in alarmed)
        self.chemistry.settle()
        self.state, self._progress = READY, wire.NO_VALUE
        self._due |= {"scan": _NEVER, "idle": self.now + 1.0}
        self.say_state()
