"""How the vectors of the Seek Compact are proved on the delivered driver. See `test_vectors`."""

import struct
from dataclasses import dataclass
from random import Random

import numpy as np

from simulators.thermal.seek_compact import SeekCompact
from tests.drivers.seek_frames import CHUNK, frame
from tests.real.published_vectors import Player, Vectors, values

FIRST, FLAT, IMAGE = 4, 1, 3
LEVEL, ZERO = 7000, 0x4000


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
    """A start answered with the published replies, then frames that say what the published ones say."""
    assert vectors.take("origin").startswith("S constants")
    player = vectors.player("thermal.seek_compact")
    _answer_start(player, _Seek(vectors))
    facts = {name: value for sample in player.samples for name, value in getattr(sample, "facts", ())}
    assert facts["chip-id"] == vectors.take("chip_id_reply")
    assert facts["firmware"] == ".".join(str(byte) for byte in vectors.data("firmware_reply"))
    assert facts["factory-id"] == vectors.take("factory_0x08_reply_ascii")
    (wanted,) = {packet.data for packet in player.written if packet.port.startswith("ctl:41:53")}
    vectors.makes(wanted, "start_transfer_payload")
    _seek_answers(vectors)
    _frame(player, frame(FIRST, 1))
    last = 1
    for name in ("face", "floor"):
        last = _words(vectors, player, name, last)
        _correction(vectors, name)


def _words(vectors: Vectors, player: Player, name: str, last: int) -> int:
    """The words of a shutter frame and of the image after it: what it is, its number, the sensor's temperature.

    `last`: the number of the frame before; returns that of the image.
    """
    for part in ("cal", "raw"):
        place = ("frames", f"{name}_{part}")
        stated, images = vectors.take(*place), len(player.images())
        player.now += 2.0  # the sensor's temperature is told once a second
        _frame(player, frame(stated["id"], stated["counter"], temperature=stated["devtemp"]))
        vectors.makes_figure(IMAGE if len(player.images()) > images else FLAT, *place, "id")
        vectors.makes_figure(player.value("sensor-temperature").value, *place, "devtemp")
        counter, _, before = player.faults[-1].detail.partition("counter ")[2].partition(" after ")
        assert int(before) == last
        vectors.makes_figure(int(counter), *place, "counter")
        last = stated["counter"]
    assert player.image().counter == last
    return int(last)


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


def _correction(vectors: Vectors, name: str) -> None:
    """A shutter frame and an image whose difference has the published figures: the driver's picture has them."""
    (section,) = (title for title in vectors.names() if title.startswith("libseek_correction"))
    published = vectors.take(section, name)
    count = published["n"]
    valid = np.zeros((154, 207), bool)
    valid[:, :206].flat[:count] = True
    levels = np.zeros(valid.shape, np.int64)
    rest = round(published["mean"] * count) - published["min"] - published["max"]
    base, more = divmod(rest, count - 2)
    levels[valid] = [published["min"], *[base] * (count - 2 - more), *[base + 1] * more, published["max"]]
    flat, seen = np.zeros((156, 208), np.uint16), np.zeros((156, 208), np.uint16)
    flat[1:155, :207][valid] = LEVEL
    seen[1:155, :207][valid] = (levels[valid] - ZERO + LEVEL).astype(np.uint16)
    player = vectors.player("thermal.seek_compact")
    _answer_start(player, _Seek(vectors))
    for number, words in ((FIRST, flat), (FLAT, flat), (IMAGE, seen)):
        _frame(player, frame(number, number, words))
    picture = values(player.image())[valid]
    found = {"n": picture.size, "min": picture.min(), "max": picture.max(), "mean": round(float(picture.mean()), 3)}
    for figure, value in found.items():
        vectors.makes_figure(value, section, name, figure)


def _frame(player: Player, data: bytes) -> None:
    for at in range(0, len(data), CHUNK):
        player.give(data[at : at + CHUNK], "in:81")


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
