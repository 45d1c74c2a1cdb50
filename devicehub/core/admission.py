"""What a sample must be before it goes further: declared, of the declared kind, and of one piece.

A driver that yields anything else has a bug, and is told so at its own session, where it harms nobody
else. What a device may send at any time (a value that is no number, an impossible one) is no bug:
that is the core's business.
"""

import re
from collections.abc import Sequence
from math import isfinite

from devicehub.driver import Driver
from devicehub.model.device import ChannelKind
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
    Trigger,
)

_KINDS = {
    Measurement: (ChannelKind.MEASUREMENT, ChannelKind.STATE),
    Spectrum: (ChannelKind.SPECTRUM,),
    Image: (ChannelKind.IMAGE,),
    Scan: (ChannelKind.SCAN,),
}
_SIZES = {Layout.U8: 1, Layout.U16LE: 2, Layout.I16LE: 2, Layout.U32LE: 4, Layout.F32LE: 4}
_POINT = re.compile(r"[a-z0-9-]{1,64}")


class Admission:
    """Checks the samples of one driver."""

    def __init__(self, driver: Driver) -> None:
        self._channels = {channel.name: channel for channel in driver.channels}

    def check(self, sample: Sample) -> None:
        """Raises `ValueError` for a sample that no driver may yield."""
        match sample:
            case Measurement():
                self._declared(sample)
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
                sample.symbology.encode()
            case _:
                _check_notice(sample)

    def _declared(self, sample: Measurement | Image | Spectrum | Scan) -> None:
        channel = self._channels.get(sample.channel)
        if channel is None:
            raise ValueError(f"channel '{sample.channel}' is not declared")
        if channel.kind not in _KINDS[type(sample)]:
            raise ValueError(f"channel '{sample.channel}' is declared {channel.kind}: {type(sample).__name__} came")


def _check_image(image: Image) -> None:
    if image.width < 1 or image.height < 1:
        raise ValueError(f"image of {image.width}x{image.height} pixels")
    if image.layout is not Layout.JPEG and len(image.data) != image.width * image.height * _SIZES[image.layout]:
        raise ValueError(f"{len(image.data)} bytes are not {image.width}x{image.height} {image.layout}")
    if not (isfinite(image.gain) and isfinite(image.offset)):
        raise ValueError(f"image with gain {image.gain} and offset {image.offset}")


def _check_spectrum(spectrum: Spectrum) -> None:
    axis = spectrum.axis
    if spectrum.layout is Layout.JPEG or len(spectrum.data) % _SIZES[spectrum.layout]:
        raise ValueError(f"{len(spectrum.data)} bytes are no spectrum of {spectrum.layout}")
    if not all(map(isfinite, (axis.start, axis.step, axis.quadratic))):
        raise ValueError(f"spectrum over an axis that is no line of numbers: {axis}")
    spectrum.mode.encode()


def _check_notice(sample: Capability | Identity | Trigger | DeviceAlarm | Result) -> None:
    """Texts are Unicode (`UnicodeEncodeError` is a `ValueError`), points are topic segments, peaks stand somewhere."""
    match sample:
        case Capability() | Trigger():
            sample.name.encode()
        case Identity():
            for name, value in sample.facts:
                (name + value).encode()
        case DeviceAlarm():
            if not _POINT.fullmatch(sample.point):
                raise ValueError(f"alarm point '{sample.point}' is not of a-z, 0-9 and - alone")
            sample.text.encode()
        case Result():
            sample.sample_id.encode()
            _check_peaks(sample.peaks)


def _check_peaks(peaks: Sequence[Peak]) -> None:
    for peak in peaks:
        peak.name.encode()
        if not (isfinite(peak.position) and isfinite(peak.amplitude)):
            raise ValueError(f"peak '{peak.name}' of {peak.amplitude} at {peak.position}")
