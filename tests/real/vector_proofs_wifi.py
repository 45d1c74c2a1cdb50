"""How the vectors of Wi-Fi endoscopes are proved on the delivered drivers. See `test_vectors`."""

import struct

from devicehub.model.reading import Trigger
from simulators.endoscope._camera import picture
from tests.real.published_vectors import Player, Vectors


def wifi(vectors: Vectors) -> None:
    """The published messages are those sent, the published tags those understood."""
    _jhcmd(vectors.take("jhcmd"))
    _i4season(vectors.take("i4season"))
    _depstech(vectors.take("depstech_7060"))
    _ov780(vectors.take("ov780_eteq"))


def _jhcmd(published: dict[str, str | list[str]]) -> None:
    start = [bytes.fromhex(str(one)) for one in (*published["init"], published["start/heartbeat"])]
    player = Player("endoscope.jhcmd")
    assert player.sent() == [*start, start[-1]]
    player.wait()
    assert bytes.fromhex(str(published["stop"])) not in player.sent()


def _i4season(published: dict[str, str]) -> None:
    player = Player("endoscope.i4season")
    player.give(b"50000", "local")
    assert player.sent() == [bytes.fromhex(message) for message in published.values()]


def _depstech(published: dict[str, str]) -> None:
    begin, end = bytes.fromhex(published["start_tag"]), bytes.fromhex(published["end_tag"])
    assert published["note"].endswith("byte[size//2] inverted")
    jpeg = picture(16, 16, (0, 0), 0.0, dark=False, tables=False)
    sent = bytearray(jpeg)
    sent[len(jpeg) // 2] ^= 0xFF
    player = Player("endoscope.depstech")
    player.give(begin + struct.pack("<4xI24x", len(jpeg)) + sent + end, "tcp")
    assert player.image().data == jpeg


def _ov780(published: dict[str, str]) -> None:
    """The beacon is not waited for: the camera's address is configured."""
    player = Player("endoscope.ov780")
    assert player.sent() == [bytes.fromhex(published["get_allinfo"])]
    for number, answer in enumerate(("", published["set_ack"], published["button_yes"])):
        player.give(bytes([1, number, number + 1]) + b"v", "udp")
        if answer:
            player.give(bytes([0, number - 1, number + 1]) + b"v" + bytes.fromhex(answer), "udp")
            assert player.sent()[-1] == bytes([1, number - 1, number]) + b"v"
        if number == 1:
            player.wait()
            assert bytes.fromhex(published["heartbeat seq2"])[4:] in [sent[4:] for sent in player.sent()]
    assert [sample.name for sample in player.samples if isinstance(sample, Trigger)] == ["snapshot"]
    assert player.faults == []
