"""How the vendor commands of the InfiRay P2 Pro are proved: by its driver, settings by its simulator. See `test_vectors`."""

import struct
from random import Random
from typing import NamedTuple

from devicehub.model.reading import Identity
from devicehub.registry import load_driver
from devicehub.wire.packet import control_write
from simulators.thermal.infiray_p2pro_control import InfirayP2ProControl
from tests.real.published_vectors import Player, Vectors

DRIVER = "thermal.infiray_p2pro_control"
STATUS = "ctl:c1:44:0078:0200:1"
MOST = 500


class Asked(NamedTuple):
    """What the driver wrote for one question, by register, and what it read then."""

    written: dict[str, bytes]
    register: str
    size: int


def p2pro_vendor(vectors: Vectors) -> None:
    """Every published question is one of the driver's and answered by the camera; the settings are the camera's."""
    assert vectors.take("rule").startswith("OUT 0x41/0x45 wValue 0x78, IN 0xC1/0x44 wValue 0x78")
    camera = InfirayP2ProControl(Random(1))
    camera.do("palette", number=3)
    camera.do("parameter", number=5, value=0)
    player = vectors.player(DRIVER)
    asked = _conversation(player, camera)
    for name, register in (
        ("std_read pseudo_color", "then IN 0x1d08 len"),
        ("std_read part number", "IN 0x1d08"),
        ("std_read serial", "IN 0x1d08"),
    ):
        question = _of(asked, vectors, name)
        assert question.register == "1d08"
        vectors.makes_figure(question.size, name, register)
    for name in ("std_read cur_vtemp", "std_read shutter_vtemp"):
        assert _of(asked, vectors, name)[1:] == ("1d08", 2)
    gain = "long_read gain_sel"
    assert _of(asked, vectors, gain, "9d00")[1:] == ("1d10", 2)
    assert (player.value("palette").label, player.value("gain").label) == ("iron-red", "low")
    assert {key for one in player.samples if isinstance(one, Identity) for key, _ in one.facts} >= {"part", "serial"}
    assert (player.faults, camera.changed) == ([], [])
    _settings(vectors)


def _conversation(player: Player, camera: InfirayP2ProControl) -> list[Asked]:
    """One round of questions, answered by the simulated camera."""
    asked: list[Asked] = []
    done, written = 0, dict[str, bytes]()
    while not any(getattr(one, "channel", "") == "gain" for one in player.samples):
        assert done < MOST, player.faults
        if done == len(player.written):
            player.wait()
        packet, done = player.written[done], done + 1
        words = packet.port.split(":")
        request_type, request, value, index = (int(word, 16) for word in words[1:5])
        if len(words) == 5:
            written[words[4]] = packet.data
            camera.control_out(request_type, request, value, index, packet.data)
            continue
        if packet.port != STATUS:
            asked.append(Asked(written, words[4], int(words[5])))
            written = {}
        player.give(camera.control_in(request_type, request, value, index, int(words[5])), packet.port)
    return asked


def _of(asked: list[Asked], vectors: Vectors, name: str, register: str = "1d00") -> Asked:
    """The question whose bytes are those of a vector, in all its registers."""
    (found,) = (one for one in asked if one.written.get(register) == vectors.data(name, f"0x{register}"))
    for written, data in found.written.items():
        vectors.makes(data, name, f"0x{written}")
    return found


def _settings(vectors: Vectors) -> None:
    """The simulated camera takes each, and is what it says then; the driver's link refuses them."""
    camera, refused = InfirayP2ProControl(Random(1)), load_driver(DRIVER).refuses
    for name, changed in (
        ("std_write pseudo_color=3", (0xC409, 0, 3)),
        ("long_write gain_sel=0", (0xC514, 5, 0)),
        ("long_write emissivity 0.95 (121/127)", (0xC514, 3, 121)),
        ("long_write Tu 293K", (0xC514, 1, 293)),
    ):
        for register, made in zip((0x9D00, 0x1D08), _setting(*changed), strict=True):
            vectors.makes(made, name, f"{register:#x}")
            packet = control_write(0x41, 0x45, 0x78, register, vectors.data(name, f"{register:#x}"))
            assert refused(packet)
            camera.control_out(0x41, 0x45, 0x78, register, packet.data)
        while (status := camera.control_in(0xC1, 0x44, 0x78, 0x0200, 1)) == b"\x01":
            pass
        assert (status, camera.changed[-1]) == (b"\0", changed)
    player = vectors.player(DRIVER)
    _conversation(player, camera)
    assert (player.value("palette").label, player.value("gain").label) == ("iron-red", "low")
    assert round(player.value("emissivity").value, 2) == 0.95
    assert player.value("reflected-temperature").value == 293


def _setting(command: int, number: int, value: int) -> tuple[bytes, bytes]:
    """Both halves: of the palette the value alone is the second, and the first says how long it is."""
    if command == 0xC409:
        return struct.pack("<HI", command, number) + struct.pack(">H", 1), bytes([value])
    return struct.pack("<H", command) + struct.pack(">HI", number, value), bytes(8)
