"""What the answers of an ACI photoionisation module mean. The wire is described in `aci_pids3.py`.

Bits of the error word: ACI "PIDS3 User Manual (en) 1.03" page 38. The level is what is left of the
detection of vapour: a lamp or sensor fault takes all of it, a missing humidity correction or a
worn pump a part; relays and the current loop are not used by a reader of the UART, but call for maintenance.
"""

import math
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from devicehub.model.alarm import AlarmCategory
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Capability, Cause, DeviceAlarm, Identity, Level, Measurement, Quality, Sample

_FAULTS: Final = MappingProxyType(
    {
        0: ("sensor data acquisition", Level.NONE, Cause.FAULT),
        1: ("humidity sensor", Level.DEGRADED, Cause.FAULT),
        2: ("lamp function", Level.NONE, Cause.SELF_TEST_FAILED),
        3: ("lamp control", Level.NONE, Cause.FAULT),
        4: ("lamp variant", Level.NONE, Cause.FAULT),
        5: ("flow sensor", Level.DEGRADED, Cause.FAULT),
        6: ("sensor EEPROM checksum", Level.NONE, Cause.UNCALIBRATED),
        7: ("sensor EEPROM access", Level.NONE, Cause.UNCALIBRATED),
        8: ("sensor", Level.NONE, Cause.FAULT),
        10: ("sensor start", Level.NONE, Cause.FAULT),
        11: ("sensor does not answer", Level.NONE, Cause.NOT_CONNECTED),
        12: ("sensor answers wrongly", Level.NONE, Cause.FAULT),
        13: ("sensor variant", Level.NONE, Cause.FAULT),
        16: ("pump blocked", Level.NONE, Cause.BLOCKED),
        17: ("pump current", Level.DEGRADED, Cause.MAINTENANCE),
        18: ("current loop start", Level.DEGRADED, Cause.MAINTENANCE),
        19: ("current loop control", Level.DEGRADED, Cause.MAINTENANCE),
        20: ("relay ALM-LO", Level.DEGRADED, Cause.MAINTENANCE),
        21: ("relay ALM-HI", Level.DEGRADED, Cause.MAINTENANCE),
        22: ("relay ERROR", Level.DEGRADED, Cause.MAINTENANCE),
        29: ("EEPROM checksum", Level.NONE, Cause.UNCALIBRATED),
        30: ("EEPROM access", Level.NONE, Cause.UNCALIBRATED),
        31: ("unspecified", Level.NONE, Cause.FAULT),
    }
)
_FACTS: Final = MappingProxyType(
    {
        "device": "model",
        "device.software": "firmware",
        "device.hardware": "hardware",
        "device.serialno": "serial",
    }
)
_POINTS: Final = ("error-relay", "high", "low")
_SEVERITY: Final = (Level.FULL, Level.DEGRADED, Level.NONE)
_QUALITY: Final = MappingProxyType(
    {Level.FULL: Quality.GOOD, Level.DEGRADED: Quality.UNCERTAIN, Level.NONE: Quality.BAD}
)


def faults(word: int) -> list[tuple[str, Level, Cause]]:
    """The faults that an error word names, lowest bit first. A reserved bit is a fault that degrades."""
    reserved = ("", Level.DEGRADED, Cause.FAULT)
    found = [(bit, _FAULTS.get(bit, reserved)) for bit in range(32) if word >> bit & 1]
    return [(text or f"reserved bit {bit}", level, cause) for bit, (text, level, cause) in found]


