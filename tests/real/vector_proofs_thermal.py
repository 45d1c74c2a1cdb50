"""How the sections of thermal cameras over USB and video are proved on the delivered drivers. See `test_vectors`."""

import struct
from binascii import crc_hqx
from random import Random
from zlib import crc32

import numpy as np
import pytest

from devicehub.model.command import CommandState
from devicehub.model.reading import Identity, Image
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet, control_write
from simulators.endoscope._camera import picture
from simulators.thermal import flir_lepton as lepton
from simulators.thermal import flir_one as one
from simulators.thermal._thermal_master import ThermalMaster
from simulators.thermal.flir_boson_control import FlirBosonControl, wrapped
from tests.real.published_vectors import Vectors, values


def flir_one(vectors: Vectors) -> None:
    """A frame of a FLIR One that holds all published counts."""
    assert vectors.take("origin").startswith("D from constants")
    planck = vectors.take("planck")
    published = vectors.take("raw_to_C")
    for count, celsius in published.items():
        vectors.makes_counts(float(one.counts(celsius + 273.15)), "raw_to_C", count)
    raw = np.full((60, 80), 3000, "<u2")
    raw[30, : len(published)] = [int(count) for count in published]
    thermal = b"".join(bytes(4) + line.tobytes() for line in raw)
    jpeg = picture(16, 16, (0, 0), 0.0, dark=False, tables=False)
    sizes = struct.pack("<4s4x4I4x", b"\xef\xbe", len(thermal) + len(jpeg), len(thermal), len(jpeg), 0)
    constants = {f"planck-{name.lower()}": float(value) for name, value in planck.items()}
    player = vectors.player("thermal.flir_one", **constants)
    player.give(sizes + thermal + jpeg, "in:85")
    (image,) = (seen for seen in player.samples if isinstance(seen, Image) and seen.channel == "thermal")
    seen = np.frombuffer(image.data, "<f4").reshape(60, 80)[30, : len(published)]
    assert seen.tolist() == pytest.approx(list(published.values()), abs=1e-3)
    _flir_one_files(vectors)


def _flir_one_files(vectors: Vectors) -> None:
    """Files and options: the simulated camera understands them in any pieces; the driver's link refuses each."""
    device, refused = one.FlirOne(Random(1)), load_driver("thermal.flir_one").refuses
    stated = vectors.take("fileio_header")
    for number, vector in enumerate(stated):
        content = vector["payload"].encode() + b"\0"
        head = struct.pack("<III", 0x1CC, 1, len(content))
        vectors.makes(head + struct.pack("<I", crc32(head)), "fileio_header", str(number))
        header = vectors.data("fileio_header", str(number))
        for piece in vectors.cut(header + content):
            device.transfer_out(0x02, piece)
        assert refused(Packet(header, "out:02"))
    assert device.files.asked == [vector["payload"].encode() for vector in stated]


def p3_commands(vectors: Vectors) -> None:
    """The published commands are those sent: all at the start, the shutter by command."""
    assert "u16le resp_len" in vectors.take("rule")
    player = vectors.player("thermal.thermal_master_p3")
    start = vectors.data("start_stream")
    for _ in range(100):
        question = player.written[-1].port
        if player.sent().count(start) == 2 and question.startswith("in:"):
            break
        status = b"\x02" if ":22:" in question else b"\x01"
        asked = question.startswith("ctl:c1")
        if not (asked and player.give(status.ljust(int(question.split(":")[5]), b"\0"), question)):
            player.wait()  # a pause
    player.command("shutter", vectors.data("shutter"))
    vectors.makes_among(player.sent(), "shutter")
    for name in ("read_name", "read_fw", "read_part", "read_serial", "read_hw", "read_model_long", "start_stream"):
        vectors.makes_among(player.sent(), name)
    _p3_refused(vectors)


def _p3_refused(vectors: Vectors) -> None:
    """What sets the gain and what asks for an unknown state: the simulated camera understands them, the link refuses them."""
    device, refused = (
        ThermalMaster(Random(1), 0x45A2, "P3", (256, 192)),
        load_driver("thermal.thermal_master_p3").refuses,
    )
    for name, kind, register, size in (
        ("gain_low", "012f4100", 0, 0), ("gain_high", "012f4100", 1, 0), ("status", "10218100", 0, 2),
    ):  # fmt: skip
        order = vectors.data(name)
        device.control_out(0x41, 0x20, 0, 0, order)
        body = bytes.fromhex(kind) + struct.pack("<H6xHxx", register, size)
        vectors.makes(body + struct.pack("<H", crc_hqx(body, 0)), name)
        assert refused(control_write(0x41, 0x20, 0, 0, order))
    assert (device.gains, device.refused) == (["low", "high"], [])
    assert len(device.control_in(0xC1, 0x21, 0, 0, 2)) == 2


