"""What a sample must be before it goes further: declared, of the declared kind, and of one piece.

A driver that yields anything else has a bug, and is told so at its own session, where it harms nobody
else. What a device may send at any time (a value that is no number, an impossible one) is no bug:
that is the core's business. What cannot be encoded (a number of numpy's, an integer beyond 64 bits, a
text that is not Unicode) is one: it would be noticed only when it is to be stored, by all devices at once.
"""

from collections.abc import Sequence
from math import isfinite

from devicehub.driver import Driver
from devicehub.model.alarm import Condition
from devicehub.model.device import ChannelKind
from devicehub.model.drift import Drift
from devicehub.model.reading import (
    Capability,
    DeviceAlarm,
    Identity,
    Image,
    Layout,
    Measurement,
    Peak,
    Result,
    Sample,
    Scan,
    Spectrum,
    Stored,
    Trigger,
)
from devicehub.model.segment import SEGMENT

_KINDS = {
    Measurement: (ChannelKind.MEASUREMENT, ChannelKind.STATE),
    Spectrum: (ChannelKind.SPECTRUM,),
    Image: (ChannelKind.IMAGE,),
    Scan: (ChannelKind.SCAN,),
}
_SIZES = {Layout.U8: 1, Layout.U16LE: 2, Layout.I16LE: 2, Layout.U32LE: 4, Layout.F32LE: 4}
_INTEGER_MOST = 2**63
DETECTED = "detected-"
RECORD_MOST = 128


class Admission:
    """Checks the samples of one driver."""

    def __init__(self, driver: Driver) -> None:
        self._channels = {channel.name: channel for channel in driver.channels}

    def check(self, sample: Sample) -> None:
        """Raises `ValueError` for a sample that no driver may yield."""
        match sample:
            case Measurement():
                self._declared(sample)
                _check_numbers(sample.value, sample.uncertainty, sample.confidence, sample.device_time)
                sample.label.encode()
                channel = self._channels[sample.channel]
                if channel.kind is ChannelKind.STATE and sample.label not in channel.states:
                    raise ValueError(f"channel '{sample.channel}' has no state '{sample.label}'")
            case Image():
                self._declared(sample)
                _check_image(sample)
            case Spectrum():
                self._declared(sample)
                _check_spectrum(sample)
            case Scan():
                self._declared(sample)
                _check_numbers(sample.device_time)
                sample.symbology.encode()
            case Stored():
                if not (isfinite(sample.age) and sample.age >= 0 and 0 < len(sample.record.encode()) <= RECORD_MOST):
                    raise ValueError(f"record '{sample.record[:RECORD_MOST]}' that is {sample.age} s old")
                _check_numbers(sample.age, sample.clock)
                self.check(sample.sample)
            case _:
                _check_notice(sample)

    def _declared(self, sample: Measurement | Image | Spectrum | Scan) -> None:
        channel = self._channels.get(sample.channel)
        if channel is None:
            raise ValueError(f"channel '{sample.channel}' is not declared")
        if channel.kind not in _KINDS[type(sample)]:
            raise ValueError(f"channel '{sample.channel}' is declared {channel.kind}: {type(sample).__name__} came")


def _check_numbers(*values: object) -> None:
    """Floats and integers of Python's own, of at most 64 bits. `bool` and numpy's scalars are none."""
    for value in values:
        kind = type(value)
        if value is None or kind is float or (isinstance(value, int) and kind is int and abs(value) < _INTEGER_MOST):
            continue
        raise ValueError(f"{value!r} of type {kind.__name__} is no number that can be published")


def _check_image(image: Image) -> None:
    _check_numbers(image.width, image.height, image.gain, image.offset)
    _check_numbers(image.emissivity, image.counter, image.device_time)
    image.run.encode()
    if image.width < 1 or image.height < 1:
        raise ValueError(f"image of {image.width}x{image.height} pixels")
    if not image.layout.encoded and len(image.data) != image.width * image.height * _SIZES[image.layout]:
        raise ValueError(f"{len(image.data)} bytes are not {image.width}x{image.height} {image.layout}")
    if not (isfinite(image.gain) and image.gain > 0 and isfinite(image.offset)):
        raise ValueError(f"image with gain {image.gain} and offset {image.offset}")


def _check_spectrum(spectrum: Spectrum) -> None:
    axis = spectrum.axis
    _check_numbers(axis.start, axis.step, axis.quadratic, spectrum.live_time, spectrum.device_time)
    if spectrum.layout.encoded or len(spectrum.data) % _SIZES[spectrum.layout]:
        raise ValueError(f"{len(spectrum.data)} bytes are no spectrum of {spectrum.layout}")
    if not all(map(isfinite, (axis.start, axis.step, axis.quadratic))):
        raise ValueError(f"spectrum over an axis that is no line of numbers: {axis}")
    "".join((spectrum.mode, spectrum.run, *spectrum.defects)).encode()
    _check_numbers(spectrum.index)
    if spectrum.drift is not None:
        _check_drift(spectrum.drift)


def _check_drift(drift: Drift) -> None:
    given = (drift.length_cm, drift.voltage, drift.kelvin, drift.hectopascal, drift.calibrant_k0)
    _check_numbers(*given)
    if not all(map(isfinite, given)):
        raise ValueError(f"plasmagram of a tube that is no set of numbers: {drift}")
    drift.calibrant.encode()


def _check_notice(sample: Capability | Identity | Trigger | DeviceAlarm | Result) -> None:
    """Texts are Unicode (`UnicodeEncodeError` is a `ValueError`), points are topic segments, peaks stand somewhere."""
    _texts(sample).encode()
    match sample:
        case DeviceAlarm():
            if not SEGMENT.fullmatch(sample.point):
                raise ValueError(f"alarm point '{sample.point}' is not of a-z, 0-9 and - alone")
            if sample.condition is not Condition.DEVICE or sample.point.startswith(DETECTED):
                raise ValueError(f"alarm '{sample.point}' of condition {sample.condition} is the hub's own to raise")
            _check_numbers(sample.value)
        case Result():
            _check_result(sample)
        case _:
            pass


def _texts(sample: Capability | Identity | Trigger | DeviceAlarm | Result) -> str:
    match sample:
        case Capability():
            return sample.name
        case Trigger():
            return sample.name + sample.note
        case Identity():
            return "".join(name + value for name, value in sample.facts)
        case DeviceAlarm():
            return sample.text
        case Result():
            return sample.note


def _check_result(result: Result) -> None:
    confidences = [one.confidence for one in result.identified]
    _check_numbers(result.duration, result.scans, result.device_time, *confidences)
    named = [text for one in result.identified for text in (one.name, one.group)]
    "".join((result.sample_id, result.note, result.operator, *result.defects, *named)).encode()
    _check_peaks(result.peaks)


def _check_peaks(peaks: Sequence[Peak]) -> None:
    for peak in peaks:
        _check_numbers(peak.position, peak.amplitude, peak.confidence)
        peak.name.encode()
        if not (isfinite(peak.position) and isfinite(peak.amplitude)):
            raise ValueError(f"peak '{peak.name}' of {peak.amplitude} at {peak.position}")
