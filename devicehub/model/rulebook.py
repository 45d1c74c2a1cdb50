"""The rules in force as whoever works at the station is shown them."""

from msgspec import Struct

from devicehub.model.alarm import AlarmCategory, Priority
from devicehub.model.payload_alarm import RulesData


class RulePoint(Struct, frozen=True, omit_defaults=True):
    """An alarm point. `condition`: of a limit, or what a thermal rule compares; `limit`: None for a state.

    `unit` is that of the channel; of rise and fall it is per second. `until`: the second limit of an interval.
    """

    device: str
    point: str
    channel: str
    condition: str
    priority: Priority
    category: AlarmCategory
    limit: float | None = None
    until: float | None = None
    hysteresis: float = 0.0
    thermal: bool = False


class Response(Struct, frozen=True):
    """What is to be done upon alarms of `places`: `device/point`, `device` or `category:threat`. Steps by language."""

    places: tuple[str, ...]
    steps: dict[str, tuple[str, ...]]


class Window(Struct, frozen=True, omit_defaults=True):
    """Where peaks in a device's plasmagrams are looked for: reduced mobility in cm2/(V.s). `harmless`: no threat."""

    device: str
    mode: str
    name: str
    low: float
    high: float
    harmless: bool = False


class Area(Struct, frozen=True):
    """A part of a device's image: its corners in pixels, [x, y] each."""

    device: str
    name: str
    corners: tuple[tuple[float, float], ...]


class RuleBook(Struct, frozen=True):
    """All of it. `file`: where the rules stand, empty where that is the configuration itself.

    `changeable`: limits may be changed by command. `due`: last day of a device's calibration or verification, ISO 8601.
    """

    rules: RulesData
    file: str
    changeable: bool
    points: tuple[RulePoint, ...]
    responses: tuple[Response, ...]
    windows: tuple[Window, ...] = ()
    regions: tuple[Area, ...] = ()
    due: dict[str, str] = {}


class LimitWish(Struct, frozen=True, kw_only=True):
    """A limit is to be another one, by whom and why. `was`: what whoever wishes it saw."""

    device: str
    point: str
    value: float
    was: float
    author: str
    reason: str
