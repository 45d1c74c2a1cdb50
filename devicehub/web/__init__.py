"""The local page: what the hub publishes, shown on this workstation, and the acts of whoever works there."""

from devicehub.web.page import Page
from devicehub.web.server import serving

__all__ = ["Page", "serving"]
