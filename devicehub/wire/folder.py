"""The protocol of a device that leaves files: every packet is one file, its port the file's name."""

from collections.abc import Callable, Iterable
from itertools import islice

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Identity, Sample
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step

MOST_SAMPLES = 4000
"""Of one file: they wait in the pipe together, and a device's share of that is not much larger."""
ReadFile = Callable[[str, bytes], Iterable[Sample | ProtocolError]]
"""Name and content of a file to what it says, and to what of it is wrong. Raises `ProtocolError` to refuse it whole."""


class FolderProtocol:
    """Files to samples. An `Identity` is passed on when it is another one; every fault names its file."""

    def __init__(self, read: ReadFile, most: int) -> None:
        """`most`: bytes of a file; a larger one is refused, since all of it is read in one turn."""
        self._read = read
        self._most = most
        self._identity: Identity | None = None

    def start(self, now: float) -> Step:
        """Nothing to ask: files come when somebody leaves them."""
        del now
        return Step()

    def on_packet(self, now: float, packet: Packet) -> Step:
        """One file to its samples and faults, or to one fault."""
        del now
        samples: list[Sample] = []
        faults: list[ProtocolError] = []
        try:
            found = self._found(packet)
        except ProtocolError as error:
            return Step(faults=(_named(packet.port, error),))
        for item in found:
            if isinstance(item, ProtocolError):
                faults.append(_named(packet.port, item))
            elif not isinstance(item, Identity) or item != self._identity:
                samples.append(item)
                self._identity = item if isinstance(item, Identity) else self._identity
        return Step(samples=tuple(samples), faults=tuple(faults))

    def _found(self, packet: Packet) -> list[Sample | ProtocolError]:
        if len(packet.data) > self._most:
            raise ProtocolError(Reason.OVERFLOW, f"{len(packet.data)} bytes, more than {self._most}")
        found = list(islice(self._read(packet.port, packet.data), MOST_SAMPLES + 1))
        if len(found) > MOST_SAMPLES:
            raise ProtocolError(Reason.OVERFLOW, f"it says more than {MOST_SAMPLES} things")
        return found

    def on_timer(self, now: float) -> Step:
        """No timer is ever set."""
        del now
        return Step()


def _named(name: str, error: ProtocolError) -> ProtocolError:
    return ProtocolError(error.reason, f"{name}: {error.detail}")
