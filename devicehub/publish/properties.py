"""MQTT 5 properties packed by ourselves: paho takes 30 us for a publish, this takes 2.

Source: MQTT Version 5.0, 2.2.2 Properties. A property is its identifier (one byte) and its value;
strings are UTF-8 behind a 16-bit length; the whole is preceded by its length as a variable byte integer.
"""

import struct

from paho.mqtt.properties import Properties

from devicehub.publish.envelope import CONTENT_TYPE
from devicehub.publish.port import Outgoing

_PAYLOAD_IS_UTF8 = b"\x01\x01"
_MESSAGE_EXPIRY = struct.Struct(">BI")
_USER = 0x26
_EXPIRY = 0x02
_CONTENT_TYPE = 0x03
_RESPONSE_TOPIC = 0x08
_CORRELATION_DATA = 0x09


class PackedProperties(Properties):
    """Properties that are bytes already. paho asks for nothing but `pack` when it sends."""

    def __init__(self, body: bytes) -> None:
        object.__setattr__(self, "_packed", variable_length(len(body)) + body)

    def pack(self) -> bytes:
        """What goes into the packet."""
        packed: bytes = object.__getattribute__(self, "_packed")
        return packed

    def __str__(self) -> str:
        return self.pack().hex()


def for_publish(out: Outgoing) -> PackedProperties:
    """Content type, expiry, response topic, correlation data and the user properties `type`, `id`, `subject`.

    A deletion has no content type.
    """
    expiry = b"" if out.expiry is None else _MESSAGE_EXPIRY.pack(_EXPIRY, out.expiry)
    request = _request(out) if out.response_topic or out.correlation else b""
    return PackedProperties((_JSON if out.payload else b"") + expiry + request + _users(out))


def for_will(out: Outgoing) -> PackedProperties:
    """The same for a will; a will's expiry would count from the loss, so it has none."""
    return PackedProperties(_JSON + _users(out))


def variable_length(number: int) -> bytes:
    """A variable byte integer: seven bits a byte, least significant first, the top bit says that more follow."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _request(out: Outgoing) -> bytes:
    topic = bytes([_RESPONSE_TOPIC]) + _text(out.response_topic) if out.response_topic else b""
    if not out.correlation:
        return topic
    return topic + bytes([_CORRELATION_DATA]) + len(out.correlation).to_bytes(2, "big") + out.correlation


def _user(name: str) -> bytes:
    return bytes([_USER]) + _text(name)


_JSON = _PAYLOAD_IS_UTF8 + bytes([_CONTENT_TYPE]) + _text(CONTENT_TYPE)
_TYPE, _ID, _SUBJECT = _user("type"), _user("id"), _user("subject")


def _users(out: Outgoing) -> bytes:
    return _TYPE + _text(out.type) + _ID + _text(out.id) + _SUBJECT + _text(out.subject)