def lepton_tlinear(vectors: Vectors) -> None:
    """A frame of a Lepton that holds all published counts of hundredths, and its tenths by their rule."""
    assert vectors.take("rule_0.01K") == "C=(raw-27315)/100"
    assert vectors.take("rule_0.1K") == "C=raw/10-273.15"
    published = vectors.take("v")
    for count, celsius in published.items():
        vectors.makes_counts(int(lepton.counts(np.array(celsius + 273.15), 100)), "v", count)
    raw = np.full((120, 160), 29815, "<u2")
    raw[60, : len(published)] = [int(count) for count in published]
    player = vectors.player("thermal.flir_lepton")
    player.give(raw.tobytes() + _lepton_lines(), "frame:Y16:160x122")
    assert values(player.image())[60, : len(published)].tolist() == pytest.approx(list(published.values()))
    player = vectors.player("thermal.flir_lepton", scale="decikelvin")
    player.give(np.full(160 * 120, 2982, "<u2").tobytes() + _lepton_lines(), "frame:Y16:160x122")
    assert values(player.image())[0, 0] == pytest.approx(2982 / 10 - 273.15)


def _lepton_lines() -> bytes:
    """Telemetry that says nothing but plausible temperatures of the camera."""
    return struct.pack("<24H", *[0] * 24) + struct.pack("<3H", 30000, 0, 30000) + bytes(2 * (320 - 27))


_BOSON_ONCE = 4  # questions that are asked once


def boson_fslp(vectors: Vectors) -> None:
    """The published requests are those sent, the published replies are understood, escapes are the driver's."""
    assert vectors.take("rule").startswith("8E | ch(00)")
    player = vectors.player("thermal.flir_boson_control")
    vectors.makes(b"".join(player.sent()), "S_get_serial_req")
    player.give(vectors.data("S_get_serial_rsp(93588)"))
    assert [sample.facts for sample in player.samples if isinstance(sample, Identity)] == [(("serial", "93588"),)]
    for _ in range(_BOSON_ONCE - 1):
        player.wait()
    vectors.makes(player.sent()[-1], "S_fpa_temp_req")
    player.give(vectors.data("S_fpa_temp_rsp(38.0C)"))
    assert player.value("sensor-temperature").value == 38.0
    player.command("run-ffc", vectors.data("S_ffc_req"))
    vectors.makes(player.sent()[-1], "S_ffc_req")
    player.give(vectors.data("S_ffc_rsp"))
    assert [ended.state for ended in player.ended] == [CommandState.DONE]
    for name, sequence in (("D_seq_0x8E_needs_stuffing", 142), ("D_seq_78_crc_needs_stuffing", 78)):
        player.give(vectors.data(name))
        assert player.faults[-1].detail == f"channel 0, sequence {sequence}", "read, and not an answer to us"
    _boson_camera(vectors)


def _boson_camera(vectors: Vectors) -> None:
    """The simulated camera understands every request in any pieces, and makes the answers and the frames."""
    pairs = (
        ("S_get_serial_req", "S_get_serial_rsp(93588)"),
        ("S_fpa_temp_req", "S_fpa_temp_rsp(38.0C)"),
        ("S_ffc_req", "S_ffc_rsp"),
    )
    device = FlirBosonControl(Random(1))
    device.do("temperature", celsius=38.0)
    for asked, answered in pairs:
        vectors.makes(b"".join(device.on_bytes(piece) for piece in vectors.cut(vectors.data(asked))), answered)
    for name, sequence, function, values_of in (
        ("D_seq_0x8E_needs_stuffing", 142, 0x00050030, b""),
        ("D_seq_78_crc_needs_stuffing", 78, 0x00050030, b""),
        ("S_ir16_mode_2_seq_C2", 0xC2, 0x000E000D, struct.pack(">I", 2)),
        ("D_set_ffc_auto_seq7", 7, 0x00050012, struct.pack(">I", 1)),
    ):
        body = struct.pack(">BIII", 0, sequence, function, 0xFFFFFFFF) + values_of
        vectors.makes(wrapped(body), name)
        for piece in vectors.cut(vectors.data(name)):
            device.on_bytes(piece)
    assert device.changed == [0x000E000D, 0x00050012], "understood, and refused"
