"""How well the alarms do: floods, chattering points, response times, false alarms. Pure; time is an argument.

Definitions: IEC 62682, clause 16 and ISA-18.2, clause 16: a flood begins with more than ten alarms in ten minutes and
ends with fewer than five; a chattering alarm comes three times or more within a minute.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec import Struct

from devicehub.model.alarm import Disposition, Priority

WINDOW = 600.0
FLOOD_ABOVE, FLOOD_BELOW = 10, 5
CHATTER_WINDOW, CHATTER_COUNT = 60.0, 3
HOUR = 3600.0
STALE = 86_400.0
_POINTS = 4096
_ANSWERS = 1000
_FALSE = frozenset({Disposition.SECOND_TEST_NEGATIVE, Disposition.KNOWN_CAUSE, Disposition.NUISANCE})
_JUDGED = _FALSE | {Disposition.CONFIRMED_THREAT}

Point = tuple[str, str]
Value = TypeVar("Value")


class Flood(Struct, frozen=True):
    """A flood as it stands: `since` is when its first alarm came, monotonic."""

    since: float
    first: Point
    count: int
    devices: tuple[tuple[str, int], ...]
    over: bool


class Tally:
    """Counts what alarm points do. Bounded: of points and answers only the newest thousands are kept."""

    def __init__(self) -> None:
        self.alarms = self.peak = self.floods = 0
        self.priorities: Counter[Priority] = Counter()
        self.answers: deque[float] = deque(maxlen=_ANSWERS)
        self._recent: deque[tuple[float, Point]] = deque()
        self._comings: OrderedDict[Point, deque[float]] = OrderedDict()
        self._chattered: OrderedDict[Point, float] = OrderedDict()
        self._settled: OrderedDict[Point, Counter[Disposition]] = OrderedDict()
        self._flood: tuple[float, Point] | None = None
        self._flooded: Counter[str] = Counter()

    @property
    def flooded(self) -> bool:
        """Whether a flood lasts."""
        return self._flood is not None

    def came(self, point: Point, now: float) -> bool:
        """The condition of a point came, announced or not; gives whether the point chatters."""
        times = _kept(self._comings, point, deque[float](maxlen=CHATTER_COUNT))
        times.append(now)
        chatters = len(times) == CHATTER_COUNT and now - times[0] <= CHATTER_WINDOW
        if chatters:
            _kept(self._chattered, point, now)
            self._chattered[point] = now
        return chatters

    def announced(self, point: Point, priority: Priority, now: float) -> Iterator[Flood]:
        """An alarm was announced. Gives a flood that ends or begins with it."""
        yield from self.passed(now)
        self.alarms += 1
        self.priorities[priority] += 1
        self._recent.append((now, point))
        self.peak = max(self.peak, len(self._recent))
        if self._flood is not None:
            self._flooded[point[0]] += 1
        elif len(self._recent) > FLOOD_ABOVE:
            self.floods += 1
            self._flood = self._recent[0]
            self._flooded = Counter(device for _, (device, _) in self._recent)
            yield self._told(self._flood, over=False)

    def passed(self, now: float) -> Iterator[Flood]:
        """Time passed. Gives a flood that is over."""
        while self._recent and self._recent[0][0] <= now - WINDOW:
            self._recent.popleft()
        if self._flood is not None and len(self._recent) < FLOOD_BELOW:
            flood, self._flood = self._flood, None
            yield self._told(flood, over=True)

    def acknowledged(self, seconds: float) -> None:
        """Somebody acknowledged an alarm `seconds` after it came."""
        self.answers.append(seconds)

    def settled(self, point: Point, disposition: Disposition) -> None:
        """Somebody said what a detection was."""
        _kept(self._settled, point, Counter[Disposition]())[disposition] += 1

    def window(self) -> int:
        """Alarms of the last ten minutes."""
        return len(self._recent)

    def chattering(self, now: float) -> int:
        """Points that chattered within the last hour."""
        return sum(now - last <= HOUR for last in self._chattered.values())

    def answer_times(self) -> tuple[float | None, float | None]:
        """Median and 95th percentile of the time from alarm to acknowledgement, nearest rank."""
        ordered = sorted(self.answers)
        if not ordered:
            return None, None
        last = len(ordered) - 1
        return ordered[round(0.5 * last)], ordered[round(0.95 * last)]

    def rates(self, most: int) -> Iterator[tuple[Point, int, int]]:
        """Of each point: detections judged, and those that were no threat; tests and open cases count as neither."""
        judged = ((point, _sum(counts, _JUDGED), _sum(counts, _FALSE)) for point, counts in self._settled.items())
        yield from sorted((one for one in judged if one[1]), key=lambda one: (-one[2], one[0]))[:most]

    def _told(self, flood: tuple[float, Point], *, over: bool) -> Flood:
        devices = tuple(self._flooded.most_common(10))
        return Flood(flood[0], flood[1], self._flooded.total(), devices, over)


def _sum(counts: Counter[Disposition], wanted: Iterable[Disposition]) -> int:
    return sum(counts[one] for one in wanted)


def _kept(places: OrderedDict[Point, Value], point: Point, fresh: Value) -> Value:
    """The entry of a point, now the newest; the oldest makes room."""
    value = places.setdefault(point, fresh)
    places.move_to_end(point)
    if len(places) > _POINTS:
        places.popitem(last=False)
    return value
