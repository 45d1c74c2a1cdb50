"""What a thermal camera can see, judged by why its frames are not good, and told when that changes."""

from collections.abc import Mapping
from types import MappingProxyType

from devicehub.model.reading import Capability, Cause, Level

NAME = "thermal"
# A closed shutter and a frozen sensor show nothing of the scene; every other cause leaves something to see.
_LEVELS: Mapping[Cause, Level] = MappingProxyType(
    {Cause.NONE: Level.FULL, Cause.CALIBRATING: Level.NONE, Cause.STALE: Level.NONE}
)


class ReportedCapability:
    """Remembers what was told last."""

    def __init__(self) -> None:
        self._told: Cause | None = None

    def after(self, cause: Cause) -> tuple[Capability, ...]:
        """The capability after a frame whose cause that is, if it has changed."""
        if cause is Cause.DUPLICATE or cause is self._told:  # one repeated frame says nothing yet
            return ()
        self._told = cause
        return (Capability(NAME, _LEVELS.get(cause, Level.DEGRADED), cause),)
