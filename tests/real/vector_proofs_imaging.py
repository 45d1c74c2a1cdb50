"""How each section of the imaging vectors is proved on the delivered driver. See `test_vectors`."""

import struct
from random import Random
from typing import Any

import numpy as np
import pytest

from devicehub.record import parse
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.radiometry import AirConstants, Planck, Surroundings, raw_of
from simulators.endoscope import useeplus as camera
from simulators.thermal import gy_mcu90640 as module
from simulators.thermal import infiray_p2pro as p2pro
from tests.real.published_vectors import FIXTURES, Player, Vectors, values

_CAMERA_FIELDS = {
    "E": 0x20, "OD": 0x24, "RT": 0x28, "AT": 0x2C, "WT": 0x30, "IRT": 0x34, "RH": 0x3C,
    "R1": 0x58, "B": 0x5C, "F": 0x60, "ATA1": 0x70, "ATA2": 0x74, "ATB1": 0x78, "ATB2": 0x7C, "ATX": 0x80,
    "R2": 0x30C,
}  # fmt: skip
_LAB = {"RT": 20, "AT": 20, "WT": 20, "IRT": 1, "RH": 50}
_COUNT = 0.006  # Cel a count at room temperature: published counts have fractions, a file's have none


def planck(vectors: Vectors) -> None:
    """Counts and settings written into a FLIR file; the driver's picture has the published temperatures."""
    vectors.take("origin")
    constants = vectors.take("constants_SC660")
    for number, vector in enumerate(vectors.take("temp2raw")):
        vectors.makes_counts(_counts(constants, vector), "temp2raw", str(number))
        file = _flir_file({**constants, **_LAB, **vector})
        assert _flir_temperature(vectors, file) == pytest.approx(vector["T"], abs=_COUNT / 2 + 5e-4)
    for number, vector in enumerate(vectors.take("raw2temp")):
        vectors.makes_counts(_counts(constants, vector), "raw2temp", str(number))
        tolerance = 1e-3 if float(vector["raw"]).is_integer() else _COUNT / 2
        assert _flir_temperature(vectors, _flir_file({**constants, **vector})) == pytest.approx(
            vector["T"], abs=tolerance
        )


def _counts(constants: dict[str, float], vector: dict[str, float]) -> float:
    """The inverse of the chain: the counts of an object of the published temperature."""
    given = {**_LAB, **vector}
    names = (("a1", "ATA1"), ("a2", "ATA2"), ("b1", "ATB1"), ("b2", "ATB2"), ("x", "ATX"))
    around = Surroundings(
        emissivity=given["E"], distance=given["OD"], reflected=given["RT"], air=given["AT"], window=given["WT"],
        window_transmission=given["IRT"], humidity=given["RH"] / 100,
        constants=AirConstants(**{name: constants[theirs] for name, theirs in names}),
    )  # fmt: skip
    planck = Planck(**{name.lower(): constants[name] for name in ("R1", "B", "F", "O", "R2")})
    return float(raw_of(vector["T"], planck, around))


def _flir_temperature(vectors: Vectors, file: bytes) -> float:
    player = vectors.player("thermal.flir_rjpeg")
    player.give(file, "vector.fff")
    return float(values(player.image())[0, 0])


def _flir_file(settings: dict[str, Any]) -> bytes:
    """A FLIR file of the repository with other counts, calibration and surroundings."""
    lines = parse((FIXTURES / "flir_rjpeg" / "sc660-counts.txt").read_text())
    (packet,) = (line.packet for line in lines if line.sign == "<" and line.packet is not None)
    file = bytearray(packet.data)
    kelvin = {"RT", "AT", "WT"}
    settings_at, counts = _record(file, 0x20), _record(file, 0x01)
    for name, at in _CAMERA_FIELDS.items():
        value = settings[name] / 100 if name == "RH" else settings[name]
        struct.pack_into("<f", file, settings_at + at, value + 273.15 if name in kelvin else value)
    struct.pack_into("<i", file, settings_at + 0x308, settings["O"])
    struct.pack_into("<H", file, counts + 0x20, round(settings["raw"]))
    return bytes(file)


def _record(file: bytearray, kind: int) -> int:
    """Where a record of that type begins."""
    directory, count = struct.unpack_from(">II", file, 0x18)
    for entry in range(directory, directory + 32 * count, 32):
        if struct.unpack_from(">H", file, entry)[0] == kind:
            return int(struct.unpack_from(">I", file, entry + 12)[0])
    raise AssertionError(f"no record {kind:#x}")


