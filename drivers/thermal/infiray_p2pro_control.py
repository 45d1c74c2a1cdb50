"""InfiRay P2 Pro, Topdon TC001 and clones: what the camera says of itself, beside the kernel's stream. Only asks.

The frames are those of `infiray_p2pro`, through the kernel's driver. This one speaks on the control endpoint alone, in
requests of the vendor, which Linux lets through to a device whose interfaces a kernel driver holds: it claims
nothing and runs while the camera streams. It has to: a cold camera is not ready before its stream has run for some 3 s.

    OUT 41/45, value 0078, index: a register     a question
    IN  C1/44, value 0078, index: a register     the status, 1 byte, every 10 ms for 5 s at most; the answer

The registers and what they hold are in `_p2pro_registers`. What the camera is gets asked until it was answered, the
sensor's temperature every second, the rest every five. Some firmware does not know the shutter's temperature and says
so in the status; that is counted and harms nothing else.

This driver sets nothing: whether a setting lasts is nowhere written, a switched stream outlasts a replug, and gain
and emissivity change what the images of `infiray_p2pro` mean, which would not know. The link refuses them, the reset
to the boot ROM (0805), the flash (8201) and whatever is unknown.

Sources (facts): LeoDJ/P2Pro-Viewer, mbuesch/p2pro-rs (order of bytes of the temperatures), stanelie/p2-viewer (what a
real camera answers and when), Kodrea/rs300-v4l2-driver (bits of the status, of a sister module). There is no integrity
check but the length.
"""

from collections import Counter
from collections.abc import Sequence
from math import inf

from devicehub.driver import Driver, Options, UsbLink
from devicehub.model.device import Category, Channel, ChannelKind, UsbId
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.model.units import Unit
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.thermal._p2pro_registers import ALLOWED, BUSY, FORBIDDEN, GAINS, PALETTES, QUESTIONS, REASONS, STATUS, WHY

POLL_EVERY, BUSY_FOR = 0.01, 5.0
ANSWER_TIMEOUT = 5.0  # a link gives three transfers a second each, and is lost behind that
AGAIN = 10.0
MOST_COUNTS = 65535


