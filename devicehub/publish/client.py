"""aiomqtt made fit for events that must not be lost. Only this package knows aiomqtt and paho.

What aiomqtt 2.5.1 leaves out, and what this subclass adds:

* the reason code of a PUBACK is dropped, so a publish that the broker refused looks delivered: kept;
* a publish is awaited one by one: futures by message id, any number under way;
* a publish under way when the connection dies waits for its whole timeout: fails at once;
* a connection closed before CONNACK waits for its whole timeout: fails at once;
* a frozen broker is noticed after two keepalives and a half: after one;
* an answer that never comes though the broker lives and answers others is never noticed: `acknowledge_timeout`;
* the socket of a failed TLS handshake is left to the garbage collector: closed;
* limits of the CONNACK (receive maximum, packet size, quality of service, retain) are ignored: kept;
* received messages are bounded in number only, and each one dropped is a line in the log: see `Inbox`.

There is no public way to any of them, so the private names below are used; a test fails when a
new aiomqtt or paho changes one of them.
"""

import asyncio
import socket
import ssl
import threading
from typing import Final, NoReturn

import aiomqtt
from paho.mqtt import client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.exchange import Exchange
from devicehub.publish.inbox import Inbox
from devicehub.publish.port import Incoming, Outgoing
from devicehub.publish.properties import PackedProperties, for_publish, for_will, variable_length
from devicehub.publish.reasons import unpublished
from devicehub.publish.settings import BrokerSettings

TCP_TIMEOUT: Final = 1.5
_UNHEARD: Final = 0x10
_REFUSED: Final = 0x80
_SILENT: Final = 0x8D
_TAKEN_OVER: Final = 0x8E


