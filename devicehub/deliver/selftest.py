"""The hub's test of its broker: it listens to its own heartbeat, on every connection, for as long as that lasts.

It stops nothing: what the broker acknowledged was acknowledged. But a station whose broker takes everything and
brings nothing looks as healthy as any other, to everybody, until somebody needs what it said.

What is known here of commands and receipts is only that the broker did or did not refuse to send them: there is no
message of ours to come back.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.clock import Clock
from devicehub.deliver.heartbeat import Finding, Heartbeat
from devicehub.health import Gauges
from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.model.message import Kind
from devicehub.publish.port import Incoming, Outgoing, Publisher
from devicehub.publish.topics import Topics

_log = logging.getLogger(__name__)

WITHIN: Final = 5.0
TICK: Final = 0.25
VERSION: Final = "$SYS/broker/version"

_SETTINGS = "set persistence and autosave_interval there as config/broker/station.conf has them"
_COVERED = "what a durable consumer has not confirmed is kept here and sent again"
_BARE = "no durable consumer is registered, so that nobody will ask for it again (see devicehub consume)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Who hears what, none of which waits.

    `remark`: a word and a sentence for an event of the hub. `changed`: `Gauges.silent` did. `durable`: whether a
    durable consumer is registered.
    """

    remark: Callable[[str, str], None]
    changed: Callable[[], None]
    durable: Callable[[], bool]


class SelfTest:
    """One for a run of the hub, over all its connections; sets the gauges `echo`, `silent` and `unheard`."""

    def __init__(
        self,
        topics: Topics,
        clock: Clock,
        gauges: Gauges,
        telling: Telling,
        *,
        period: Callable[[], float],
        own_broker: bool = False,
    ) -> None:
        """`period`: seconds between two heartbeats, now. `own_broker`: this hub started it; its banner says so."""
        self._status = topics.status
        self._health = f"{topics.prefix}/{Kind.HEALTH}"
        self._clock = clock
        self._gauges = gauges
        self._telling = telling
        self._period = period
        self._own_broker = own_broker
        self._heartbeat = Heartbeat()
        self._told: set[str] = set()
        self._watching: asyncio.Task[None] | None = None
        self._echoes: set[asyncio.Future[float]] = set()

    def connected(self, publisher: Publisher) -> None:
        """A connection was made. The subscription leaves as soon as the caller lets others run."""
        self.close()
        self._heartbeat.connected()
        self._gauges.echo = None
        self._watching = asyncio.ensure_future(self._watch(publisher))

    def said(self, out: Outgoing) -> None:
        """A status or health message was put on its way."""
        if out.topic == self._status:
            self._heartbeat.said(out.id, self._clock.monotonic(), WITHIN)
        elif out.topic == self._health:
            # One that is lost at quality of service 0 is no verdict: the next one may still come in time.
            self._heartbeat.said(out.id, self._clock.monotonic(), self._period() + WITHIN)

    def wants(self, topic: str) -> bool:
        """Whether what comes from a topic is for `heard`."""
        return topic in (self._status, self._health, VERSION)

    def heard(self, message: Incoming) -> None:
        """One of the topics that it subscribes to has brought something."""
        if message.topic == VERSION:
            self._known(message.payload.decode("ascii", "replace"))
            return
        name, retained = _name(message.payload), message.topic == self._status
        ours = self._heartbeat.knows(name)
        self._tell(self._heartbeat.heard(name, self._clock.monotonic(), retained=retained))
        for echo in self._echoes:
            if ours and not echo.done():
                echo.set_result(self._heartbeat.round_trip or 0.0)

    async def echo(self) -> float:
        """Have the status said anew; seconds until one of ours has come back. Raises `DeliveryError`."""
        if self._watching is None or self._watching.done():
            raise DeliveryError("there is no connection to the broker")
        echo: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._echoes.add(echo)
        self._telling.changed()
        try:
            async with asyncio.timeout(WITHIN):
                return await echo
        except TimeoutError:
            raise DeliveryError(self._silence()) from None
        finally:
            self._echoes.discard(echo)

    def close(self) -> None:
        """Test no longer."""
        if self._watching is not None:
            self._watching.cancel()

    async def _watch(self, publisher: Publisher) -> None:
        lost, before = asyncio.ensure_future(publisher.lost()), self._gauges.unheard
        try:
            await self._subscribe(publisher)
            while not lost.done():
                await asyncio.wait({lost}, timeout=TICK)
                self._unheard(before + publisher.unheard)
                if not lost.done():
                    self._tell(self._heartbeat.look(self._clock.monotonic()))
        except DeliveryError as error:
            _log.debug("the self-test ends with its connection: %s", error)
        finally:
            self._heartbeat.lost()
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)

    def _unheard(self, count: int) -> None:
        if count != self._gauges.unheard:
            self._gauges.unheard, self._gauges.unheard_at = count, self._clock.monotonic()

    async def _subscribe(self, publisher: Publisher) -> None:
        """A refusal needs no words here: nothing will come back, and that is what is told."""
        for filters in ((self._status, self._health), (VERSION,)):
            try:
                await publisher.subscribe(filters)
            except DeliveryRefusedError as error:
                _log.info("%s", error)

    def _tell(self, findings: list[Finding]) -> None:
        self._gauges.echo, self._gauges.silent = self._heartbeat.round_trip, self._heartbeat.silent
        for finding in findings:
            match finding:
                case Finding.SILENT:
                    self._telling.changed()
                    self._telling.remark("self-test-failed", self._silence())
                case Finding.BACK:
                    self._telling.changed()
                    self._telling.remark("self-test-passed", "the hub's own status comes back from the broker again")
                case Finding.FORGOT:
                    self._forgot()

    def _silence(self) -> str:
        return (
            f"the broker does not bring back what the hub publishes to {self._status}; whether anybody gets its "
            "messages, and it commands and receipts, is not known: let the access list allow this client to read and "
            "write its own status and health (config/broker/station.acl)"
        )

    def _forgot(self) -> None:
        if "forgot" in self._told:
            return
        self._told.add("forgot")
        why = (
            "what the broker retained of this hub is gone: it was started again without what it had stored, or "
            f"another one answers there now; {_SETTINGS}; {self._cover()}"
        )
        self._telling.remark("broker-forgets", why)

    def _known(self, version: str) -> None:
        if self._own_broker or "known" in self._told or not version.startswith("mosquitto"):
            return
        self._told.add("known")
        why = f"{version} acknowledges before it stores, and a kill or power cut takes the rest"
        level = logging.INFO if self._telling.durable() else logging.WARNING
        _log.log(level, "the broker is known to forget: %s; %s; %s", why, _SETTINGS, self._cover())

    def _cover(self) -> str:
        return _COVERED if self._telling.durable() else _BARE


class _Named(Struct, frozen=True):
    id: str = ""


def _name(payload: bytes) -> str:
    """The id of a message; empty for what no hub publishes."""
    try:
        return msgspec.json.decode(payload, type=_Named).id
    except msgspec.DecodeError:
        return ""
