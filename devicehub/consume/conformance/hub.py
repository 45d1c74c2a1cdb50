"""The hub that is played: its numbers, its messages, what it says of those that are lost. Pure but for the clock."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from devicehub.clock import Clock
from devicehub.consume.count import Count, Ranges
from devicehub.model.alarm import AlarmCategory, AlarmState, Condition, Priority
from devicehub.model.gap import GapReason
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import AlarmData, AnyPayload, GapData, HubEventData, ScanData, StatusData, TextData
from devicehub.model.reading import Quality
from devicehub.model.stream import Stream
from devicehub.publish.envelope import Encoder, historical, outgoing
from devicehub.publish.port import Outgoing
from devicehub.publish.topics import Topics

DEVICE = "check-1"
POINT = "check-high"


class Numbered(Struct, frozen=True):
    """A message with its number. `out` is what is published of it first, `again` what is published later."""

    epoch: str
    stream: Stream
    number: int
    out: Outgoing

    @property
    def again(self) -> Outgoing:
        """Its copy for a replay."""
        return structs.replace(self.out, payload=historical(self.out.payload))


class Reach:
    """How far a receipt may go at most: everything up to there was published, or told to be lost."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Stream], Count] = {}

    def publish(self, message: Numbered) -> None:
        """A message was published."""
        self.lose(message.epoch, message.stream, ((message.number, message.number),))

    def lose(self, epoch: str, stream: Stream, ranges: Ranges) -> None:
        """A gap was published."""
        self._counts.setdefault((epoch, stream), Count()).lose(ranges)

    def of(self, epoch: str, stream: Stream) -> int:
        """The highest number that a receipt may have."""
        count = self._counts.get((epoch, stream))
        return 0 if count is None else count.received


class PlayedHub:
    """A journal in memory. `log` holds every message of every epoch, `late` names those that were lost for a time."""

    def __init__(self, site: str, node: str, clock: Clock, *, exercise: bool) -> None:
        self._clock = clock
        self._encoder = Encoder(site, node, boot=clock.token(4).hex(), exercise=exercise)
        self.topics = Topics(site, node, exercise=exercise)
        self.epoch = ""
        self._position = 0
        self.log: dict[tuple[str, Stream, int], Numbered] = {}
        self._last: dict[Stream, int] = {}
        self.reach = Reach()
        self.late: set[tuple[str, Stream, int]] = set()
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """The journal was replaced."""
        self.epoch = self._clock.token(4).hex()
        self._last = dict.fromkeys(Stream, 0)
        self._position = 0

    @property
    def last(self) -> Mapping[Stream, int]:
        """The newest number of each stream of the epoch."""
        return self._last

    def events(self, stream: Stream, count: int) -> list[Numbered]:
        """The next messages of a stream."""
        return [self._numbered(stream, *self._content(stream)) for _ in range(count)]

    def gap(self, stream: Stream, ranges: Ranges, epoch: str = "") -> Numbered:
        """These numbers of the hub's or a former epoch will not come. The message is one of `events` itself."""
        count = sum(last - first + 1 for first, last in ranges)
        gap = GapData(
            stream=stream,
            reason=GapReason.DAMAGED,
            count=count,
            first=ranges[0][0],
            last=ranges[-1][1],
            epoch=epoch or self.epoch,
            ranges=ranges,
        )
        return self._numbered(Stream.EVENTS, Kind.GAP, "gap", gap)

    def state_of_alarm(self) -> Outgoing:
        """A retained message, which has no number."""
        message = self._message(Kind.ALARM, "alarm.raised", self._alarm())
        self._position += 1
        place = Place(self.epoch, Stream.ALARMS, None, self._position, self._clock.utc())
        return outgoing(message, self._encoder.encode(message, place), self.topics)

    def status(self) -> Outgoing:
        """That it is there, and in which epoch: retained, by which a consumer of all hubs finds it."""
        message = self._message(Kind.STATUS, "status", StatusData("online", epoch=self.epoch))
        return outgoing(message, self._encoder.encode(message), self.topics)

    def after(self, stream: Stream, number: int, most: int) -> Sequence[Numbered]:
        """What is there of the epoch's stream above a number, in order."""
        numbers = range(number + 1, min(self._last[stream], number + most) + 1)
        return [self.log[key] for one in numbers if (key := (self.epoch, stream, one)) in self.log]

    def forget(self, stream: Stream, ranges: Ranges) -> list[Numbered]:
        """Lose messages from the journal; gives them, should they be found after all."""
        gone = []
        for first, last in ranges:
            gone += [self.log.pop((self.epoch, stream, number)) for number in range(first, last + 1)]
        return gone

    def find(self, message: Numbered) -> None:
        """A lost message is there after all."""
        key = (message.epoch, message.stream, message.number)
        self.log[key] = message
        self.late.add(key)

    def _numbered(self, stream: Stream, kind: Kind, what: str, data: AnyPayload) -> Numbered:
        self._position += 1
        self._last[stream] += 1
        number = self._last[stream]
        message = self._message(kind, what, data)
        place = Place(self.epoch, stream, number, self._position, self._clock.utc())
        out = outgoing(message, self._encoder.encode(message, place), self.topics)
        numbered = Numbered(self.epoch, stream, number, out)
        self.log[self.epoch, stream, number] = numbered
        return numbered

    def _message(self, kind: Kind, what: str, data: AnyPayload) -> Message:
        named = kind in (Kind.ALARM, Kind.SCAN) or what.startswith("alarm.")
        return Message(
            kind,
            what,
            self._clock.ulid(),
            self._clock.utc(),
            0.0,
            data,
            device=DEVICE if named else "",
            point=POINT if named and kind is not Kind.SCAN else "",
        )

    def _content(self, stream: Stream) -> tuple[Kind, str, AnyPayload]:
        match stream:
            case Stream.ALARMS:
                return Kind.EVENT, "alarm.raised", self._alarm()
            case Stream.EVENTS:
                return Kind.EVENT, "hub.check", HubEventData("check", "a hub is played")
            case Stream.SCANS:
                return Kind.SCAN, "scan", ScanData("qr", "check", "0" * 64, 1, Quality.GOOD)

    def _alarm(self) -> AlarmData:
        return AlarmData(
            alarm=self._clock.ulid(),
            revision=1,
            state=AlarmState.UNACK_ACTIVE,
            priority=Priority.LOW,
            category=AlarmCategory.TRAINING,
            condition=Condition.HIGH,
            message=TextData("alarm.check", {}),
            raised=instant(self._clock.utc()),
            rules_digest="sha256:" + "0" * 64,
        )