class Client(aiomqtt.Client):
    """One connection. Entering raises aiomqtt's own errors; `devicehub.publish.mqtt` translates them."""

    def __init__(self, settings: BrokerSettings, version: aiomqtt.ProtocolVersion, will: Outgoing | None) -> None:
        self.modern = version is aiomqtt.ProtocolVersion.V5
        super().__init__(
            settings.host,
            settings.port,
            username=settings.username or None,
            password=settings.password or None,
            identifier=settings.identifier or None,
            protocol=version,
            will=None if will is None else _will(will, modern=self.modern),
            clean_session=None if self.modern else True,
            clean_start=True if self.modern else paho.MQTT_CLEAN_START_FIRST_ONLY,
            # No CONNECT properties: without one the session ends with the connection, which is what we want, and
            # a broker for 3.1.1 that reads them as the client identifier would wait for the rest of it for ever.
            timeout=settings.connect_timeout,
            keepalive=settings.keepalive,
            max_inflight_messages=settings.window,
            tls_context=settings.tls,
            socket_options=_socket_options(settings.keepalive),
        )
        # A SYN that was lost is sent again after 1, 3 and 7 s: a new attempt finds a network that is back sooner.
        self._client.connect_timeout = min(settings.connect_timeout, TCP_TIMEOUT)
        self._client._ssl_wrap_socket = self._secure  # type: ignore[method-assign]  # noqa: SLF001  see above
        self._settings = settings
        self._thread = threading.get_ident()
        self._pending: dict[int, tuple[Outgoing, asyncio.Future[None]]] = {}
        self._exchange = Exchange(self._client, self._answered, self._write_at_once)
        self._limits: Properties | None = None
        self.inbox = Inbox(settings.incoming)
        self.unheard = 0
        self.lost: asyncio.Future[NoReturn] = self._loop.create_future()

    def submit(self, out: Outgoing) -> asyncio.Future[None]:
        """See `Publisher.submit`."""
        if self.lost.done():
            raise DeliveryError(str(self.lost.exception()))
        future: asyncio.Future[None] = self._loop.create_future()
        properties = for_publish(out) if self.modern else None
        obstacle = self._obstacle(out, properties)
        if obstacle:
            future.set_exception(DeliveryRefusedError(f"{out.topic}: {obstacle}"))
            return future
        mid = self._sent(out, properties)
        self._pending[mid] = (out, future)
        return future

    def _sent(self, out: Outgoing, properties: PackedProperties | None) -> int:
        """Message id of what is on its way now."""
        if out.qos == 1:
            return self._exchange.publish(out, b"" if properties is None else properties.pack())
        self._exchange.flush()
        info = self._client.publish(out.topic, out.payload, out.qos, out.retain, properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise DeliveryError(f"{out.topic}: {paho.error_string(info.rc)}")
        return info.mid

    def abort(self, why: str) -> None:
        """Close the socket without DISCONNECT, so that the broker publishes the will, and fail what is pending.

        Not from within a callback of paho: it holds a lock that closing the socket takes.
        """
        self._fail(why)
        self._client._sock_close()  # noqa: SLF001  paho closes at once in no public way

    async def open(self) -> None:
        """Connect. A cancellation is honoured once the blocking TCP or TLS handshake has ended."""
        entering = self._loop.create_task(self.__aenter__())
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            if not self._connected.done():
                self._connected.set_exception(aiomqtt.MqttError("given up"))
            await asyncio.wait({entering})
            self.abort("the connection was given up")
            raise
        except aiomqtt.MqttError:
            self.abort("the connection could not be opened")
            raise
        self._disconnected.add_done_callback(self._on_end)

    async def close(self) -> None:
        """Say DISCONNECT, so that the broker drops the will, and close. Never raises; a dead broker is left behind."""
        self._exchange.flush()
        try:
            await self.__aexit__(None, None, None)
        except aiomqtt.MqttError as error:
            self._logger.info("the broker did not take the DISCONNECT: %s", error)
        finally:
            self.abort("the connection was closed")

    def _secure(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """TLS over a connected socket. Runs in the thread that connects."""
        assert self._settings.tls is not None
        secure = self._settings.tls.wrap_socket(
            tcp_sock, server_hostname=self._settings.host, do_handshake_on_connect=False
        )
        try:
            secure.settimeout(self._settings.connect_timeout)
            secure.do_handshake()
        except BaseException:
            secure.close()
            raise
        return secure

    def _obstacle(self, out: Outgoing, properties: PackedProperties | None) -> str:
        """Why the broker said at CONNACK that it will not take `out`; empty if it will."""
        largest = getattr(self._limits, "MaximumPacketSize", None)
        if largest is not None and (size := _packet_size(out, properties)) > largest:
            return f"{size} bytes are more than the broker's maximum packet size of {largest}"
        if out.qos > getattr(self._limits, "MaximumQoS", 2):
            return f"the broker does not take quality of service {out.qos}"
        if out.retain and not getattr(self._limits, "RetainAvailable", 1):
            return "the broker does not retain messages"
        return ""

    def _ending(self, flags: paho.DisconnectFlags, reason_code: ReasonCode) -> str:
        if reason_code.value == _TAKEN_OVER:
            return f"the broker ended the connection: another client uses the identifier {self.identifier}"
        if flags.is_disconnect_packet_from_server:
            return f"the broker ended the connection: {reason_code.getName()}"
        if reason_code.value == _SILENT:
            return "the connection to the broker ended: the broker does not answer"
        if reason_code.value:
            return "the connection to the broker ended: it hung up or the network broke"
        return "the connection was closed"

    def _fail(self, why: str) -> None:
        if self.lost.done():
            return
        pending, self._pending = self._pending, {}
        self.lost.set_exception(DeliveryError(why))
        self.lost.exception()  # marks it as seen: whoever waits still gets it, nobody has to
        self.inbox.end(why)
        for _, future in pending.values():
            if not future.done():
                future.set_exception(DeliveryError(why))
                future.exception()

    def _on_end(self, disconnected: asyncio.Future[None]) -> None:
        error = disconnected.exception()
        self.abort("the connection was closed" if error is None else f"the connection to the broker ended: {error}")

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self._limits = properties
        window = getattr(properties, "ReceiveMaximum", self._client.max_inflight_messages)
        self._client._max_inflight_messages = min(window, self._client.max_inflight_messages)  # noqa: SLF001  no setter once connected
        # A ping after half the keepalive and half of it for the answer: silence is noticed within one keepalive.
        self._client._keepalive = max(1, self._client.keepalive // 2)  # noqa: SLF001  no setter once connected
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttCodeError(reason_code))
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        # At once and not through aiomqtt's future, which it makes anew if this comes right behind the CONNACK.
        self._fail(self._ending(flags, reason_code))

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        del client, userdata
        properties = message.properties
        self.inbox.put(
            Incoming(
                message.topic,
                bytes(message.payload),
                message.retain,
                getattr(properties, "ResponseTopic", ""),
                getattr(properties, "CorrelationData", b""),
            )
        )

    def _on_publish(
        self,
        client: paho.Client,  # noqa: ARG002  paho's signature
        userdata: object,  # noqa: ARG002  paho's signature
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        self._answered(mid, reason_code.value, getattr(properties, "ReasonString", "") or reason_code.getName())

    def _answered(self, mid: int, code: int, reason: str) -> None:
        """What became of a publish: see `Exchange`; one of quality of service 0 is on its way."""
        out, future = self._pending.pop(mid, (None, None))
        if out is None or future is None or future.done():
            return
        if code < _REFUSED:
            self.unheard += code == _UNHEARD and not out.retain
            future.set_result(None)
            return
        future.set_exception(unpublished(out.topic, code, reason))

    def _on_socket_register_write(self, client: paho.Client, userdata: object, sock: socket.socket) -> None:
        if threading.get_ident() != self._thread:
            super()._on_socket_register_write(client, userdata, sock)
            return
        # Within the loop's thread: at once, or a socket closed in the same tick would be registered after its end.
        if not self._exchange.writing:
            self._loop.add_writer(sock.fileno(), self._write)

    def _write_at_once(self) -> None:
        """What the socket does not take is left to the loop."""
        self._write()
        if (sock := self._client.socket()) is not None and self._client.want_write():
            self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except OSError as error:
            self.abort(f"the connection to the broker ended: {error}")

    async def _misc_loop(self) -> None:
        oldest, since = None, 0.0
        while self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:
            before, oldest = oldest, next((future for out, future in self._pending.values() if out.qos), None)
            if oldest is not before:
                since = self._loop.time()
            waited = self._loop.time() - since
            if oldest is not None and waited > self._settings.acknowledge_timeout:
                self.abort(f"the broker has left a message unacknowledged for {waited:.0f} s")
            await asyncio.wait({self.lost}, timeout=self._settings.keepalive / 10)


def _packet_size(out: Outgoing, properties: PackedProperties | None) -> int:
    body = 2 + len(out.topic.encode()) + (2 if out.qos else 0) + len(out.payload)
    body += 0 if properties is None else len(properties.pack())
    return 1 + len(variable_length(body)) + body


def _will(out: Outgoing, *, modern: bool) -> aiomqtt.Will:
    return aiomqtt.Will(out.topic, out.payload, out.qos, out.retain, for_will(out) if modern else None)


def _socket_options(keepalive: int) -> list[tuple[int, int, int]]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, keepalive * 1000))
    return options
