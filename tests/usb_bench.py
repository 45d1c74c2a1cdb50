"""A USB driver and its simulator, joined in process, in steps of 20 ms."""

from collections import deque
from random import Random

from devicehub.driver import Options
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Identity, Image, Sample
from devicehub.registry import load_driver, load_simulator
from devicehub.transport.simulated import UsbPeer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Ended, Step

TICK = 0.02


class UsbBench:
    """What a driver makes of its simulated device. `sent`, `received`: every packet to it and from it."""

    def __init__(self, driver: str, options: Options | None = None, *, hz: float = 5.0, fault: str = "") -> None:
        self.simulator = load_simulator(driver)(Random(1))
        self.simulator.do("rate", hz=hz)
        if fault:
            self.simulator.do("fault", kind=fault)
        self.protocol = load_driver(driver).open(options or {})
        self.now = 0.0
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.ended: list[Ended] = []
        self.sent: list[Packet] = []
        self.received: list[Packet] = []
        self._arrived: deque[Packet] = deque()
        self._peer = UsbPeer(self.simulator)  # type: ignore[arg-type]  # a USB driver's simulator is one
        self._wake_at: float | None = None
        self._took(self.protocol.start(0.0))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self._arrived.extend(self._peer.advance(TICK))
            while self._arrived:
                self.received.append(self._arrived.popleft())
                self._took(self.protocol.on_packet(self.now, self.received[-1]))
            while self._wake_at is not None and self._wake_at <= self.now:
                self._took(self.protocol.on_timer(self.now))

    def command(self, verb: str) -> None:
        """Give a command."""
        assert isinstance(self.protocol, Commanded)
        self._took(self.protocol.on_command(self.now, Call(1, verb, {}, self.now + 10)))

    def images(self) -> list[Image]:
        return [sample for sample in self.samples if isinstance(sample, Image)]

    def facts(self) -> dict[str, str]:
        return dict(fact for sample in self.samples if isinstance(sample, Identity) for fact in sample.facts)

    def reasons(self) -> list[str]:
        return [str(fault.reason) for fault in self.faults]

    def forget(self) -> None:
        """Look at what comes from now on only."""
        self.samples.clear()
        self.faults.clear()

    def _took(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += step.faults
        self.ended += step.ended
        self._wake_at = step.wake_at
        for packet in step.write:
            self.sent.append(packet)
            self._arrived.extend(self._peer.on_packet(packet))
