"""The running hub: built from the sinks, stopped from the sources, changed device by device."""

from devicehub.hub.plan import Plan, Revision, RulesChange, Upkeep
from devicehub.hub.running import Hub
from devicehub.hub.voice import will

__all__ = ["Hub", "Plan", "Revision", "RulesChange", "Upkeep", "will"]
