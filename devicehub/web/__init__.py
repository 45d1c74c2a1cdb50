"""The local page: what the hub publishes, shown on this workstation, and the acts of whoever works there."""

from devicehub.web.server import Page, serving

__all__ = ["Page", "serving"]
