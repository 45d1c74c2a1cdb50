"""What the reference instrument's messages mean as samples. Judging plasmagrams is left to the alarm core.

The instrument's own verdict is passed on as `Result` and `DeviceAlarm`; its calibrants go into the identity as
facts, so that a K0 can be computed relative to them (`K0 = K0_cal * t_cal / t`).
"""

from collections.abc import Iterator
from types import MappingProxyType

from devicehub.model.drift import Drift
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import (
    Axis,
    Capability,
    Cause,
    DeviceAlarm,
    Identity,
    Layout,
    Level,
    Measurement,
    Outcome,
    Peak,
    Quality,
    Result,
    Sample,
    Spectrum,
    Stored,
    Trigger,
)
from devicehub.model.units import Unit
from drivers.trace._ims_reference_messages import (
    NO_VALUE,
    POLARITIES,
    STATES,
    Answer,
    Environment,
    Heartbeat,
    Ident,
    Message,
    RunEnd,
    RunStart,
    ScanRecord,
    State,
)
from drivers.trace._ims_reference_wire import Kind

GROUPS = ("explosives", "narcotics")  # standing alarm bit 0, 1; group 1, 2; found in negative, positive mode
_ZERO_CELSIUS = 273.15
_WARMING_UP, _READY, _SAMPLING, _BAKE_OUT, _FAULT = range(5)
_PRESSURE_SENSOR, _TEMPERATURE_SENSOR, _HUMIDITY_SENSOR = 0x0010, 0x0020, 0x0040
_SELF_TEST = 0x0080
_NO_RUN = 5
_OUTCOMES = (Outcome.CLEAR, Outcome.ALARM, Outcome.INCONCLUSIVE, Outcome.ABORTED)
_RUN_CAUSES = (
    Cause.NONE,
    Cause.NONE,  # aborted by the operator: nothing is wrong with the device
    Cause.SATURATED,
    Cause.UNCALIBRATED,
    Cause.FAULT,
    Cause.CONTAMINATED,
    Cause.NO_REACTANT,
)
_STATE_CAUSES = MappingProxyType(
    {_WARMING_UP: Cause.WARMING_UP, _BAKE_OUT: Cause.CONTAMINATED, _FAULT: Cause.SELF_TEST_FAILED}
)
_CONDITIONS = (
    (Level.FULL, Cause.NONE),
    (Level.NONE, Cause.CALIBRATING),
    (Level.NONE, Cause.UNCALIBRATED),
    (Level.DEGRADED, Cause.CONTAMINATED),
    (Level.NONE, Cause.NO_REACTANT),
    (Level.NONE, Cause.NOT_CONNECTED),
)


