"""Property tests of the reference trace detector's wire: the driver's decoder against the simulator's encoder."""

import struct
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Outcome, Quality, Result, Sample, Spectrum
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from drivers.trace._ims_reference_messages import parse
from drivers.trace._ims_reference_wire import Envelope, Kind, request
from simulators.trace import _ims_reference_wire as wire
from tests.conformance import chunked

names = st.text(st.characters(codec="ascii", min_codepoint=0x20, max_codepoint=0x7E), max_size=32)
mobilities = st.integers(200_000, 5_000_000).map(lambda value: value / 1e6)
gases = st.builds(
    wire.Gas,
    st.integers(200_000, 600_000).map(lambda value: value / 1e3),
    st.integers(30_000, 120_000).map(lambda value: value / 1e2),
    st.integers(0, 10_000).map(lambda value: value / 1e2),
)
peaks = st.builds(
    wire.Peak, st.integers(0, 1), st.integers(0, 4), st.booleans(), st.integers(0, 100), mobilities,
    st.integers(0, 0xFFFFFFFF), names,
)  # fmt: skip
verdicts = st.builds(wire.Verdict, st.integers(0, 3), st.integers(0, 6), st.lists(peaks, max_size=16).map(tuple))
AIR = wire.Gas(383.0, 1008.0, 4.0)
TNT = wire.Peak(0, 1, alarmed=True, confidence=80, k0=1.451, amplitude=9, name="TNT")
traces = st.lists(st.integers(0, 65535), min_size=2, max_size=300)


def hear(*frames: bytes) -> tuple[list[Sample], list[ProtocolError]]:
    """What a fresh driver makes of these frames in one piece."""
    protocol = load_driver("trace.ims_reference").open({})
    protocol.start(0.0)
    step = protocol.on_packet(0.0, Packet(b"".join(frames)))
    return list(step.samples), list(step.faults)


def scan(points: list[int], polarity: int = 0, flags: int = 0, gas: wire.Gas = AIR) -> bytes:
    """A SCAN payload on the usual axis."""
    data = struct.pack(f"<{len(points)}H", *points)
    return wire.Scan(
        polarity=polarity,
        flags=flags,
        index=0,
        run=0,
        start=2e-3,
        interval=10e-6,
        gate=2e-4,
        gas=gas,
        pulses=8,
        points=data,
    ).pack()


def test_both_checksums_have_the_published_check_value() -> None:
    assert wire.crc(b"123456789") == 0x29B1


@given(points=traces, polarity=st.integers(0, 1), gas=gases)
@settings(deadline=None)
def test_a_scan_comes_through_point_by_point_with_its_axis_and_gas(
    points: list[int], polarity: int, gas: wire.Gas
) -> None:
    samples, faults = hear(wire.frame(wire.SCAN, 0, scan(points, polarity, gas=gas)))
    temperature, pressure, spectrum = samples
    assert isinstance(temperature, Measurement)
    assert isinstance(pressure, Measurement)
    assert isinstance(spectrum, Spectrum)
    assert list(struct.unpack(f"<{len(points)}H", spectrum.data)) == points
    assert spectrum.mode == ("negative", "positive")[polarity]
    assert (spectrum.axis.start, spectrum.axis.step) == (2.0, 0.01)
    assert temperature.value == pytest.approx(gas.temperature - 273.15, abs=1e-6)
    assert pressure.value == pytest.approx(gas.pressure, abs=1e-6)
    assert not faults


def test_two_thousand_points_are_the_most() -> None:
    samples, faults = hear(wire.frame(wire.SCAN, 0, scan([7] * 2000)))
    (spectrum,) = (sample for sample in samples if isinstance(sample, Spectrum))
    assert spectrum.data == b"\x07\x00" * 2000
    assert not faults
    samples, faults = hear(wire.frame(wire.SCAN, 0, scan([7] * 2001)))
    assert not samples
    assert [fault.reason for fault in faults] == [Reason.RANGE]


def test_a_saturated_scan_may_raise_an_alarm_and_never_clears_one() -> None:
    samples, _ = hear(wire.frame(wire.STATE, 0, wire.State(1).pack()), wire.frame(wire.SCAN, 1, scan([1, 2], flags=1)))
    (spectrum,) = (sample for sample in samples if isinstance(sample, Spectrum))
    assert (spectrum.quality, str(spectrum.cause)) == (Quality.BAD, "saturated")


@given(verdict=verdicts, run=st.integers(1, 0xFFFFFFFF), milliseconds=st.integers(0, 3_600_000))
@settings(deadline=None)
def test_a_verdict_comes_through_with_every_peak(verdict: wire.Verdict, run: int, milliseconds: int) -> None:
    samples, faults = hear(wire.frame(wire.RUN_END, 0, wire.run_end(run, milliseconds / 1e3, 20, verdict)))
    (result,) = (sample for sample in samples if isinstance(sample, Result))
    assert result.outcome is tuple(Outcome)[verdict.outcome]
    assert (result.sample_id, result.duration) == (str(run), milliseconds / 1e3)
    expected = [(peak.name, peak.k0, peak.amplitude, peak.confidence / 100) for peak in verdict.peaks]
    assert [(peak.name, peak.position, peak.amplitude, peak.confidence) for peak in result.peaks] == expected
    assert not faults