class InfirayP2ProControl:
    """One question after another: write it, wait until the camera is ready, read."""

    def __init__(self, options: Options) -> None:
        del options
        self._due: list[float] = []
        self._asking: int | None = None
        self._given_up_at = inf
        self._next: Packet | None = None
        self._asked: Packet | None = None
        self._at = 0.0  # when `_next` may be sent, or what was asked comes too late
        self._late: Counter[str] = Counter()

    def start(self, now: float) -> Step:
        """Everything is due."""
        self._due = [now for _ in QUESTIONS]
        return self._advance(now)

    def on_packet(self, now: float, packet: Packet) -> Step:
        """An answer, or that there is none."""
        port = packet.port.replace("stall:", "ctl:", 1)
        if self._comes_late(port):
            return self._advance(now)
        if packet.port != port and port in self._ports():
            return self._failed(now, ProtocolError(Reason.REJECTED, packet.port), port)
        if self._asked is None or packet.port != self._asked.port:
            return self._advance(now, faults=(ProtocolError(Reason.UNEXPECTED, f"port {packet.port[:40]!r}"),))
        self._asked = None
        try:
            return self._advance(now, self._taken(now, packet))
        except ProtocolError as fault:
            return self._failed(now, fault)

    def on_timer(self, now: float) -> Step:
        """A pause is over, a question is due, or an answer did not come."""
        if self._asked is None or now < self._at:
            return self._advance(now)
        asked, self._asked = self._asked, None  # what did not come by now never will
        return self._failed(now, ProtocolError(Reason.TIMEOUT, f"no answer from {asked.port}"))

    def _advance(self, now: float, samples: Sequence[Sample] = (), faults: Sequence[ProtocolError] = ()) -> Step:
        write: list[Packet] = []
        if self._asking is None:
            write += self._begun(now)
        if self._next is not None and now >= self._at:
            write.append(self._next)
            self._asked, self._next = self._next, None
            self._at = now + ANSWER_TIMEOUT
        wake_at = min(self._due) if self._asking is None else self._at
        return Step(tuple(write), tuple(samples), tuple(faults), wake_at)

    def _begun(self, now: float) -> tuple[Packet, ...]:
        """The question that has waited longest, if one is due."""
        first = min(range(len(QUESTIONS)), key=self._due.__getitem__)
        if self._due[first] > now:
            return ()
        self._asking = first
        self._due[first] = now + (QUESTIONS[first].period or AGAIN)
        self._given_up_at = now + BUSY_FOR
        self._next, self._at = STATUS, now
        return QUESTIONS[first].write

    def _taken(self, now: float, packet: Packet) -> tuple[Sample, ...]:
        """What an answer says; that of the status, what comes next. Raises `ProtocolError`."""
        assert self._asking is not None
        question = QUESTIONS[self._asking]
        if len(packet.data) != int(packet.port.rpartition(":")[2]):
            raise ProtocolError(Reason.LENGTH, f"{len(packet.data)} bytes from {packet.port}")
        if packet.port == STATUS.port:
            ready = self._ready(now, packet.data[0])
            self._next, self._at = (question.read, now) if ready else (STATUS, now + POLL_EVERY)
            return ()
        sample = question.tell(packet.data)
        if not question.period:
            self._due[self._asking] = inf
        self._asking = None
        return (sample,)

    def _ready(self, now: float, status: int) -> bool:
        """Whether the answer can be read. Raises `ProtocolError` when there will be none."""
        if not status & BUSY:
            return True
        if status & WHY:
            raise ProtocolError(Reason.REJECTED, f"status {status:02x}: {REASONS.get(status & WHY, 'error')}")
        if now >= self._given_up_at:
            raise ProtocolError(Reason.TIMEOUT, f"busy for {BUSY_FOR:g} s")
        return False

    def _failed(self, now: float, fault: ProtocolError, stalled: str = "") -> Step:
        """The next question, please. An answer that is still due is none to it."""
        if self._asked is not None and self._asked.port != stalled:
            self._late[self._asked.port] += 1
        self._asking = self._asked = self._next = None
        return self._advance(now, faults=(fault,))

    def _comes_late(self, port: str) -> bool:
        if not self._late[port]:
            del self._late[port]
            return False
        self._late[port] -= 1
        return True

    def _ports(self) -> set[str]:
        """Those of the question that is being asked."""
        if self._asking is None:
            return set()
        question = QUESTIONS[self._asking]
        return {packet.port for packet in (*question.write, question.read, STATUS)}


def _counts(name: str, title: str) -> Channel:
    return Channel(name=name, title=title, unit=Unit.COUNT, low=0, high=MOST_COUNTS, resolution=1)


def _kelvin(name: str, title: str) -> Channel:
    return Channel(name=name, title=title, unit=Unit.KELVIN, low=0, high=1024, resolution=1)


DRIVER = Driver(
    title="InfiRay P2 Pro / Topdon TC001 thermal camera, control",
    category=Category.THERMAL,
    link=UsbLink(ids=(UsbId(0x0BDA, 0x5830), UsbId(0x3474, 0x4321)), interfaces=()),
    channels=(
        _counts("sensor-vtemp", "Sensor temperature in raw counts"),
        _counts("shutter-vtemp", "Shutter temperature in raw counts"),
        Channel(name="palette", title="Palette of the preview", kind=ChannelKind.STATE, states=PALETTES),
        Channel(name="distance", title="Distance setting", unit=Unit.METRE, low=0, high=200, resolution=0.0061),
        _kelvin("reflected-temperature", "Reflected temperature setting"),
        _kelvin("air-temperature", "Air temperature setting"),
        Channel(name="emissivity", title="Emissivity setting", low=0, high=1, resolution=0.0079),
        Channel(name="transmittance", title="Transmittance setting of the air", low=0, high=1, resolution=0.0079),
        Channel(name="gain", title="Gain", kind=ChannelKind.STATE, states=GAINS),
    ),
    plausibility=(
        "swapped bytes of a number show nowhere: the bus has a CRC of its own; the length, the limits of the settings"
    ),
    forbidden=FORBIDDEN,
    allowed=ALLOWED,
    protocol=InfirayP2ProControl,
)
