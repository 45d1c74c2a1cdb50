"""The protocol of a device that speaks unasked and whose every packet stands by itself: video frames, button edges."""

from abc import ABC, abstractmethod

from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Sample
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step


class UnaskedProtocol(ABC):
    """Packets to samples, or to the fault of one that is refused. Never writes, and times nothing."""

    def start(self, now: float) -> Step:
        """The stream runs by itself."""
        del now
        return Step()

    def on_packet(self, now: float, packet: Packet) -> Step:
        """One packet to its samples, or to one fault."""
        try:
            return Step(samples=self._samples(now, packet))
        except ProtocolError as error:
            return Step(faults=(error,))

    def on_timer(self, now: float) -> Step:
        """Nothing is timed here: the transport watches for packets."""
        del now
        return Step()

    @abstractmethod
    def _samples(self, now: float, packet: Packet) -> tuple[Sample, ...]:
        """What a packet says. Raises `ProtocolError` to refuse it."""