@given(state=st.integers(0, 4), progress=st.integers(0, 100), stores=st.tuples(*[st.integers(0, 0xFFFF)] * 3))
@settings(deadline=None)
def test_a_state_comes_through_with_its_consumables(state: int, progress: int, stores: tuple[int, int, int]) -> None:
    swabs, desiccant, dopant = stores
    message = wire.State(state, progress, swabs=swabs, desiccant=desiccant, dopant=dopant)
    samples, _ = hear(wire.frame(wire.STATE, 0, message.pack()))
    values = {sample.channel: sample.value for sample in samples if isinstance(sample, Measurement)}
    assert values == {
        "state": state, "progress": progress, "swabs": swabs, "desiccant": desiccant, "dopant": dopant,
    }  # fmt: skip


@given(points=traces, at=st.integers(0, 10**6), bit=st.integers(0, 7))
@settings(deadline=None)
def test_no_flipped_bit_gets_a_plasmagram_through(points: list[int], at: int, bit: int) -> None:
    frame = bytearray(wire.frame(wire.SCAN, 5, scan(points)))
    frame[at % len(frame)] ^= 1 << bit
    good = wire.frame(wire.HEARTBEAT, 6, bytes(4) + b"\x01")
    samples, faults = hear(wire.frame(wire.HEARTBEAT, 4, bytes(4) + b"\x01"), bytes(frame), good)
    assert not [sample for sample in samples if isinstance(sample, Spectrum)]
    assert faults[-1].reason is Reason.SEQUENCE


@given(payload=st.binary(max_size=120), kind=st.integers(0, 255))
@settings(deadline=None)
def test_any_payload_under_a_good_checksum_is_a_message_or_a_protocol_error(payload: bytes, kind: int) -> None:
    samples, faults = hear(wire.frame(kind, 0, payload))
    assert all(isinstance(fault, ProtocolError) for fault in faults)
    for sample in samples:
        if isinstance(sample, Result):
            assert len(sample.peaks) <= 16


@given(
    kind=st.sampled_from([wire.IDENT, wire.STATE, wire.ENVIRONMENT, wire.SCAN, wire.RUN_END]), cut=st.integers(1, 500)
)
@settings(deadline=None)
def test_a_payload_of_another_length_is_refused_as_a_whole(kind: int, cut: int) -> None:
    payloads = {
        wire.IDENT: wire.Ident("m", "s", "f", "l", 0.06, 1400, (wire.ReferencePeak(0, 0, 1.652, "c"),)).pack(),
        wire.STATE: wire.State(1).pack(),
        wire.ENVIRONMENT: AIR.pack(),
        wire.SCAN: scan([1, 2, 3, 4]),
        wire.RUN_END: wire.run_end(1, 5.0, 20, wire.Verdict(1, 0, (TNT,))),
    }
    payload = payloads[kind]
    for wrong in (payload[: -(cut % len(payload)) or None][:-1], payload + bytes(cut)):
        with pytest.raises(ProtocolError):
            parse(Envelope(kind, 0, 0, wrong))


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_chunks_change_nothing(seed: int) -> None:
    stream = [
        wire.frame(wire.STATE, 0, wire.State(1).pack()),
        b"noise\xa5\x5a\xa5",
        wire.frame(wire.SCAN, 1, scan(list(range(200)))),
        wire.frame(wire.SCAN, 2, scan(list(range(200))))[:-3],
        wire.frame(wire.RUN_END, 4, wire.run_end(3, 5.0, 20, wire.Verdict(0, 0))),
    ]
    protocol = load_driver("trace.ims_reference").open({})
    protocol.start(0.0)
    samples: list[Sample] = []
    faults: list[str] = []
    for packet in chunked([Packet(part) for part in stream], Random(seed)):
        step = protocol.on_packet(0.0, packet)
        samples += step.samples
        faults += [str(fault) for fault in step.faults]
    whole, wrong = hear(*stream)
    assert samples == whole
    assert faults == [str(fault) for fault in wrong]


@given(noise=st.binary(max_size=60), sequence=st.integers(1, 0xFFFF), seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_the_device_finds_a_request_among_anything(noise: bytes, sequence: int, seed: int) -> None:
    reader = wire.RequestReader()
    found = []
    data = noise.replace(b"\xa5", b"") + request(Kind.GET_STATE, sequence)
    for packet in chunked([Packet(data)], Random(seed)):
        found += reader.feed(packet.data)
    assert found == [(wire.GET_STATE, sequence, b"")]
