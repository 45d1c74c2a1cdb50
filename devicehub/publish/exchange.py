"""Publishes of quality of service 1 and their answers, coded by ourselves over paho's connection.

paho makes an object with a condition variable of each publish, sends it by itself, and reads an answer of four bytes in
three calls. Here what is handed over within one turn of the loop is sent together, and all answers that have come are
read at once. Whatever else arrives, and an answer that says more than yes, is left to paho.

Sources: MQTT Version 5.0, 3.3 PUBLISH, 3.3.4 (receive maximum), 3.4 PUBACK; MQTT 3.1.1 has the same without properties.
There is no public way into paho's connection, so private names are used; a test fails when paho changes one of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from paho.mqtt import _packet
from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode

from devicehub.publish.port import Outgoing
from devicehub.publish.properties import variable_length

_PUBLISH: Final = 0x32
_PUBACK: Final = 0x40
_REFUSED: Final = 0x80
_READ: Final = 65536

Answered = Callable[[int, int, str], None]


class Exchange:
    """What goes out and comes in on one connection of paho's. Lives in the thread of the loop."""

    def __init__(self, client: paho.Client, answered: Answered, write: Callable[[], None]) -> None:
        """`answered`: told message id, reason code and, for a refusal, the broker's word for it.

        `write`: sends what paho has for the socket.
        """
        self._client = client
        self._answered = answered
        self._write = write
        self.writing = False
        self._burst: list[bytes] = []
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._under_way: set[int] = set()
        self._unread = bytearray()
        self._new_mid, self._queue = client._mid_generate, client._packet_queue  # noqa: SLF001  see above
        self._end, self._take_one = client._loop_rc_handle, client._packet_read  # noqa: SLF001  see above
        self._receive, self._completed = client._sock_recv, client._handle_pubackcomp  # noqa: SLF001  see above
        client._sock_recv, client._handle_pubackcomp = self._handed, self._explained  # type: ignore[method-assign]  # noqa: SLF001  see above
        client.loop_read = self.read  # type: ignore[method-assign]  # what the loop calls when there is something

    def publish(self, out: Outgoing, properties: bytes) -> int:
        """Send a message, or keep it until the broker has room for it; gives the message id."""
        mid = self._new_mid()
        topic = out.topic.encode()
        length = 4 + len(topic) + len(properties) + len(out.payload)
        head = bytes((_PUBLISH | out.retain,)) + variable_length(length) + len(topic).to_bytes(2, "big")
        packet = b"".join((head, topic, mid.to_bytes(2, "big"), properties, out.payload))
        if len(self._under_way) < self._client.max_inflight_messages:
            self._send(mid, packet)
        else:
            self._waiting.append((mid, packet))
        return mid

    def flush(self) -> None:
        """Send what was handed over in this turn of the loop, ahead of what paho is given from now on.

        At once where nothing waits for the socket (`writing` meanwhile): to wait until it can be written to, as it
        nearly always can, costs more than the write.
        """
        if self._burst:
            packets, self._burst = b"".join(self._burst), []
            self.writing = not self._client.want_write()
            self._queue(_PUBLISH, packets, 0, 1)
            if self.writing:
                self.writing = False
                self._write()

    def read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002  paho's signature
        """Take what has arrived. In place of `paho.Client.loop_read`, which takes a packet or a few."""
        try:
            arrived = self._receive(_READ)
        except BlockingIOError:
            return paho.MQTT_ERR_SUCCESS
        except OSError:
            arrived = b""
        if not arrived:
            return self._end(paho.MQTT_ERR_CONN_LOST)
        self._client._last_bytes_received = paho.time_func()  # noqa: SLF001  see above
        self._unread += arrived
        ended = self._take()
        return self._end(ended) if ended > 0 else paho.MQTT_ERR_SUCCESS

    def _send(self, mid: int, packet: bytes) -> None:
        self._under_way.add(mid)
        if not self._burst:
            asyncio.get_running_loop().call_soon(self.flush)
        self._burst.append(packet)

    def _take(self) -> MQTTErrorCode:
        """Every packet that is there. Stops with an error code where paho does."""
        unread = self._unread
        while unread and self._client.socket() is not None:
            size = 0 if self._begun()["command"] else _yes(unread)
            if size:
                mid, code = unread[2] << 8 | unread[3], unread[4] if size > 4 else 0
                del unread[:size]
                self._settle(mid, code, "")
                continue
            ended = self._take_one()
            if ended != paho.MQTT_ERR_SUCCESS:
                return ended
        return paho.MQTT_ERR_SUCCESS

    def _settle(self, mid: int, code: int, reason: str) -> None:
        if mid not in self._under_way:
            return
        self._under_way.discard(mid)
        if self._waiting:
            self._send(*self._waiting.popleft())
        self._answered(mid, code, reason)

    def _handed(self, bufsize: int) -> bytes:
        """What paho reads: from what has arrived."""
        if not self._unread:
            raise BlockingIOError
        taken = bytes(self._unread[:bufsize])
        del self._unread[:bufsize]
        return taken

    def _begun(self) -> "paho._InPacket":
        """The packet that paho has a part of; without a command, there is none."""
        return self._client._in_packet  # noqa: SLF001  see above

    def _explained(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        """An answer in full, as paho decodes it. Raises paho's `MalformedPacket`, which ends the connection."""
        if cmd != "PUBACK":
            return self._completed(cmd)
        packet = self._begun()
        answer = _packet.decode_puback(packet["command"], packet["packet"], self._client.protocol)
        reason = getattr(answer.properties, "ReasonString", "") or answer.reason.getName()
        self._settle(answer.mid, answer.reason.value, reason)
        return paho.MQTT_ERR_SUCCESS


def _yes(unread: bytearray) -> int:
    """How many bytes the next packet has if it is a whole PUBACK that refuses nothing and says no more; otherwise 0."""
    if len(unread) < 4 or unread[0] != _PUBACK:
        return 0
    length = unread[1]
    if length == 2:
        return 4
    plain = length == 3 and len(unread) > 4 and unread[4] < _REFUSED
    return 5 if plain else 0
