"""How the vectors of Wi-Fi endoscopes are proved on the delivered drivers. See `test_vectors`."""

import struct
from random import Random

from devicehub.discover import announced
from devicehub.model.reading import Trigger
from devicehub.registry import load_driver
from devicehub.transport.beacons import Broadcast
from simulators.endoscope._camera import picture
from simulators.endoscope.depstech import Depstech
from simulators.endoscope.i4season import I4Season
from simulators.endoscope.jhcmd import Jhcmd
from simulators.endoscope.ov780 import Ov780, beacon
from tests.real.published_vectors import Player, Vectors


def wifi(vectors: Vectors) -> None:
    """The published messages are those sent, the published tags those understood."""
    _jhcmd(vectors)
    _i4season(vectors)
    _depstech(vectors)
    _ov780(vectors)


def _jhcmd(vectors: Vectors) -> None:
    places = (("init", "0"), ("init", "1"), ("start/heartbeat",))
    player, camera = vectors.uncut("endoscope.jhcmd"), Jhcmd(Random(1))
    assert len(player.sent()) == 4
    for made, place in zip(player.sent(), (*places, places[-1]), strict=True):
        vectors.makes(made, "jhcmd", *place)
        camera.on_datagram(20000, made)
    player.wait()
    stop = vectors.data("jhcmd", "stop")
    vectors.makes(b"JHCMD" + bytes([0xD0, 2]), "jhcmd", "stop")
    assert stop not in player.sent()
    assert camera.running
    camera.on_datagram(20000, stop)
    assert (camera.running, camera.refused) == (False, [])


def _i4season(vectors: Vectors) -> None:
    player, camera = vectors.uncut("endoscope.i4season"), I4Season(Random(1))
    player.give(b"50000", "local")
    asked, opened = player.sent()
    vectors.makes(asked, "i4season", "get_device_info id1")
    vectors.makes(opened, "i4season", "open_video id1 port 50000")
    camera.on_datagram(10005, asked)  # the first message after it was switched on is lost
    (answer,) = camera.on_datagram(10005, asked)
    assert b"MS5-8F21" in answer
    camera.on_datagram(10006, opened)
    assert (camera.port, camera.running) == (50000, True)


def _depstech(vectors: Vectors) -> None:
    assert vectors.take("depstech_7060", "note").endswith("byte[size//2] inverted")
    begin, end = vectors.data("depstech_7060", "start_tag"), vectors.data("depstech_7060", "end_tag")
    jpeg = picture(16, 16, (0, 0), 0.0, dark=False, tables=False)
    sent = bytearray(jpeg)
    sent[len(jpeg) // 2] ^= 0xFF
    player = Player("endoscope.depstech")
    for piece in vectors.cut(begin + struct.pack("<4xI24x", len(jpeg)) + sent + end):
        player.give(piece, "tcp")
    assert player.image().data == jpeg
    camera = Depstech(Random(1))
    camera.connect(7060)
    stream = b"".join(camera.advance(0.01))
    vectors.makes(stream[: len(begin)], "depstech_7060", "start_tag")
    vectors.makes(stream[-len(end) :], "depstech_7060", "end_tag")


def _ov780(vectors: Vectors) -> None:
    """The beacon is what `devices scan` shows; the driver waits for none, since its camera's address is configured."""
    (heard,) = announced(
        [Broadcast(2000, "192.168.2.103", vectors.data("ov780_eteq", "beacon"))], [load_driver("endoscope.ov780")]
    )
    vectors.makes(beacon("192.168.2.103", heard.title), "ov780_eteq", "beacon")
    assert (heard.place, heard.title) == ("udp://192.168.2.103:1000", "WIFICAM")
    player = vectors.uncut("endoscope.ov780")
    vectors.makes(b"".join(player.sent()), "ov780_eteq", "get_allinfo")
    for number, name in enumerate(("", "set_ack", "button_yes")):
        player.give(bytes([1, number, number + 1]) + b"v", "udp")
        if name:
            answer = vectors.data("ov780_eteq", name)
            player.give(bytes([0, number - 1, number + 1]) + b"v" + answer, "udp")
            assert player.sent()[-1] == bytes([1, number - 1, number]) + b"v"
        if number == 1:
            player.wait()
            (beat,) = {sent for sent in player.sent() if b"GetSnapPhoto" in sent and sent[1] == 2}
            acknowledged = b"\0"  # of what the camera said: it had said nothing there
            vectors.makes(beat[:2] + acknowledged + beat[3:], "ov780_eteq", "heartbeat seq2")
    assert [sample.name for sample in player.samples if isinstance(sample, Trigger)] == ["snapshot"]
    assert player.faults == []
    _ov780_camera(vectors)


def _ov780_camera(vectors: Vectors) -> None:
    """The simulated camera answers to what the driver was seen to send."""
    camera = Ov780(Random(1))
    camera.do("press")
    start = b"0010" + b"0006" + b"00000e" + b"05000001Video1"
    (_, acknowledged) = camera.on_datagram(1000, b"\0\0\0v" + start)
    vectors.makes(acknowledged[4:], "ov780_eteq", "set_ack")
    beat = vectors.data("ov780_eteq", "heartbeat seq2")
    (_, pressed) = camera.on_datagram(1000, b"\0\1\1v" + beat[4:])
    vectors.makes(pressed[4:], "ov780_eteq", "button_yes")
