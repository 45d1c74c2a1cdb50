"""The RadiaCode driver beside its simulator, for its tests."""

from random import Random

from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Measurement, Sample
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Ended, Step
from simulators.radiation.radiacode import RadiaCodeSim


class Bench:
    """The driver and a simulated device on a table, in steps of 50 ms. `cut`: no byte comes from then on."""

    def __init__(self, **verbs: float) -> None:
        self.device = RadiaCodeSim(Random(1))
        self.protocol = load_driver("radiation.radiacode").open({"spectrum-period": 5.0})
        for verb, value in verbs.items():
            self.device.do(verb, rate=value)
        self.now = 0.0
        self.cut = False
        self.sent: list[bytes] = []
        self.ended: list[Ended] = []
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.wake_at: float | None = None
        self.take(self.protocol.start(0.0))

    def take(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += step.faults
        self.ended += step.ended
        self.wake_at = step.wake_at
        self.sent += [packet.data for packet in step.write]
        answers = [answer for packet in step.write for answer in self.device.on_write(packet.port, packet.data)]
        for port, data in [] if self.cut else answers:
            self.take(self.protocol.on_packet(self.now, Packet(data, port)))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.device.advance(0.05)
            if self.wake_at is not None and self.wake_at <= self.now:
                self.take(self.protocol.on_timer(self.now))

    def values(self, channel: str) -> list[float]:
        return [one.value for one in self.samples if isinstance(one, Measurement) and one.channel == channel]

    def set_clock(self, epoch: float, seconds: float = 2.0, within: float = 9.0) -> None:
        """`set-clock` by a hub whose wall clock is `epoch` ahead of its monotonic one."""
        assert isinstance(self.protocol, Commanded)
        self.take(self.protocol.on_command(self.now, Call(1, "set-clock", {}, self.now + within, epoch=epoch)))
        self.run(seconds)