class Answers:
    """Makes samples of answers. Remembers what it told last, so that capability, identity and alarms are changes."""

    def __init__(self, measure: str, field: int) -> None:
        """`measure`: name of the measurement answer; `field`: which of its `;`-separated fields is the value."""
        self._measure = measure
        self._field = field
        self._facts: dict[str, str] = {}
        self._told_facts: dict[str, str] = {}
        self._told: Capability | None = None
        self._alarms: dict[str, DeviceAlarm] = {}
        self._errors = 0
        self._warming = False
        self.measuring = False

    def samples(self, name: str, parameter: str) -> Iterator[Sample]:
        """One answer to its samples. Raises `ProtocolError`."""
        if name == self._measure:
            yield from self._concentration(parameter)
        elif name in _FACTS:
            yield from self._learn({_FACTS[name]: parameter.strip()})
        elif name == "pids.error":
            yield from self._error_word(parameter)
        elif name == "pids.measconfig":
            yield from self._configuration(parameter)
        elif name == "pids.relay.state":
            yield from self._relay_state(parameter)
        elif name == "pids.start":
            yield from self._started(parameter)
        else:
            raise ProtocolError(Reason.UNEXPECTED, f"answer to {name[:40]!r}")

    def silent(self) -> Iterator[Sample]:
        """The module answers no more."""
        self.measuring = self._warming = False
        yield from self._tell(Capability("voc", Level.NONE, Cause.NOT_CONNECTED))

    def _learn(self, facts: dict[str, str]) -> Iterator[Sample]:
        self._facts |= facts
        if "serial" in self._facts and self._facts != self._told_facts:
            self._told_facts = dict(self._facts)
            yield Identity(tuple(self._facts.items()))

    def _configuration(self, parameter: str) -> Iterator[Sample]:
        fields = parameter.split(";")
        if len(fields) != 4:
            raise ProtocolError(Reason.LENGTH, f"{len(fields)} fields of measurement settings instead of 4")
        factor = _number(fields[2])
        if factor < 0.010:
            raise ProtocolError(Reason.RANGE, "response factor below 0.010")
        yield from self._learn({"method": fields[0], "gas": fields[1], "response-factor": f"{factor:g}"})

    def _error_word(self, parameter: str) -> Iterator[Sample]:
        if len(parameter) != 8 or not set(parameter) <= set("0123456789ABCDEFabcdef"):
            raise ProtocolError(Reason.CORRUPT, "error word is not eight hexadecimal digits")
        self._errors = int(parameter, 16)
        texts = ", ".join(text for text, _, _ in faults(self._errors))
        yield from self._alarm(DeviceAlarm("fault", bool(texts), texts, category=AlarmCategory.DEVICE))
        yield from self._tell(self._capability())

    def _relay_state(self, parameter: str) -> Iterator[Sample]:
        if len(parameter) != 3 or not set(parameter) <= {"0", "1"}:
            raise ProtocolError(Reason.CORRUPT, "relay state is not three binary digits")
        for point, digit in zip(_POINTS, parameter, strict=True):
            yield from self._alarm(DeviceAlarm(point, digit == "1"))

    def _started(self, parameter: str) -> Iterator[Sample]:
        if parameter != "ok":
            raise ProtocolError(Reason.REJECTED, f"pids.start: {parameter[:60]}")
        self._warming, self.measuring = True, False
        yield from self._tell(self._capability())

    def _concentration(self, parameter: str) -> Iterator[Sample]:
        if parameter.startswith("error"):
            self.measuring = False
            yield from self._tell(self._capability())
            return
        fields = parameter.split(";")
        if len(fields) <= self._field:
            raise ProtocolError(Reason.LENGTH, f"{len(fields)} fields in the measurement, none at {self._field}")
        value = _number(fields[self._field])
        self.measuring, self._warming = True, False
        capability = self._capability()
        yield from self._tell(capability)
        yield Measurement("voc", value, _QUALITY[capability.level], capability.cause)

    def _capability(self) -> Capability:
        found = faults(self._errors)
        level = max((level for _, level, _ in found), key=_SEVERITY.index, default=Level.FULL)
        cause = next((cause for _, at, cause in found if at is level), Cause.NONE)
        if level is Level.NONE or self.measuring:
            return Capability("voc", level, cause)
        return Capability("voc", Level.NONE, Cause.WARMING_UP if self._warming else Cause.STALE)

    def _tell(self, capability: Capability) -> Iterator[Sample]:
        if capability != self._told:
            self._told = capability
            yield capability

    def _alarm(self, alarm: DeviceAlarm) -> Iterator[Sample]:
        if self._alarms.get(alarm.point) != alarm:
            self._alarms[alarm.point] = alarm
            yield alarm


def _number(text: str) -> float:
    """A finite number. Raises `ProtocolError`."""
    try:
        value = float(text)
    except ValueError:
        raise ProtocolError(Reason.CORRUPT, f"{text[:20]!r} is not a number") from None
    if not math.isfinite(value):
        raise ProtocolError(Reason.RANGE, f"{text[:20]!r} is not finite")
    return value
