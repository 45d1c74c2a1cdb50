"""How each section of the imaging vectors is proved on the delivered driver. See `test_vectors`."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from devicehub.record import parse
from tests.real.published_vectors import FIXTURES, Player, Vectors, values
from tests.samples import sample

_CAMERA_FIELDS = {
    "E": 0x20, "OD": 0x24, "RT": 0x28, "AT": 0x2C, "WT": 0x30, "IRT": 0x34, "RH": 0x3C,
    "R1": 0x58, "B": 0x5C, "F": 0x60, "ATA1": 0x70, "ATA2": 0x74, "ATB1": 0x78, "ATB2": 0x7C, "ATX": 0x80,
    "R2": 0x30C,
}  # fmt: skip
_COUNT = 0.006  # Cel a count at room temperature: published counts have fractions, a file's have none


def planck(vectors: Vectors) -> None:
    """Counts and settings written into a FLIR file; the driver's picture has the published temperatures."""
    vectors.take("origin")
    constants = vectors.take("constants_SC660")
    for vector in vectors.take("temp2raw"):
        file = _flir_file({**constants, "RT": 20, "AT": 20, "WT": 20, "IRT": 1, "RH": 50, **vector})
        assert _flir_temperature(file) == pytest.approx(vector["T"], abs=_COUNT / 2 + 5e-4)
    for vector in vectors.take("raw2temp"):
        tolerance = 1e-3 if float(vector["raw"]).is_integer() else _COUNT / 2
        assert _flir_temperature(_flir_file({**constants, **vector})) == pytest.approx(vector["T"], abs=tolerance)


def _flir_temperature(file: bytes) -> float:
    player = Player("thermal.flir_rjpeg")
    player.give(file, "vector.fff")
    return float(values(player.image())[0, 0])


def _flir_file(settings: dict[str, Any]) -> bytes:
    """A FLIR file of the repository with other counts, calibration and surroundings."""
    lines = parse((FIXTURES / "flir_rjpeg" / "sc660-counts.txt").read_text())
    (packet,) = (line.packet for line in lines if line.sign == "<" and line.packet is not None)
    file = bytearray(packet.data)
    kelvin = {"RT", "AT", "WT"}
    camera, counts = _record(file, 0x20), _record(file, 0x01)
    for name, at in _CAMERA_FIELDS.items():
        value = settings[name] / 100 if name == "RH" else settings[name]
        struct.pack_into("<f", file, camera + at, value + 273.15 if name in kelvin else value)
    struct.pack_into("<i", file, camera + 0x308, settings["O"])
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
    raw = np.full((192, 256), 18000, "<u2")
    raw[100, 100 : 100 + len(published)] = [int(count) for count in published]
    player = Player("thermal.infiray_p2pro")
    player.give(bytes(192 * 256 * 2) + raw.tobytes(), "frame:YUYV:256x384")
    assert values(player.image())[100, 100 : 100 + len(published)].tolist() == pytest.approx(
        list(published.values()), abs=1e-9
    )


def gy_mcu90640(vectors: Vectors) -> None:
    """Frames with the published sums, words and emissivity."""
    assert vectors.take("frame").startswith("5A 5A 02 06")
    sums, words, commands = vectors.take("checksums_D"), vectors.take("S_words"), vectors.take("commands")
    warm = {
        "all 25.00C, Ta 30.00": ([2500] * 768, 25.0, 25.0),
        "px1=36.94 rest 25.00, Ta 30.00": ([3694, *[2500] * 767], 36.94, 25.0),
        "all -5.00C, Ta 30.00": ([-500] * 768, -5.0, -5.0),
    }
    assert set(sums) == set(warm)
    for name, (pixels, first, last) in warm.items():
        player = _gy(struct.pack("<769h", *pixels, 3000), int(sums[name], 16))
        # The first pixel of the module is the right-hand end of the first row of the scene.
        assert (values(player.image())[0, 31], values(player.image())[23, 0]) == pytest.approx((first, last))
        assert player.value("ambient").value == 30.0
    body = b"".join(bytes.fromhex(word) for word in words).ljust(768 * 2, b"\0") + struct.pack("<h", 3000)
    total = sum(struct.unpack("<771H", b"\x5a\x5a\x02\x06" + body)) & 0xFFFF
    seen = values(_gy(body, total).image())[0, ::-1]
    assert seen[: len(words)].tolist() == pytest.approx(list(words.values()))
    _gy_commands(commands)


def _gy(body: bytes, total: int) -> Player:
    player = Player("thermal.gy_mcu90640")
    player.give(b"\x5a\x5a\x02\x06" + body + struct.pack("<H", total))
    assert player.faults == []
    return player


