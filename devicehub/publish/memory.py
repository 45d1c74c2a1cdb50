"""A broker in this process, behind the same port: for tests in virtual time and for dry runs."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache

from paho.mqtt.client import topic_matches_sub

from devicehub.model.errors import DeliveryError, DeliveryRefusedError
from devicehub.publish.inbox import Inbox
from devicehub.publish.port import Delivery, Incoming, Outgoing, Publisher

INBOX = 10_000


@lru_cache(maxsize=4096)
def _matches(filtered: str, topic: str) -> bool:
    return topic_matches_sub(filtered, topic)


def _at_once(out: Outgoing) -> float:  # noqa: ARG001  the signature of `delay`
    return 0.0


def _nothing(out: Outgoing) -> str:  # noqa: ARG001  the signature of `refuse`
    return ""


class MemoryBroker:
    """Keeps what it took, in order, and the retained messages; hands out what was subscribed.

    `delay` gives the seconds until a QoS 1 message is taken and acknowledged; messages of one
    connection never overtake each other. `refuse` gives the reason why a message is refused, empty
    for none. `withhold` says of which topics nothing is handed out, though the subscription is
    granted. `forbid` says which filters nobody may subscribe to. `keep` bounds the log for long runs,
    None keeps everything.
    """

    def __init__(
        self,
        *,
        delivery: Delivery = "broker-acked",
        delay: Callable[[Outgoing], float] = _at_once,
        refuse: Callable[[Outgoing], str] = _nothing,
        withhold: Callable[[str], bool] = frozenset[str]().__contains__,
        keep: int | None = None,
    ) -> None:
        self.delivery: Delivery = delivery
        self.delay = delay
        self.refuse = refuse
        self.withhold = withhold
        self.forbid: Callable[[str], bool] = frozenset[str]().__contains__
        self.log: deque[tuple[float, Outgoing]] = deque(maxlen=keep)
        self._retained: dict[str, tuple[float, Outgoing]] = {}
        self._connections: list[_Connection] = []
        self._down = False

    @property
    def retained(self) -> Mapping[str, Outgoing]:
        """What a subscriber that comes now would get, by topic. Expired messages are gone."""
        now = asyncio.get_running_loop().time()
        return {
            topic: out for topic, (at, out) in self._retained.items() if out.expiry is None or now - at < out.expiry
        }

    @asynccontextmanager
    async def connect(self, will: Outgoing | None = None) -> AsyncIterator[Publisher]:
        """A connection. Raises `DeliveryError` during an outage. The will is published unless it is left in order."""
        if self._down:
            raise DeliveryError("the broker in this process is down")
        connection = _Connection(self, will)
        self._connections.append(connection)
        orderly = False
        try:
            yield connection
            orderly = True
        finally:
            connection.end("the connection was closed", orderly=orderly)
            if connection in self._connections:
                self._connections.remove(connection)

    def outage(self, *, taken: int = 0) -> None:
        """Cut the network: every connection is lost, no new one is made until `restore`, wills are published.

        Of the pending messages of each connection, the first `taken` reached the broker and only
        their acknowledgement is lost; the others never arrived.
        """
        self._down = True
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.arrive(taken)
            connection.end("the broker in this process is down", orderly=False)

    def restore(self) -> None:
        """End the outage. Retained messages are still there."""
        self._down = False

    def forget(self) -> None:
        """Lose the retained messages, as a broker without persistence does when it is started again."""
        self._retained.clear()

    def wanted(self, topic: str) -> bool:
        """Whether anybody subscribed to a topic."""
        return any(connection.wants(topic) for connection in self._connections)

    def take(self, out: Outgoing) -> None:
        """Log a message, hand it to its subscribers and keep it if it is retained; an empty one deletes."""
        now = asyncio.get_running_loop().time()
        self.log.append((now, out))
        for connection in self._connections:
            connection.hear(out)
        if out.retain and out.payload:
            self._retained[out.topic] = (now, out)
        elif out.retain:
            self._retained.pop(out.topic, None)


class _Connection:
    """See `Publisher`."""

    def __init__(self, broker: MemoryBroker, will: Outgoing | None) -> None:
        self._broker = broker
        self._will = will
        self._loop = asyncio.get_running_loop()
        self._pending: deque[tuple[Outgoing, asyncio.Future[None], asyncio.TimerHandle]] = deque()
        self._last = 0.0
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._filters: set[str] = set()
        self._inbox = Inbox(INBOX)
        self.unheard = 0

    @property
    def delivery(self) -> Delivery:
        return self._broker.delivery

    def submit(self, out: Outgoing) -> asyncio.Future[None]:
        if self._lost.done():
            raise DeliveryError(str(self._lost.exception()))
        future: asyncio.Future[None] = self._loop.create_future()
        if out.qos == 0:
            if not self._broker.refuse(out):  # nobody is told of a refusal at QoS 0
                self._broker.take(out)
            future.set_result(None)
            return future
        self._last = max(self._last, self._loop.time() + self._broker.delay(out))
        self._pending.append((out, future, self._loop.call_at(self._last, self._acknowledge)))
        return future

    async def subscribe(self, filters: Sequence[str]) -> None:
        if self._lost.done():
            raise DeliveryError(str(self._lost.exception()))
        refused = [one for one in filters if self._broker.forbid(one)]
        filters = [one for one in filters if one not in refused]
        self._filters.update(filters)
        for topic, out in self._broker.retained.items():
            if any(_matches(one, topic) for one in filters) and not self._broker.withhold(topic):
                kept = Incoming(topic, out.payload, retain=True)
                self._inbox.put(kept._replace(response_topic=out.response_topic, correlation=out.correlation))
        if refused:
            raise DeliveryRefusedError(f"the broker refuses a subscription to {', '.join(refused)}")

    def incoming(self) -> AsyncIterator[Incoming]:
        return self._inbox.messages()

    @property
    def dropped(self) -> int:
        return self._inbox.dropped

    def wants(self, topic: str) -> bool:
        return any(_matches(one, topic) for one in self._filters)

    def hear(self, out: Outgoing) -> None:
        """A message that the broker took; `retain` as it was published, as MQTT 5 gives it on request."""
        if self.wants(out.topic) and not self._broker.withhold(out.topic):
            self._inbox.put(Incoming(out.topic, out.payload, out.retain, out.response_topic, out.correlation))

    async def lost(self) -> None:
        await asyncio.shield(self._lost)

    def arrive(self, count: int) -> None:
        """The first `count` pending messages reach the broker without being acknowledged."""
        for out, _, _ in list(self._pending)[:count]:
            if not self._broker.refuse(out):
                self._broker.take(out)

    def end(self, why: str, *, orderly: bool) -> None:
        """Lose the connection: everything pending fails, and the will is published unless it ends in order."""
        if self._lost.done():
            return
        self._lost.set_exception(DeliveryError(why))
        self._lost.exception()  # marks it as seen: whoever waits still gets it, nobody has to
        self._inbox.end(why)
        while self._pending:
            _, future, timer = self._pending.popleft()
            timer.cancel()
            if not future.done():
                future.set_exception(DeliveryError(why))
                future.exception()
        if self._will is not None and not orderly:
            self._broker.take(self._will)

    def _acknowledge(self) -> None:
        out, future, _ = self._pending.popleft()
        reason = self._broker.refuse(out)
        if not reason:
            self.unheard += not out.retain and not self._broker.wanted(out.topic)
            self._broker.take(out)
        if future.done():
            return
        if reason:
            future.set_exception(DeliveryRefusedError(f"{out.topic}: the broker refused it: {reason}"))
        else:
            future.set_result(None)
