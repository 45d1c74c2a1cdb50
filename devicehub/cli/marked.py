"""Which published messages stand out on a terminal. Colour is for what is abnormal alone; words say the same. Pure.

A fault of a device never has the colour of a detection.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_FAULT: Final = "35"
_DOUBTFUL: Final = "2"
_BY_PRIORITY: Final[Mapping[str, str]] = MappingProxyType(
    {"critical": "1;31", "high": "31", "medium": "33", "low": "36"}
)
_AT_REST: Final = frozenset({"normal", "shelved", "suppressed", "out-of-service"})
_STATES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "lane": {"alarm": "1;31", "blind": _FAULT},
        "device": {"lost": _FAULT, "faulted": _FAULT},
        "status": {"lost": _FAULT},
    }
)


def sgr(envelope: Mapping[str, object]) -> str:
    """The parameters of ANSI's Select Graphic Rendition for the line of an envelope, empty for what is usual."""
    family = str(envelope.get("type", "")).removeprefix("io.devicehub.").partition(".")[0]
    data = envelope.get("data")
    if not isinstance(data, dict):
        return ""
    if family == "alarm":
        return "" if data.get("state", "normal") in _AT_REST else _priority(data)
    if family == "gap":
        return _FAULT
    if data.get("quality") == "bad":
        return _DOUBTFUL
    return _STATES.get(family, {}).get(str(data.get("state") or data.get("what")), "")


def _priority(data: Mapping[str, object]) -> str:
    return _FAULT if data.get("category") == "device" else _BY_PRIORITY.get(str(data.get("priority")), "")
