"""Reference ion-mobility trace detector: the open specification in docs/protocols/ims-reference.md.

No commercial trace detector has a public protocol; this one is what trainers simulate and what the alarm core is
proved on. Serial (CDC-ACM or UART), 921600 8N1; the byte layout stands in `_ims_reference_wire` (frames) and
`_ims_reference_messages` (payloads), the meaning in `_ims_reference_samples`.

The driver asks IDENTIFY, GET_STATE and GET_LAST_RUN at the start, GET_STATE every `poll-period` seconds, and both
GET_STATE and GET_LAST_RUN after a gap in the device's sequence. A last run that nobody watched from its beginning is a
stored record with the run id, which the instrument uses once, and the age that it gives. START_SAMPLE and ABORT_SAMPLE
are sent for the commands `start-sample` and `abort-sample` (control) alone, which are done when the device acknowledges
them.
A request is sent three times, 1 s apart. Half a second of silence gives up a partial frame; five seconds of
it (the heartbeat comes every second) withdraw the detection capabilities.
"""

from dataclasses import dataclass, field
from types import MappingProxyType

from devicehub.driver import Command, Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, ChannelKind, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.model.units import Unit
from devicehub.wire.forbidden import Allowed
from devicehub.wire.framer import Frame
from devicehub.wire.packet import Packet
from devicehub.wire.patience import Patience
from devicehub.wire.protocol import Call, Step
from drivers.trace._ims_reference_messages import STATES, parse
from drivers.trace._ims_reference_requests import Requests
from drivers.trace._ims_reference_samples import GROUPS, Instrument
from drivers.trace._ims_reference_wire import Continuity, Kind, envelope, framer, request

PARTIAL_AFTER = 0.5
SILENT_AFTER = 5.0
_ASKED = {bytes([kind]) for kind in Kind if kind >= 0x80}
_COMMANDS = MappingProxyType({"start-sample": Kind.START_SAMPLE, "abort-sample": Kind.ABORT_SAMPLE})


@dataclass(slots=True)
class _Harvest:
    """What one input has brought so far."""

    write: list[Packet] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    faults: list[ProtocolError] = field(default_factory=list)

    def add(self, item: Sample | ProtocolError) -> None:
        """Put a sample or a fault where it belongs."""
        if isinstance(item, ProtocolError):
            self.faults.append(item)
        else:
            self.samples.append(item)


