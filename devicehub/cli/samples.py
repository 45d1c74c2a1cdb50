"""Decoded samples as JSON values: exact numbers, pixels and spectra by their figures and digest."""

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from devicehub.core.measure import checked
from devicehub.driver import Driver
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import (
    Capability,
    DeviceAlarm,
    Identity,
    Image,
    Layout,
    Measurement,
    Radiometric,
    Result,
    Sample,
    Scan,
    Spectrum,
    Stored,
    Trigger,
)

Json = dict[str, object]
_TYPES = {Layout.U8: "u1", Layout.U16LE: "<u2", Layout.I16LE: "<i2", Layout.U32LE: "<u4", Layout.F32LE: "<f4"}


def sample_json(sample: Sample, driver: Driver) -> Json:
    """One sample, as bad as the hub would call it. Optional facts are left out when they are absent."""
    if isinstance(sample, Measurement | Image | Spectrum | Scan):
        return _on_channel(sample, driver)
    if isinstance(sample, Stored):
        origin: Json = {"record": sample.record, "age": sample.age}
        return sample_json(sample.sample, driver) | {"stored": origin | _present({"clock": sample.clock})}
    return _notice(sample)


def fault_json(fault: ProtocolError) -> Json:
    """One refusal of bytes."""
    return {"fault": str(fault.reason), "detail": fault.detail}


def _on_channel(sample: Measurement | Image | Spectrum | Scan, driver: Driver) -> Json:
    channel = driver.channel(sample.channel)
    match sample:
        case Measurement():
            sample = checked(sample, channel)
            facts = _measurement(sample, str(channel.unit))
        case Image():
            facts = _image(sample, str(channel.unit))
        case Spectrum():
            facts = _spectrum(sample, str(channel.unit))
        case Scan():
            text = sample.data.decode("utf-8", errors="replace")
            facts = {"symbology": sample.symbology, "text": text, "hex": sample.data.hex()}
    always = {"channel": sample.channel, "kind": str(channel.kind)}
    quality: Json = {"cause": str(sample.cause), "device_time": sample.device_time}
    return always | facts | {"quality": str(sample.quality)} | _present(quality)


def _present(facts: Json) -> Json:
    return {name: fact for name, fact in facts.items() if fact is not None and fact != ""}


def _measurement(sample: Measurement, unit: str) -> Json:
    facts: Json = {"label": sample.label, "uncertainty": sample.uncertainty, "confidence": sample.confidence}
    return {"value": _number(sample.value), "unit": unit} | _present(facts)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _image(image: Image, unit: str) -> Json:
    facts: Json = {"width": image.width, "height": image.height, "layout": str(image.layout)}
    if not image.layout.encoded:
        pixels = _values(image.data, image.layout) * image.gain + image.offset
        # Counts that are no temperatures have no unit.
        facts |= _figures(pixels) | ({} if image.radiometric is Radiometric.NONE else {"unit": unit})
    facts |= {"bytes": len(image.data), "digest": _digest(image.data), "radiometric": str(image.radiometric)}
    facts |= {"shutter": str(image.shutter)}
    return facts | _present({"emissivity": image.emissivity, "counter": image.counter})


def _spectrum(spectrum: Spectrum, unit: str) -> Json:
    values = _values(spectrum.data, spectrum.layout)
    axis = {"unit": str(spectrum.axis.unit), "start": spectrum.axis.start, "step": spectrum.axis.step}
    facts: Json = {"n": len(values), "layout": str(spectrum.layout), **_figures(values), "unit": unit, "axis": axis}
    said: Json = {"mode": spectrum.mode, "live_time": spectrum.live_time, "defects": list(spectrum.defects) or None}
    return facts | {"digest": _digest(spectrum.data)} | _present(said)


def _values(data: bytes, layout: Layout) -> NDArray[np.float64]:
    return np.frombuffer(data, _TYPES[layout]).astype(np.float64)


def _figures(values: NDArray[np.float64]) -> Json:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return {"min": None, "mean": None, "max": None}
    return {name: round(float(value), 6) for name, value in _extremes(finite)}


def _extremes(values: NDArray[np.float64]) -> list[tuple[str, np.float64]]:
    return [("min", values.min()), ("mean", values.mean()), ("max", values.max())]


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _notice(sample: Capability | Identity | Trigger | DeviceAlarm | Result) -> Json:
    match sample:
        case Capability():
            return {"capability": sample.name, "level": str(sample.level)} | _present({"cause": str(sample.cause)})
        case Identity():
            return {"identity": dict(sample.facts)}
        case Trigger():
            return {"trigger": sample.name} | _present({"note": sample.note})
        case DeviceAlarm():
            return {"alarm": sample.point, "active": sample.active} | _present(
                {"text": sample.text, "value": sample.value}
            )
        case Result():
            peaks = [
                {"name": peak.name, "position": peak.position, "unit": str(peak.unit), "amplitude": peak.amplitude}
                for peak in sample.peaks
            ]
            facts: Json = {"sample": sample.sample_id, "duration": sample.duration, "cause": str(sample.cause)}
            named = [one.name for one in sample.identified]
            facts |= {"identified": named or None, "note": sample.note, "operator": sample.operator}
            facts |= {"device_time": sample.device_time, "defects": list(sample.defects) or None}
            return {"result": str(sample.outcome), "peaks": peaks} | _present(facts)