def _gy_commands(commands: dict[str, Any]) -> None:
    """The query is sent and its reply understood; what changes settings is never sent."""
    player = Player("thermal.gy_mcu90640")
    assert player.sent() == [bytes.fromhex(commands["emissivity query"])]
    player.give(bytes.fromhex(commands["emissivity reply .95"]))
    assert player.value("emissivity").value == 0.95
    flat = [one for entry in commands.values() for one in (entry if isinstance(entry, list) else [entry])]
    settings = {bytes.fromhex(one) for one in flat} - {
        bytes.fromhex(commands["emissivity query"]),
        bytes.fromhex(commands["emissivity reply .95"]),
    }
    assert len(settings) == 12
    assert all(sum(one[:3]) & 0xFF == one[3] for one in settings)


@dataclass
class _Seek:
    """The published answers of a camera."""

    vectors: Vectors

    def answers(self) -> dict[int, bytes]:
        return {78: self.vectors.data("firmware_reply"), 54: self.vectors.data("chip_id_reply")}

    def factory(self) -> dict[int, bytes]:
        tables = {address: self.vectors.data(f"factory_0x{address:02x}_reply") for address in (0x30, 0x50, 0x70)}
        return tables | {0x08: self.vectors.take("factory_0x08_reply_ascii").encode()}


def seek_compact(vectors: Vectors) -> None:
    """A start answered with the published replies, then the recorded frames that are beside the vectors."""
    assert vectors.take("origin").startswith("S constants")
    player = Player("thermal.seek_compact")
    replies = _Seek(vectors)
    for _ in range(4):  # without an id-4 frame among the recordings the start is repeated three times
        _answer_start(player, replies)
        _frame(player, "face_cal")
    facts = {name: value for sample in player.samples for name, value in getattr(sample, "facts", ())}
    assert facts["chip-id"] == vectors.take("chip_id_reply")
    assert facts["firmware"] == ".".join(str(byte) for byte in vectors.data("firmware_reply"))
    assert facts["factory-id"] == vectors.take("factory_0x08_reply_ascii")
    assert vectors.data("start_transfer_payload") in player.sent()
    frames = vectors.take("frames")  # of the floor there is no recording
    for name, number in (("face_cal", 1), ("face_raw", 3)):
        player.now += 2.0  # the sensor's temperature is told once a second
        _frame(player, name)
        assert player.value("sensor-temperature").value == frames[name]["devtemp"]
        assert frames[name]["id"] == number
    assert player.image().counter == frames["face_raw"]["counter"]
    assert f"counter {frames['face_raw']['counter']} after {frames['face_cal']['counter']}" in player.faults[-1].detail
    (correction,) = (name for name in vectors.names() if name.startswith("libseek_correction"))
    _correction(player, vectors.take(correction)["face"])


def _correction(player: Player, published: dict[str, Any]) -> None:
    areas = [np.frombuffer(_recorded(name), "<u2").reshape(156, 208)[1:155, :207] for name in ("face_raw", "face_cal")]
    valid = np.logical_and.reduce([(area > 2000) & (area < 16383) for area in areas])
    seen = values(player.image())[valid]
    figures = (seen.size, seen.min(), seen.max(), round(float(seen.mean()), 3))
    assert figures == (published["n"], published["min"], published["max"], published["mean"])


def _recorded(name: str) -> bytes:
    return sample("imaging", f"seek_compact_{name}.bin")


def _frame(player: Player, name: str) -> None:
    data = _recorded(name)
    for at in range(0, len(data), 16224):
        player.give(data[at : at + 16224], "in:81")


def _answer_start(player: Player, replies: _Seek) -> None:
    """Answer every question of one start."""
    modes = iter((b"\0\0", b"\1\0"))
    answers, factory = replies.answers(), replies.factory()
    while (question := player.written[-1]).port.startswith("ctl:c1"):
        request, size = int(question.port.split(":")[2], 16), int(question.port.split(":")[5])
        if request == 61:
            data = next(modes)
        elif request == 88:
            data = factory[int.from_bytes(player.written[-2].data[2:4], "little")]
        else:
            data = answers[request]
        assert len(data) == size
        player.give(data, question.port)


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
        player = Player("endoscope.useeplus")
        player.wait()  # the control endpoint is empty
        for packet in packets:
            player.give(packet.data, packet.port)
        assert player.image().data.startswith(first[12:20])
        if stream == 11:
            assert (player.image().counter, player.value("lens").value) == (8, decoded["device_number"])
        assert vectors.data("connect_ep2") in player.sent()
        assert vectors.data("start_ep1") in player.sent()
        assert vectors.data("stop_ep1") not in player.sent()