class ImsReference:
    """The conversation with one instrument over one open link."""

    def __init__(self, options: Options) -> None:
        self._period = float(options["poll-period"])
        self._recover_window = float(options["recover-window"])
        self._restart(0.0)

    def _restart(self, now: float) -> None:
        self._patience = Patience(framer(), PARTIAL_AFTER)
        self._continuity = Continuity()
        self._requests = Requests()
        self._instrument = Instrument(self._recover_window)
        self._poll_at = now + self._period
        self._silent_at: float | None = now + SILENT_AFTER

    def start(self, now: float) -> Step:
        """Ask who it is, how it is and what it found last."""
        self._restart(now)
        for kind in (Kind.IDENTIFY, Kind.GET_STATE, Kind.GET_LAST_RUN):
            self._requests.ask(kind)
        return self._step(now, _Harvest())

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Frames to samples; questions follow as the line becomes free."""
        harvest = _Harvest()
        for frame in self._patience.feed(now, packet.data):
            self._take(now, frame, harvest)
        return self._step(now, harvest)

    def on_timer(self, now: float) -> Step:
        """Partial frames, unanswered requests, silence and polls."""
        harvest = _Harvest()
        for frame in self._patience.on_timer(now):
            self._take(now, frame, harvest)
        write, faults = self._requests.on_timer(now)
        harvest.write += write
        harvest.faults += faults
        if self._silent_at is not None and now >= self._silent_at:
            self._silent_at = None
            harvest.faults.append(ProtocolError(Reason.TIMEOUT, "no heartbeat"))
            harvest.samples += self._instrument.silent()
        if now >= self._poll_at:
            self._poll_at = now + self._period
            self._requests.ask(Kind.GET_STATE)
            if not self._instrument.identified:
                self._requests.ask(Kind.IDENTIFY)
        return self._step(now, harvest)

    def on_command(self, now: float, call: Call) -> Step:
        """Send a command when the line is free."""
        self._requests.order(_COMMANDS[call.verb], call)
        return self._step(now, _Harvest())

    def _take(self, now: float, item: Frame, harvest: _Harvest) -> None:
        if isinstance(item, ProtocolError):
            harvest.faults.append(item)
            return
        frame = envelope(item)
        self._silent_at = now + SILENT_AFTER
        self._requests.on_frame(frame)
        missing = self._continuity.missing(frame)
        if missing < 0:
            harvest.faults.append(ProtocolError(Reason.SEQUENCE, "frame repeated"))
            return
        if missing > 0:
            harvest.faults.append(ProtocolError(Reason.SEQUENCE, f"{missing} frames missing"))
            self._instrument.questions |= {Kind.GET_STATE, Kind.GET_LAST_RUN}
        try:
            for result in self._instrument.read(parse(frame), asked=frame.reply_to != 0):
                harvest.add(result)
        except ProtocolError as error:
            harvest.add(error)
        harvest.write += self._ask(now)

    def _ask(self, now: float) -> list[Packet]:
        """What the instrument's messages made us want to know, in a fixed order."""
        for kind in sorted(self._instrument.questions):
            self._requests.ask(kind)
        self._instrument.questions.clear()
        return self._requests.next(now)

    def _step(self, now: float, harvest: _Harvest) -> Step:
        harvest.write += self._ask(now)
        times = (self._patience.wake_at, self._silent_at, self._requests.deadline, self._poll_at)
        wake_at = min(time for time in times if time is not None)
        ended = self._requests.ended()
        return Step(tuple(harvest.write), tuple(harvest.samples), tuple(harvest.faults), wake_at, ended)


def _asks(packet: Packet) -> bool:
    """Whether it is one request, of whichever sequence."""
    kind, sequence = packet.data[3:4], int.from_bytes(packet.data[4:6], "little")
    return kind in _ASKED and packet == Packet(request(Kind(kind[0]), sequence))


DRIVER = Driver(
    title="Reference ion-mobility trace detector (open specification, not a product)",
    category=Category.TRACE,
    link=SerialLink(baud=921600),
    channels=(
        Channel(name="plasmagram", title="Plasmagram", unit=Unit.COUNT, kind=ChannelKind.SPECTRUM, low=0, high=65535),
        Channel(name="drift-temperature", title="Drift gas temperature", unit=Unit.CELSIUS, low=-40, high=350),
        Channel(name="pressure", title="Drift gas pressure", unit=Unit.HECTOPASCAL, low=300, high=1200),
        Channel(name="humidity", title="Drift gas relative humidity", unit=Unit.PERCENT, low=0, high=100),
        Channel(name="state", title="State", kind=ChannelKind.STATE, states=STATES),
        Channel(name="progress", title="Progress of the state", unit=Unit.PERCENT, low=0, high=100, resolution=1),
        Channel(name="swabs", title="Swabs left", unit=Unit.SWAB, low=0, resolution=1),
        Channel(name="desiccant", title="Desiccant left", unit=Unit.HOUR, low=0, resolution=1),
        Channel(name="dopant", title="Dopant left", unit=Unit.HOUR, low=0, resolution=1),
    ),
    capabilities=GROUPS,
    options=(
        Option(name="poll-period", title="Seconds between two questions for the state", default=10.0, low=1, high=60),
        Option(
            name="recover-window",
            title="Take the instrument's last run from its memory if it ended at most so many seconds ago",
            default=7 * 86400.0,
            low=0,
            high=31 * 86400,
        ),
    ),
    integrity="CRC-16/CCITT-FALSE",
    stale_after=30.0,
    self_tests=True,
    commands=(
        Command(verb="start-sample", title="Begin a run on the swab that is in place", control=True),
        Command(verb="abort-sample", title="End the run that is under way without a verdict", control=True),
    ),
    allowed=Allowed(fits=_asks),
    protocol=ImsReference,
)