def one_64th_kelvin(vectors: Vectors) -> None:
    """A frame of the P2 Pro that holds all published counts."""
    assert vectors.take("rule") == "C = raw/64 - 273.15"
    published = vectors.take("vectors")
    for count, celsius in published.items():
        vectors.makes_counts(float(p2pro.counts(celsius)), "vectors", count)
    raw = np.full((192, 256), 18000, "<u2")
    raw[100, 100 : 100 + len(published)] = [int(count) for count in published]
    player = vectors.player("thermal.infiray_p2pro")
    player.give(bytes(192 * 256 * 2) + raw.tobytes(), "frame:YUYV:256x384")
    assert values(player.image())[100, 100 : 100 + len(published)].tolist() == pytest.approx(
        list(published.values()), abs=1e-9
    )


def gy_mcu90640(vectors: Vectors) -> None:
    """Frames with the published sums, words and emissivity."""
    assert vectors.take("frame").startswith("5A 5A 02 06")
    sums, words = vectors.take("checksums_D"), vectors.take("S_words")
    warm = {
        "all 25.00C, Ta 30.00": ([2500] * 768, 25.0, 25.0),
        "px1=36.94 rest 25.00, Ta 30.00": ([3694, *[2500] * 767], 36.94, 25.0),
        "all -5.00C, Ta 30.00": ([-500] * 768, -5.0, -5.0),
    }
    assert set(sums) == set(warm)
    for name, (pixels, first, last) in warm.items():
        frame = module.framed(np.array(pixels, np.int16), 3000)
        vectors.makes_text(frame[:-3:-1].hex(), "checksums_D", name)
        player = _gy(vectors, struct.pack("<769h", *pixels, 3000), int(sums[name], 16))
        # The first pixel of the module is the right-hand end of the first row of the scene.
        assert (values(player.image())[0, 31], values(player.image())[23, 0]) == pytest.approx((first, last))
        assert player.value("ambient").value == 30.0
    body = b"".join(bytes.fromhex(word) for word in words).ljust(768 * 2, b"\0") + struct.pack("<h", 3000)
    total = sum(struct.unpack("<771H", b"\x5a\x5a\x02\x06" + body)) & 0xFFFF
    centi = np.zeros(768, np.int16)
    centi[: len(words)] = [round(value * 100) for value in words.values()]
    made = module.framed(centi, 3000)
    for number, word in enumerate(words):
        vectors.makes_named(made[4 + 2 * number : 6 + 2 * number], "S_words", word)
    seen = values(_gy(vectors, body, total).image())[0, ::-1]
    assert seen[: len(words)].tolist() == pytest.approx(list(words.values()))
    _gy_commands(vectors)


def _gy(vectors: Vectors, body: bytes, total: int) -> Player:
    player = vectors.player("thermal.gy_mcu90640")
    player.give(b"\x5a\x5a\x02\x06" + body + struct.pack("<H", total))
    assert player.faults == []
    return player


def _gy_commands(vectors: Vectors) -> None:
    """The query is sent and its reply understood; the module understands what changes settings, which is never sent."""
    query, reply = (vectors.data("commands", name) for name in ("emissivity query", "emissivity reply .95"))
    player = vectors.player("thermal.gy_mcu90640")
    vectors.makes(b"".join(player.sent()), "commands", "emissivity query")
    player.give(reply)
    assert player.value("emissivity").value == 0.95
    device = module.GyMcu90640(Random(1))
    for piece in vectors.cut(query):
        device.on_bytes(piece)
    vectors.makes(device.advance(0.1), "commands", "emissivity reply .95")
    assert not {sent[1] for sent in player.sent()} & {0x15, 0x25, 0x35, 0x45, 0x65}
    _gy_settings(vectors)
    other = module.GyMcu90640(Random(1))
    other.on_bytes(b"\xa5\x45\x50\x3a")  # 0.80
    for piece in vectors.cut(vectors.data("commands", "emissivity .95") + query):
        other.on_bytes(piece)
    vectors.makes(_gy_order(0x45, 95), "commands", "emissivity .95")
    assert other.advance(0.1) == reply


