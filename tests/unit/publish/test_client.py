"""What the subclass of aiomqtt rests on. A failure here means: read the new aiomqtt or paho before using it."""

import inspect

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from paho.mqtt import client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from devicehub.publish.client import Client
from devicehub.publish.port import Outgoing
from devicehub.publish.properties import for_publish, for_will, variable_length
from devicehub.publish.settings import BrokerSettings

OVERRIDDEN = ["_on_connect", "_on_disconnect", "_on_message", "_on_publish", "_on_socket_register_write", "_misc_loop"]
TEXT = st.text("abcxyz019-./", max_size=200)  # what Topics lets through


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_is_overridden_exists_with_the_same_parameters(name: str) -> None:
    theirs, ours = getattr(aiomqtt.Client, name), getattr(Client, name)
    assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)
    assert inspect.iscoroutinefunction(theirs) == inspect.iscoroutinefunction(ours)


async def test_what_is_used_exists_with_the_same_type() -> None:
    client = aiomqtt.Client("127.0.0.1")
    assert isinstance(client._connected, type(client._disconnected))
    assert client._loop is not None
    assert client._client._keepalive == 60
    assert client._client._max_inflight_messages == client._client.max_inflight_messages
    assert client._client.connect_timeout == 5.0
    assert list(inspect.signature(paho.Client._ssl_wrap_socket).parameters) == ["self", "tcp_sock"]
    assert inspect.signature(paho.Client._sock_close).parameters.keys() == {"self"}


def test_paho_asks_properties_only_to_pack_when_it_sends() -> None:
    assert "properties.pack()" in inspect.getsource(paho.Client._send_publish)
    assert "_will_properties.pack()" in inspect.getsource(paho.Client._send_connect)


async def test_a_connection_is_not_made_by_making_the_object() -> None:
    client = Client(BrokerSettings(host="127.0.0.1"), aiomqtt.ProtocolVersion.V5, None)
    assert client._client.socket() is None


@given(TEXT, TEXT, st.integers(0, 2**32 - 1) | st.none(), st.binary(max_size=3))
def test_packed_properties_are_what_paho_would_read(
    kind: str, subject: str, expiry: int | None, payload: bytes
) -> None:
    out = Outgoing("t", payload, 1, retain=False, expiry=expiry, type=kind, id="01K9", subject=subject)
    read = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho
    read.unpack(for_publish(out).pack())  # type: ignore[no-untyped-call]  # paho
    assert getattr(read, "UserProperty", None) == [("type", kind), ("id", "01K9"), ("subject", subject)]
    assert getattr(read, "MessageExpiryInterval", None) == expiry
    assert getattr(read, "ContentType", None) == ("application/cloudevents+json" if payload else None)
    assert getattr(read, "PayloadFormatIndicator", None) == (1 if payload else None)


def test_a_will_has_no_expiry() -> None:
    out = Outgoing("t", b"{}", 1, retain=True, expiry=60, type="t", id="i", subject="")
    read = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]  # paho
    read.unpack(for_will(out).pack())  # type: ignore[no-untyped-call]  # paho
    assert not hasattr(read, "MessageExpiryInterval")
    assert getattr(read, "ContentType", None) == "application/cloudevents+json"


@given(st.integers(0, 268_435_455))
def test_lengths_are_encoded_as_paho_does(number: int) -> None:
    assert variable_length(number) == bytes(VariableByteIntegers.encode(number))  # type: ignore[no-untyped-call]  # paho


@given(TEXT, st.binary(max_size=300))
def test_a_request_s_properties_are_what_paho_would_read(topic: str, correlation: bytes) -> None:
    out = Outgoing("t", b"{}", 1, retain=False, expiry=None, type="x", id="01K9", subject="")
    read = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho
    read.unpack(for_publish(structs.replace(out, response_topic=topic, correlation=correlation)).pack())  # type: ignore[no-untyped-call]  # paho
    assert getattr(read, "ResponseTopic", "") == topic
    assert getattr(read, "CorrelationData", b"") == correlation
