"""Messages of a hub for the tests of the consumer, as the real encoder writes them."""

from devicehub.clock import Clock
from devicehub.consume.conformance.hub import Numbered, PlayedHub
from devicehub.consume.heard import Heard, understood
from devicehub.model.stream import Stream

BOTH = frozenset({Stream.ALARMS, Stream.EVENTS})
START = 1_795_425_247.0


def hub(node: str = "lane1", *, at: float = START, seed: int = 1, exercise: bool = False) -> PlayedHub:
    """A hub that records everything at `at` (UTC)."""
    return PlayedHub("bcp-south", node, Clock(utc=lambda: at, seed=seed), exercise=exercise)


def heard(message: Numbered, *, again: bool = False) -> Heard:
    """A message as a consumer takes it."""
    out = message.again if again else message.out
    found = understood(out.topic, out.payload)
    assert found is not None
    return found


def events(of: PlayedHub, count: int, stream: Stream = Stream.EVENTS) -> list[Heard]:
    """The next messages of a stream."""
    return [heard(one) for one in of.events(stream, count)]
