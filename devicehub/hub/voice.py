"""What the hub says in its own name: messages about itself, addressed and encoded."""

from collections.abc import Callable

from devicehub.board import Board
from devicehub.clock import Clock
from devicehub.health import Gauges
from devicehub.hub.plan import Plan, RulesChange
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import AnyPayload, HubEventData, StatusData
from devicehub.publish.envelope import Encoder, outgoing
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics


class Voice:
    """Makes the messages of one run, and puts those of which only the latest counts on the board."""

    def __init__(self, plan: Plan, board: Board, gauges: Gauges, clock: Clock) -> None:
        """`gauges`: what the status tells of. It names the journal's `epoch` as well, once that is open."""
        self._plan = plan
        self._board = board
        self._gauges = gauges
        self._clock = clock
        self._listeners: list[Callable[[Outgoing], None]] = []
        self.epoch = ""

    def message(self, kind: Kind, word: str, data: AnyPayload | None, device: str = "", point: str = "") -> Message:
        """A message of this moment. `data` None deletes what is retained of its topic."""
        now, name = self._clock.stamp(), self._plan.setting.ids()
        return Message(
            kind=kind, type=word, id=name, time=now.utc, mono=now.mono, data=data, device=device, point=point
        )

    def event(self, what: str, why: str = "") -> Message:
        """The event `hub.{what}`: something happened to the hub as a whole."""
        return self.message(Kind.EVENT, f"hub.{what}", HubEventData(what, why))

    def rules(self, change: RulesChange | None) -> list[Message]:
        """The event `alarm.rules`, if there is a change."""
        return [] if change is None else [self.message(Kind.EVENT, "alarm.rules", change.data)]

    def say(self, kind: Kind, word: str, data: AnyPayload) -> None:
        """Put a message on the board."""
        out = self.latest(self.message(kind, word, data))
        self._board.post(out)
        for listener in self._listeners:
            listener(out)

    def listen(self, listener: Callable[[Outgoing], None]) -> None:
        """Call `listener` with whatever is put on the board from now on."""
        self._listeners.append(listener)

    def status(self, state: str) -> None:
        """Put the hub's own state on the board."""
        gauges = self._gauges
        data = StatusData(
            state,
            instant(self._clock.utc()),
            self._plan.boot,
            gauges.proven,
            accepting=not gauges.refusing,
            unheard=gauges.deserted(self._clock.monotonic()),
            epoch=self.epoch,
        )
        self.say(Kind.STATUS, "status", data)

    def stored(self, message: Message, place: Place) -> Outgoing:
        """A message that has a place in the journal, as it is published."""
        return outgoing(message, self._plan.encoder.encode(message, place), self._plan.topics)

    def latest(self, message: Message) -> Outgoing:
        """A message that is not journalled, as it is published."""
        return outgoing(message, self._plan.encoder.encode(message), self._plan.topics)


def will(topics: Topics, encoder: Encoder, clock: Clock, boot: str) -> Outgoing:
    """The message that the broker publishes when this hub vanishes."""
    data = StatusData("lost", None, boot)
    message = Message(kind=Kind.STATUS, type="status", id=clock.ulid(), time=clock.utc(), mono=0.0, data=data)
    return outgoing(message, encoder.encode(message), topics)
