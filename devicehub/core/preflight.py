"""What of a device is in order before a shift, by what was published of it and what the site says it needs. Pure.

Whatever nobody can tell is unknown, and never passed.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from math import isfinite
from typing import Final, NamedTuple

from msgspec.structs import replace

from devicehub.core.published import Published
from devicehub.core.verdicts import in_full
from devicehub.model.device import DeviceState
from devicehub.model.payload import (
    AnyPayload,
    CapabilityData,
    DescribeData,
    FrameData,
    PreflightCheckData,
    ReadingData,
    ResultData,
)
from devicehub.model.preflight import CheckKind, CheckReason, CheckVerdict, KnownSample, Needs, PreflightOutcome
from devicehub.model.reading import Cause, Level, Quality
from devicehub.model.units import Unit

_STATISTICS: Final = ("min", "mean", "max", "p95")


class Today(NamedTuple):
    """The date, ISO 8601, UTC. `sure`: False where the clock that it is of is known not to be synchronised."""

    date: str
    sure: bool


def checks(device: str, known: Published, needs: Needs | None, today: Today) -> Iterator[PreflightCheckData]:
    """All of a device but its known sample. `needs`: None where the site says nothing."""
    given = Needs() if needs is None else needs
    found = [_state(device, known), *_detection(device, known), _self_test(device, known)]
    if needs is None:
        found += [_unconfigured(device, kind) for kind in (CheckKind.CONSUMABLE, CheckKind.CALIBRATION)]
    found += _consumables(device, known, given)
    if given.due:
        found.append(_calibration(device, given.due, today))
    yield from (waived(one, given) for one in found)


def sample_unconfigured(device: str) -> PreflightCheckData:
    """Nobody has said which sample a device can be shown."""
    return _unconfigured(device, CheckKind.SAMPLE)


def sample_missed(device: str, sample: KnownSample, why: CheckReason) -> PreflightCheckData:
    """Not found in its time, or not shown at all, of which nobody knows what would have come."""
    unknown = why in {CheckReason.NOT_SHOWN, CheckReason.ENDED}
    verdict = CheckVerdict.UNKNOWN if unknown else CheckVerdict.FAILED
    return PreflightCheckData(device, CheckKind.SAMPLE, verdict, sample.name, why)


def sample_read(device: str, sample: KnownSample) -> PreflightCheckData:
    """The text was read as it is."""
    return PreflightCheckData(device, CheckKind.SAMPLE, CheckVerdict.PASSED, sample.name)


def sample_found(device: str, sample: KnownSample, point: str, data: AnyPayload | None) -> PreflightCheckData | None:
    """That a known sample was found, by something that was published of the device's `point`; None if it was not."""
    found = PreflightCheckData(device, CheckKind.SAMPLE, CheckVerdict.PASSED, sample.name)
    match data:
        case ResultData() if not data.historical:
            names = (*(one.name for one in data.peaks), *(one.substance for one in data.peaks))
            named = {*names, *(one.name for one in data.identified)}
            right = data.outcome is sample.outcome and (not sample.finding or sample.finding in named)
            return replace(found, detail=", ".join(sorted(named - {""}))) if right else None
        case ReadingData() if not data.historical and data.quality is Quality.GOOD:
            right = sample.channel == (data.channel or point)
            return _measured(found, sample, data.value, data.unit) if right else None
        case FrameData() if data.quality is Quality.GOOD:
            statistic = sample.channel.partition(".")[2]
            value = getattr(data, statistic) if statistic in _STATISTICS else None
            return _measured(found, sample, value, data.unit)
        case tuple():
            each = (sample_found(device, sample, point, one) for one in data)
            return next((one for one in each if one is not None), None)
        case _:
            return None


def outcome_of(found: Sequence[PreflightCheckData]) -> PreflightOutcome:
    """What the checks come to."""
    verdicts = {one.verdict for one in found}
    if CheckVerdict.FAILED in verdicts:
        return PreflightOutcome.FAILED
    unknown = CheckVerdict.UNKNOWN in verdicts or not verdicts
    return PreflightOutcome.INCOMPLETE if unknown else PreflightOutcome.PASSED


def waived(one: PreflightCheckData, needs: Needs) -> PreflightCheckData:
    """The same; an unknown one that the site does without is said to be waived."""
    does_without = one.verdict is CheckVerdict.UNKNOWN and one.check in needs.waived
    return replace(one, verdict=CheckVerdict.WAIVED) if does_without else one


