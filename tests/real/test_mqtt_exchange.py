"""Publishes and answers as bytes, at both ends of a pair of sockets. A failure means: read the new paho before using it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from paho.mqtt import _packet
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from devicehub.clock import Clock
from devicehub.publish.exchange import Exchange
from devicehub.publish.port import Outgoing
from devicehub.publish.properties import for_publish

pytestmark = pytest.mark.real

Answer = tuple[int, int, str]


@contextmanager
def ends(version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5) -> Iterator[tuple[Exchange, "Far", list[Answer]]]:
    """An exchange over paho's connection to a broker that is this test, and the answers that it tells of."""
    near, far = socket.socketpair()
    near.settimeout(0)
    far.settimeout(0)
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
    client._sock = near
    client.on_socket_register_write = lambda *_: None
    answers: list[Answer] = []
    with near, far:

        def write() -> None:
            client.loop_write()

        yield Exchange(client, lambda *answer: answers.append(answer), write), Far(client, far), answers


class Far:
    """The broker's end."""

    def __init__(self, client: paho.Client, link: socket.socket) -> None:
        self.client, self.link = client, link

    def heard(self) -> bytes:
        """What was sent since."""
        self.client.loop_write()
        try:
            return self.link.recv(100_000)
        except BlockingIOError:
            return b""


def told(number: int) -> Outgoing:
    return Outgoing("t/a", b"%d" % number, 1, retain=False, expiry=None, type="x", id="01K9", subject="")


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 7, 1000])
async def test_answers_are_the_same_wherever_the_stream_is_cut(cut: int) -> None:
    """PUBACK with no more than its message id, with a code, with a code and properties; PINGRESP in between."""
    with ends() as (exchange, far, answers):
        mids = [exchange.publish(told(number), b"\x00") for number in range(5)]
        packets = [
            b"\x40\x02\x00%c",
            b"\x40\x03\x00%c\x10",
            b"\x40\x09\x00%c\x97\x05\x1f\x00\x02no",
            b"\x40\x04\x00%c\x00\x00",
        ]
        stream = b"\xd0\x00".join(packet % mid for packet, mid in zip(packets, mids, strict=False))
        stream += b"\x40\x02\xff\xff" + b"\x40\x03\x00%c\x87" % mids[4]
        for begin in range(0, len(stream), cut):
            far.link.send(stream[begin : begin + cut])
            exchange.read()
    assert [answer[:2] for answer in answers] == [*zip(mids, (0, 0x10, 0x97, 0, 0x87), strict=True)]
    assert (answers[2][2], answers[4][2]) == ("no", "Not authorized")


async def test_no_more_is_under_way_than_the_broker_takes_and_the_rest_follows_in_order() -> None:
    with ends() as (exchange, far, _):
        far.client._max_inflight_messages = 2
        mids = [exchange.publish(told(number), b"\x00") for number in range(5)]
        sent = []
        for mid in [0, *mids]:
            far.link.send(b"\x40\x02\x00%c" % mid)
            exchange.read()
            await Clock().sleep(0)
            sent.append(far.heard().count(b"t/a"))
    assert sent == [2, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
async def test_what_is_handed_over_in_one_turn_goes_at_once_and_is_what_paho_would_read(
    version: MQTTProtocolVersion,
) -> None:
    modern = version is MQTTProtocolVersion.MQTTv5
    with ends(version) as (exchange, far, _):
        mids = [
            exchange.publish(told(number), for_publish(told(number)).pack() if modern else b"") for number in (1, 2)
        ]
        assert far.heard() == b""
        await Clock().sleep(0)
        packets = far.heard()
    half = len(packets) // 2
    read = [_packet.decode_publish(packet[0], packet[2:], version) for packet in (packets[:half], packets[half:])]
    assert [(one.mid, one.topic, one.payload, one.qos) for one in read] == [
        (mid, b"t/a", payload, 1) for mid, payload in zip(mids, (b"1", b"2"), strict=True)
    ]


async def test_a_burst_is_written_in_its_turn_and_what_the_socket_does_not_take_follows_in_order() -> None:
    with ends() as (exchange, far, _):
        far.client._max_inflight_messages = 9_000
        sent = 1000
        while not far.client.want_write():
            exchange.publish(told(sent), b"\x00")
            exchange.flush()
            sent += 1
        exchange.publish(told(sent), b"\x00")
        exchange.flush()
        heard = far.link.recv(100_000)
        at_once = heard.count(b"t/a")
        while new := far.heard():
            heard += new
    assert 0 < at_once < sent - 999
    assert [int(packet[3:7]) for packet in heard.split(b"t/a")[1:]] == [*range(1000, sent + 1)]


async def test_an_answer_that_is_none_or_an_end_of_the_stream_ends_the_connection() -> None:
    with ends() as (exchange, far, _):
        mid = exchange.publish(told(1), b"\x00")
        far.link.send(b"\x40\x03\x00%c\xee" % mid)
        exchange.read()
        assert far.client.socket() is None
    for unread in (False, True):  # what the broker leaves unread when it goes makes the end a reset
        with ends() as (exchange, far, _):
            if unread:
                exchange.publish(told(1), b"\x00")
                exchange.flush()
                far.client.loop_write()
            far.link.close()
            exchange.read()
            assert far.client.socket() is None