def _gy_settings(vectors: Vectors) -> None:
    """Each does to the module what it is named after."""
    slow = _gy_order(0x35, 1)
    for number, bytes_a_second in enumerate((960, 11520, 46080)):
        device = _told(vectors, _gy_order(0x15, 1 + number), "baud 9600/115200/460800", str(number))
        device.on_bytes(slow)
        assert len(device.advance(0.01)) == bytes_a_second // 100
    for number, hz in enumerate((0.5, 1, 2, 4, 8)):
        device = _told(vectors, _gy_order(0x25, number), "rate .5/1/2/4/8 Hz", str(number))
        device.on_bytes(_gy_order(0x15, 3))
        heard = sum(len(device.advance(0.125)) for _ in range(160))
        assert heard == pytest.approx(20 * hz * 1544, abs=1544)
    quiet = _told(vectors, slow, "query mode")
    assert sum(len(quiet.advance(1.0)) for _ in range(5)) == 1544
    for piece in vectors.cut(vectors.data("commands", "auto mode")):
        quiet.on_bytes(piece)
    vectors.makes(_gy_order(0x35, 2), "commands", "auto mode")
    assert sum(len(quiet.advance(1.0)) for _ in range(5)) > 1544
    save = _gy_order(0x65, 1)
    assert _told(vectors, save, "save").saved == 1
    assert load_driver("thermal.gy_mcu90640").refuses(Packet(save))


def _gy_order(command: int, value: int) -> bytes:
    """What the module is told: A5, what, to what value, the sum."""
    order = bytes([0xA5, command, value])
    return order + bytes([sum(order) % 256])


def _told(vectors: Vectors, made: bytes, *name: str) -> module.GyMcu90640:
    """A module that was told a setting, in pieces."""
    vectors.makes(made, "commands", *name)
    device = module.GyMcu90640(Random(1))
    for piece in vectors.cut(vectors.data("commands", *name)):
        device.on_bytes(piece)
    return device


def useeplus(vectors: Vectors) -> None:
    """The published first packets begin the recordings of this repository; what they say comes out decoded."""
    decoded = vectors.take("decoded")
    first, other = vectors.data("S_first_packet_header"), vectors.data("S_header_devid7")
    fields = dict(
        zip(("devid", "len", "frame_id", "device_number", "flags"), struct.unpack_from("<2xBHBBB", first), strict=True)
    )
    assert fields == {name: decoded[name] for name in fields}
    assert first[8:12].hex() == decoded["g_sensor"]
    assert f"0x{int.from_bytes(first[:2], 'little'):04X}" == decoded["delimiter"]
    for header, stream in ((first, 11), (other, 7)):
        lines = parse((FIXTURES / "useeplus" / f"published-header-stream-{stream}.txt").read_text())
        packets = [line.packet for line in lines if line.sign == "<" and line.packet is not None]
        assert any(packet.data.startswith(header) for packet in packets), f"the recording has no {header.hex()}"
        player = vectors.player("endoscope.useeplus")
        player.wait()  # the control endpoint is empty
        for packet in packets:
            player.give(packet.data, packet.port)
        assert player.image().data.startswith(first[12:20])
        if stream == 11:
            assert (player.image().counter, player.value("lens").value) == (8, decoded["device_number"])
        connect, start = [packet.data for packet in player.written if packet.port.startswith("out:")][:2]
        vectors.makes(connect, "connect_ep2")
        vectors.makes(start, "start_ep1")
        assert vectors.data("stop_ep1") not in player.sent()
    _useeplus_camera(vectors, first)


def _useeplus_camera(vectors: Vectors, first: bytes) -> None:
    """The simulated camera makes both headers, and understands what is sent to it."""
    vectors.makes(camera.packed(11, 8, (0, 0), first[12:].ljust(932, b"\0"))[: len(first)], "S_first_packet_header")
    turned = bytes.fromhex("57430073")
    vectors.makes(camera.packed(7, 0, (0, 0), bytes(932), turned)[:12], "S_header_devid7")
    device = camera.Useeplus(Random(1))
    device.control_out(0x01, 0x0B, 1, 1, b"")
    device.transfer_out(0x02, vectors.data("connect_ep2"))
    device.transfer_out(0x01, vectors.data("start_ep1"))
    device.advance(0.2)
    assert device.transfer_in(0x81, 4096)
    device.transfer_out(0x01, vectors.data("stop_ep1"))
    while device.transfer_in(0x81, 4096):
        pass
    device.advance(0.2)
    assert device.transfer_in(0x81, 4096) is None
    vectors.makes(struct.pack("<HBH", 0xAABB, 6, 0), "stop_ep1")
    for probe, size in (("uvc_probe_480p", 1), ("uvc_probe_720p_index", 3)):
        device.control_out(0x21, 0x01, 0x0100, 1, vectors.data(probe))
        assert device.asked_size == (size, 333_333)
        vectors.makes(struct.pack("<HBBI18x", 0, 2, size, 333_333), probe)
