"""The running hub: built from the sinks, stopped from the sources, changed device by device."""

from devicehub.hub.plan import Plan, Revision, Upkeep
from devicehub.hub.running import Hub
from devicehub.hub.voice import will

__all__ = ["Hub", "Plan", "Revision", "Upkeep", "will"]
