"""The scanner's driver and simulator joined back to back, in virtual time."""

from devicehub.model.errors import Reason
from devicehub.model.reading import Sample, Scan
from devicehub.registry import load_driver
from devicehub.simulator import SerialSimulator
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Ended, Step


class Bench:
    """Driver and simulator in virtual time, 10 ms apart."""

    def __init__(self, simulator: SerialSimulator) -> None:
        self.simulator = simulator
        self.protocol = load_driver("scanner.zebra_ssi").open({})
        self.now = 0.0
        self.step = self.protocol.start(0.0)
        self.samples: list[Sample] = []
        self.faults: list[Reason] = []
        self.sent = bytearray()
        self.ended: list[Ended] = []
        self._to_host = b""

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.samples.extend(self.step.samples)
            self.ended.extend(self.step.ended)
            self.faults.extend(fault.reason for fault in self.step.faults)
            for packet in self.step.write:
                self.sent += packet.data
                self._to_host += self.simulator.on_bytes(packet.data)
            self.now += 0.01
            data, self._to_host = self._to_host + self.simulator.advance(0.01), b""
            wake_at = self.step.wake_at
            assert wake_at is not None
            if data:
                self.step = self.protocol.on_packet(self.now, Packet(data))
            elif self.now >= wake_at:
                self.step = self.protocol.on_timer(self.now)
            else:
                self.step = Step(wake_at=wake_at)

    @property
    def scans(self) -> list[bytes]:
        return [sample.data for sample in self.samples if isinstance(sample, Scan)]
