"""How the vectors of the Seek Compact are proved on the delivered driver. See `test_vectors`."""

import struct
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from simulators.thermal.seek_compact import SeekCompact
from tests.real.published_vectors import Player, Vectors, values
from tests.samples import sample


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
    player = vectors.player("thermal.seek_compact")
    replies = _Seek(vectors)
    for _ in range(4):  # without an id-4 frame among the recordings the start is repeated three times
        _answer_start(player, replies)
        _frame(player, "face_cal")
    facts = {name: value for sample in player.samples for name, value in getattr(sample, "facts", ())}
    assert facts["chip-id"] == vectors.take("chip_id_reply")
    assert facts["firmware"] == ".".join(str(byte) for byte in vectors.data("firmware_reply"))
    assert facts["factory-id"] == vectors.take("factory_0x08_reply_ascii")
    (wanted,) = {packet.data for packet in player.written if packet.port.startswith("ctl:41:53")}
    vectors.makes(wanted, "start_transfer_payload")
    _seek_answers(vectors)
    frames = {name: vectors.take("frames", name) for name in ("face_cal", "face_raw")}
    for name, number in (("face_cal", 1), ("face_raw", 3)):
        player.now += 2.0  # the sensor's temperature is told once a second
        _frame(player, name)
        assert player.value("sensor-temperature").value == frames[name]["devtemp"]
        assert frames[name]["id"] == number
    assert player.image().counter == frames["face_raw"]["counter"]
    assert f"counter {frames['face_raw']['counter']} after {frames['face_cal']['counter']}" in player.faults[-1].detail
    (correction,) = (name for name in vectors.names() if name.startswith("libseek_correction"))
    _correction(player, vectors.take(correction, "face"))


def _seek_answers(vectors: Vectors) -> None:
    """What the simulated camera answers to the requests of a start, and what the driver asks for a frame."""
    device = SeekCompact(Random(1))
    vectors.makes(device.control_in(0xC1, 78, 0, 0, 4), "firmware_reply")
    vectors.makes(device.control_in(0xC1, 54, 0, 0, 12), "chip_id_reply")
    for address in (0x08, 0x30, 0x50, 0x70):
        name = "factory_0x08_reply_ascii" if address == 0x08 else f"factory_0x{address:02x}_reply"
        stated = vectors.take(name)
        size = len(stated) if address == 0x08 else len(stated) // 2
        device.control_out(0x41, 86, 0, 0, struct.pack("<HHH", size // 2, address, 0))
        answer = device.control_in(0xC1, 88, 0, 0, size)
        if address == 0x08:
            vectors.makes_text(answer.decode(), name)
        else:
            vectors.makes(answer, name)


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
