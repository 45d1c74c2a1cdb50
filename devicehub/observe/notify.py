"""What the service manager is told: sd_notify(3), a datagram to the socket that it names."""

import logging
import socket
from collections.abc import Mapping

_log = logging.getLogger(__name__)


class Notifier:
    """Tells the service manager, if there is one that wants to hear."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._failed = False

    def tell(self, *words: str) -> None:
        """As `READY=1`. A manager that does not take it is told of once, in the log."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as speaking:
                speaking.sendto("\n".join(words).encode(), self._address)
        except OSError as error:
            if not self._failed:
                _log.warning("the service manager does not hear what it is told: %s", error)
            self._failed = True