def _state(device: str, known: Published) -> PreflightCheckData:
    state = known.states.get(device)
    if state is not None and state.state is DeviceState.READY:
        return PreflightCheckData(device, CheckKind.STATE, CheckVerdict.PASSED)
    said = "" if state is None else f"{state.state}: {state.why}" if state.why else str(state.state)
    return PreflightCheckData(device, CheckKind.STATE, CheckVerdict.FAILED, reason=CheckReason.NOT_READY, detail=said)


def _detection(device: str, known: Published) -> Iterator[PreflightCheckData]:
    """What it is there to detect, each by itself; one that says full and names a cause has said both."""
    abilities = known.abilities.get(device, CapabilityData(()))
    if not abilities.capabilities:
        yield PreflightCheckData(device, CheckKind.DETECTION, CheckVerdict.UNKNOWN, reason=CheckReason.NOT_TOLD)
    for one in abilities.capabilities:
        if in_full(one.level, one.cause):
            yield PreflightCheckData(device, CheckKind.DETECTION, CheckVerdict.PASSED, one.name)
        else:
            yield PreflightCheckData(
                device, CheckKind.DETECTION, CheckVerdict.FAILED, one.name, CheckReason.NOT_IN_FULL, one.cause
            )


def _self_test(device: str, known: Published) -> PreflightCheckData:
    """Passed only where its driver can tell that it failed, and it detects something in full."""
    found = known.abilities.get(device, CapabilityData(())).capabilities
    described = known.described.get(device)
    if any(one.cause is Cause.SELF_TEST_FAILED for one in found):
        return PreflightCheckData(device, CheckKind.SELF_TEST, CheckVerdict.FAILED, reason=CheckReason.SELF_TEST_FAILED)
    tells = described is not None and described.self_tests
    if tells and any(one.level is Level.FULL for one in found):
        return PreflightCheckData(device, CheckKind.SELF_TEST, CheckVerdict.PASSED)
    why = CheckReason.NOT_IN_FULL if tells else CheckReason.NOT_TOLD
    return PreflightCheckData(device, CheckKind.SELF_TEST, CheckVerdict.UNKNOWN, reason=why)


def _consumables(device: str, known: Published, needs: Needs) -> Iterator[PreflightCheckData]:
    units = _units(known.described.get(device))
    ready = (state := known.states.get(device)) is not None and state.state is DeviceState.READY
    values = known.values.get(device, {}) if ready else {}
    for channel, least in needs.consumables:
        value = values.get(channel)
        one = PreflightCheckData(
            device, CheckKind.CONSUMABLE, CheckVerdict.PASSED, channel, least=least, unit=units.get(channel)
        )
        if isinstance(value, str) or value is None or not isfinite(value):
            yield replace(one, verdict=CheckVerdict.UNKNOWN, reason=CheckReason.NO_VALUE)
        elif value < least:
            yield replace(one, verdict=CheckVerdict.FAILED, reason=CheckReason.TOO_LITTLE, value=value)
        else:
            yield replace(one, value=value)


def _units(described: DescribeData | None) -> dict[str, Unit]:
    return {} if described is None else {channel.name: channel.unit for channel in described.channels}


def _calibration(device: str, due: str, today: Today) -> PreflightCheckData:
    """By a clock that may be wrong, what is overdue has failed and nothing has passed."""
    one = PreflightCheckData(device, CheckKind.CALIBRATION, CheckVerdict.PASSED, due=due)
    if date.fromisoformat(today.date) > date.fromisoformat(due):
        return replace(one, verdict=CheckVerdict.FAILED, reason=CheckReason.OVERDUE)
    return one if today.sure else replace(one, verdict=CheckVerdict.UNKNOWN, reason=CheckReason.CLOCK_UNSURE)


def _unconfigured(device: str, kind: CheckKind) -> PreflightCheckData:
    return PreflightCheckData(device, kind, CheckVerdict.UNKNOWN, reason=CheckReason.NOT_CONFIGURED)


def _measured(
    found: PreflightCheckData, sample: KnownSample, value: float | None, unit: Unit
) -> PreflightCheckData | None:
    if value is None or not sample.low <= value <= sample.high:
        return None
    ends = (sample.low if isfinite(sample.low) else None, sample.high if isfinite(sample.high) else None)
    return replace(found, value=value, unit=unit, least=ends[0], most=ends[1])