class Instrument:
    """What is known of one instrument since the link was opened; messages in, samples and faults out.

    `questions` collects what should be asked because of a message.
    """

    def __init__(self, recover_window: float) -> None:
        """`recover_window`: the last run is still reported when it ended at most so many seconds ago."""
        self.questions: set[Kind] = set()
        self._recover_window = recover_window
        self._state: State | None = None
        self._alarms: dict[str, tuple[bool, str]] = {}
        self._facts: tuple[tuple[str, str], ...] = ()
        self._ident_said: Ident | None = None
        self._run: int | None = None
        self._run_over = False
        self._scans = 0
        self._reported: int | None = None

    @property
    def identified(self) -> bool:
        """IDENT has arrived."""
        return bool(self._facts)

    def read(self, message: Message, *, asked: bool) -> Iterator[Sample | ProtocolError]:
        """One message; `asked`: it answers a request, so a run in it may be an old one."""
        match message:
            case Ident():
                yield from self._ident(message, asked=asked)
            case State():
                yield from self._read_state(message)
            case Environment():
                yield from self._gas(message.temperature, message.pressure)
                yield Measurement("humidity", message.humidity, *self._trust(_HUMIDITY_SENSOR))
            case ScanRecord():
                yield from self._scan(message)
            case RunStart() | RunEnd():
                yield from self._read_run(message, asked=asked)
            case Heartbeat() | Answer():
                yield from self._read_link(message)

    def _read_run(self, message: RunStart | RunEnd, *, asked: bool) -> Iterator[Sample | ProtocolError]:
        if isinstance(message, RunEnd):
            yield from self._run_end(message, asked=asked)
            return
        yield from self._lost_run()
        self._run, self._scans, self._run_over = message.run, 0, False
        yield Trigger("sample")

    def _read_link(self, message: Heartbeat | Answer) -> Iterator[Sample | ProtocolError]:
        if isinstance(message, Heartbeat):
            if self._state is None or message.state != self._state.state:
                self.questions.add(Kind.GET_STATE)
            return
        if message.request != Kind.GET_LAST_RUN or message.reason != _NO_RUN:
            yield from _refusal(message)
        elif self._run_over:
            yield from self._lost_run()

    def _lost_run(self) -> Iterator[Result]:
        """A run began, and the instrument knows nothing of its end: it restarted, or started another."""
        if self._run is not None:
            yield Result(Outcome.ABORTED, str(self._run), cause=Cause.FAULT)
        self._run, self._run_over = None, False

    def silent(self) -> Iterator[Sample]:
        """The device says nothing any more: what it could detect is not known, and silence is not "clear"."""
        self._state = None
        return (Capability(group, Level.NONE, Cause.STALE) for group in GROUPS)

    def _ident(self, ident: Ident, *, asked: bool) -> Iterator[Sample]:
        """Who it is, when that is news. Unasked, IDENT means that the instrument has started anew."""
        if not asked:
            yield from self._lost_run()
            self._state = None
            self.questions.add(Kind.GET_STATE)
        self._ident_said = ident
        facts = _facts(ident)
        if facts != self._facts:
            self._facts = facts
            yield Identity(facts)

    def _read_state(self, state: State) -> Iterator[Sample]:
        self._state = state
        yield Measurement("state", state.state, label=STATES[state.state])
        if state.progress != NO_VALUE:
            yield Measurement("progress", state.progress)
        yield Measurement("swabs", state.swabs)
        yield Measurement("desiccant", state.desiccant)
        yield Measurement("dopant", state.dopant)
        for index, group in enumerate(GROUPS):
            yield self._capability(state, index)
            yield from self._standing(group, active=bool(state.alarms >> index & 1))
        self._run_over = state.state != _SAMPLING and self._run is not None
        if self._run_over:
            self.questions.add(Kind.GET_LAST_RUN)

    def _capability(self, state: State, index: int) -> Capability:
        level, why = _CONDITIONS[state.conditions[index]]
        if (cause := _STATE_CAUSES.get(state.state)) is not None:
            level, why = Level.NONE, cause
        elif level is Level.FULL and state.faults:
            level, why = Level.DEGRADED, Cause.SELF_TEST_FAILED if state.faults & _SELF_TEST else Cause.FAULT
        return Capability(GROUPS[index], level, why)

    def _standing(self, group: str, *, active: bool) -> Iterator[DeviceAlarm]:
        """The alarm as it stands on the instrument's display; an edge, or the first word on it."""
        known = self._alarms.get(group)
        if known is None or known[0] != active:
            self._alarms[group] = (active, "")
            yield DeviceAlarm(group, active)

    def _trust(self, sensor: int) -> tuple[Quality, Cause]:
        broken = self._state is not None and bool(self._state.faults & sensor)
        return (Quality.BAD, Cause.FAULT) if broken else (Quality.GOOD, Cause.NONE)

    def _gas(self, temperature: float, pressure: float) -> Iterator[Measurement]:
        kelvin = round(temperature - _ZERO_CELSIUS, 3)
        yield Measurement("drift-temperature", kelvin, *self._trust(_TEMPERATURE_SENSOR))
        yield Measurement("pressure", pressure, *self._trust(_PRESSURE_SENSOR))

    def _scan(self, scan: ScanRecord) -> Iterator[Sample]:
        """The gas at the scan, then the scan itself."""
        self._scans += scan.run != 0 and scan.run == self._run
        yield from self._gas(scan.temperature, scan.pressure)
        quality, cause = self._scan_trust(scan)
        axis = Axis(Unit.MILLISECOND, scan.step, scan.start)
        yield Spectrum(
            "plasmagram",
            scan.points,
            Layout.U16LE,
            axis,
            mode=scan.polarity,
            quality=quality,
            cause=cause,
            run=str(scan.run) if scan.run else "",
            index=scan.index if scan.run else None,
            idle=scan.idle,
            drift=None if self._ident_said is None else _drift(self._ident_said, scan),
        )

    def _scan_trust(self, scan: ScanRecord) -> tuple[Quality, Cause]:
        """A scan is as good as what the instrument says of itself and of that polarity."""
        if scan.saturated:
            return Quality.BAD, Cause.SATURATED
        if self._state is None:
            return Quality.UNCERTAIN, Cause.STALE
        capability = self._capability(self._state, POLARITIES.index(scan.polarity))
        if self._state.state == _BAKE_OUT or capability.level is Level.DEGRADED:
            return Quality.UNCERTAIN, capability.cause
        return (Quality.GOOD if capability.level is Level.FULL else Quality.BAD), capability.cause

    def _run_end(self, end: RunEnd, *, asked: bool) -> Iterator[Sample | ProtocolError]:
        """Report a run once. One that was not seen from its beginning may have been reported over an earlier link."""
        watched = end.run == self._run
        if watched and self._scans < end.scans:
            yield ProtocolError(Reason.SEQUENCE, f"run {end.run}: {self._scans} of {end.scans} scans arrived")
        if watched:
            self._run = None
        if not asked or self._run_over:
            yield from self._lost_run()
        old = asked and not watched
        if end.run == self._reported or (old and end.age > self._recover_window):
            return
        self._reported = end.run
        yield Stored(str(end.run), end.age, _result(end)) if old else _result(end)
        for number, group in enumerate(GROUPS, start=1):
            if not old or self._alarms.get(group, (False, ""))[0]:
                yield from self._alarm(end, number, group)

    def _alarm(self, end: RunEnd, number: int, group: str) -> Iterator[DeviceAlarm]:
        """A group is raised with the names and the strongest amplitude; it is the state that takes it back."""
        alarmed = [peak for peak in end.peaks if peak.alarmed and peak.group == number]
        text = ", ".join(dict.fromkeys(peak.name or "unidentified" for peak in alarmed))
        if alarmed and self._alarms.get(group) != (True, text):
            self._alarms[group] = (True, text)
            yield DeviceAlarm(group, active=True, text=text, value=max(float(peak.amplitude) for peak in alarmed))


