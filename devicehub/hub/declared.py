"""What the hub itself can be told, as it is declared to those who may tell it."""

from collections.abc import Mapping
from typing import Final

from devicehub.driver import Command
from devicehub.model.alarm import Disposition, Verb
from devicehub.model.device import Option
from devicehub.model.stream import Stream

IMAGE_WITHIN: Final = 10.0
ALL: Final = "all"
_FURTHEST: Final = 2.0**53

_DEVICE: Final = Option(name="device", title="Device", default="")
_DESK: Final = Option(name="desk", title="Desk; empty where there is only one", default="")
_POINT: Final = (
    _DEVICE,
    Option(name="point", title="Name of the alarm point", default=""),
    Option(name="alarm", title="Id of the standing alarm, instead of device and point", default=""),
    Option(name="revision", title="Revision that was seen, 0 for whatever it is", default=0, low=0),
    Option(name="why", title="Reason; without one, that of the command", default=""),
)
_FOR: Final = Option(name="seconds", title="How long in s, 0 for the usual time", default=0.0, low=0, high=_FURTHEST)
_MORE: Final[Mapping[Verb, tuple[Option, ...]]] = {
    Verb.CONFIRM: (
        Option(name="disposition", title="What it was", default="", choices=("", *(one.value for one in Disposition))),
    ),
    Verb.SHELVE: (
        _FOR,
        Option(name="until", title="Until which instant, instead of seconds", default=""),
        Option(name="one_shot", title="End it when the alarm ends", default=False),
    ),
    Verb.SILENCE: (_FOR,),
    Verb.COMMENT: (
        Option(name="record_only", title="On record alone: the comment that the alarm bears stays", default=False),
    ),
}

RELOAD: Final = Command(verb="reload", title="Read the configuration again", timeout=60.0)
SNAPSHOT: Final = Command(
    verb="snapshot",
    title="Keep the image of a camera as evidence",
    options=(_DEVICE,),
    required=("device",),
    timeout=IMAGE_WITHIN + 20.0,
)
IDENTIFY: Final = Command(
    verb="identify",
    title="Publish again what describes a device, or all; have a device show itself",
    options=(_DEVICE,),
)
REPLAY: Final = Command(
    verb="replay",
    title="Send stored events of a stream again, or what the broker refused",
    options=(
        Option(name="stream", title="Which stream", default="events", choices=(*(one.value for one in Stream), ALL)),
        Option(name="after", title="Behind which sequence number", default=0, low=0, high=_FURTHEST),
        Option(name="quarantine", title="What the broker refused, instead of a stream", default=False),
    ),
    timeout=60.0,
)
OPEN: Final = Command(
    verb="open-inspection",
    title="Begin an inspection at a desk; one that is open there ends",
    options=(_DESK, Option(name="reference", title="The operator's own, for the record", default="")),
    timeout=30.0,
)
CLOSE: Final = Command(
    verb="close-inspection",
    title="End the inspection at a desk",
    options=(_DESK, Option(name="inspection", title="Its id, instead of the desk", default="")),
    timeout=30.0,
)
TEST_BROKER: Final = Command(
    verb="test-broker", title="Publish the status and have the broker bring it back", timeout=20.0
)
PREFLIGHT: Final = Command(
    verb="preflight",
    title="Look at what the devices of a desk need before a shift; event/preflight-ended says how it came out",
    options=(
        Option(name="desk", title="Desk; empty: the devices that belong to none", default=""),
        Option(name="samples", title="Whether known samples are going to be shown", default=True),
    ),
    timeout=30.0,
)
CHANGE_LIMIT: Final = Command(
    verb="change-limit",
    title="Change a limit in the rule file, as a new version by the issuer with the reason of the command",
    options=(
        _DEVICE,
        Option(name="point", title="Name of the alarm point", default=""),
        Option(name="value", title="What it is to be, in the unit of its channel", default=0.0),
        Option(name="was", title="What it is, as whoever changes it sees it", default=0.0),
    ),
    required=("device", "point", "value", "was"),
    timeout=60.0,
)
ALARM_COMMANDS: Final = {
    verb: Command(verb=verb.value, title=f"{verb.value} an alarm", options=(*_POINT, *_MORE.get(verb, ())))
    for verb in Verb
}
COMMANDS: Final = (
    RELOAD,
    SNAPSHOT,
    IDENTIFY,
    REPLAY,
    OPEN,
    CLOSE,
    PREFLIGHT,
    TEST_BROKER,
    CHANGE_LIMIT,
    *ALARM_COMMANDS.values(),
)
