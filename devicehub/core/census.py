"""How it stands with all devices and alarms at one moment, in numbers."""

from collections.abc import Mapping

from msgspec import Struct

from devicehub.model.device import DeviceState


class DeviceCount(Struct, frozen=True):
    """One device. `said`: what it said that made sense; `errors`: refused frames by reason.

    `heard`: monotonic second when it said something last, None before that.
    """

    state: DeviceState
    said: int
    errors: Mapping[str, int]
    losses: int
    heard: float | None


class Census(Struct, frozen=True):
    """`devices`: by id. `alarms`: alarm points that are told of, by priority and state."""

    devices: Mapping[str, DeviceCount]
    alarms: Mapping[tuple[str, str], int]