def _facts(ident: Ident) -> tuple[tuple[str, str], ...]:
    facts = [("model", ident.model), ("serial", ident.serial), ("firmware", ident.firmware)]
    facts += [("library", ident.library), ("drift-length", f"{ident.length:g} mm")]
    facts.append(("drift-voltage", f"{ident.voltage:g} V"))
    for peak in ident.references:
        role = f"{'calibrant' if peak.calibrant else 'reactant-ion'}-{peak.polarity}"
        facts += [(role, peak.name), (f"{role}-k0", f"{peak.k0:g}")]
    return tuple(facts)


def _drift(ident: Ident, scan: ScanRecord) -> Drift | None:
    """What a K0 is computed relative to; None when the instrument names no calibrant of that polarity."""
    own = (peak for peak in ident.references if peak.calibrant and peak.polarity == scan.polarity)
    peak = next(own, None)
    if peak is None:
        return None
    return Drift(ident.length / 10, ident.voltage, scan.temperature, scan.pressure, peak.name, peak.k0)


def _result(end: RunEnd) -> Result:
    """The run as the instrument judged it; sample id = run id, which the instrument never uses twice."""
    peaks = tuple(
        Peak(peak.name, peak.k0, Unit.REDUCED_MOBILITY, float(peak.amplitude), peak.confidence) for peak in end.peaks
    )
    cause = _RUN_CAUSES[end.cause]
    return Result(_OUTCOMES[end.outcome], str(end.run), end.duration, peaks, cause, end.scans)


def _refusal(answer: Answer) -> Iterator[ProtocolError]:
    if answer.reason:
        yield ProtocolError(Reason.REJECTED, f"request {answer.request:#04x}, reason {answer.reason}")
