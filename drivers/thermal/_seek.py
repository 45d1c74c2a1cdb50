"""The conversation with a Seek Thermal camera: control requests, then frames over bulk endpoint 81.

Requests are vendor requests to the interface, value and index 0: OUT 41, IN C1, the request byte is the
command (decimal):

    54  READ_CHIP_ID                   12 bytes
    60  SET_OPERATION_MODE             0000 idle, 0100 run
    61  GET_OPERATION_MODE             2 bytes
    62  SET_IMAGE_PROCESSING_MODE      0800
    78  GET_FIRMWARE_INFO              4 bytes
    83  START_GET_IMAGE_TRANSFER       u32: words in a frame
    84  TARGET_PLATFORM                01
    85  SET_FIRMWARE_INFO_FEATURES     chooses what 78 tells
    86  SET_FACTORY_SETTINGS_FEATURES  u16 words, u16 address, u16 0: chooses what 88 tells
    88  GET_FACTORY_SETTINGS           2 bytes for each word chosen

79 to 82 and 87 write firmware and factory settings: this driver never sends them. 60, 62, 84, 85 and 86
choose a mode until power-off and change nothing that lasts.

Sources: OpenThermal/libseek-thermal; lod/seek-thermal-documentation and its wiki page "Frame".

A camera left running by a lost link stalls 84; then, and before every later start, 60 0000 goes three times
and 84 again. After each start the first frame must have id 4. Sometimes it lacks its first 512 bytes; then the
start is repeated, at most three times, and images go on without knowledge of dead pixels. Nothing is sent when
the link closes: a protocol is not told, so a camera that stays plugged in keeps its mode until the next start.

Pixels are counts until a site calibrates its camera; `channels` then gives the image in degrees.
"""

from enum import Enum, auto

from devicehub.driver import Options
from devicehub.model.device import Channel, ChannelKind, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Capability, Cause, Identity, Level, Sample
from devicehub.model.units import Unit
from devicehub.wire.forbidden import Allowed
from devicehub.wire.packet import Packet, usb_read
from devicehub.wire.protocol import Step
from drivers.thermal._seek_frame import CAPABILITY, DEAD, KNOWN_IDS, Calibration, FramePipeline
from drivers.thermal._seek_start import PLATFORM, SET_MODE, SeekModel, StartScript, command

ENDPOINT = 0x81
ANSWER_TIMEOUT = 2.0
FRAME_TIMEOUT = 3.0
QUIET = 0.3
DRAIN_LIMIT = 64
LATE_LIMIT = 3
START_LIMIT = 3
RESTART_SOON, RESTART_LATER = 0.5, 10.0
LOST_HEAD = 512

OPTIONS = (
    Option(name="gain", title="Calibration: degrees Celsius per count; 0: none", default=0.0, low=0, high=1),
    Option(name="offset", title="Calibration: degrees Celsius at count 0", default=0.0, low=-20000, high=20000),
    Option(name="calibrated-on", title="Calibration: date it was made", default=""),
)


def channels(options: Options) -> tuple[Channel, ...]:
    """The image is in degrees once the site has calibrated the camera, in counts before."""
    unit = Unit.CELSIUS if calibration(options).valid else Unit.COUNT
    return (
        Channel(name="image", title="Thermal image", unit=unit, kind=ChannelKind.IMAGE),
        Channel(name="sensor-temperature", title="Sensor temperature, raw", unit=Unit.COUNT, low=0, high=0xFFFF),
    )


def calibration(options: Options) -> Calibration:
    """The site's own two-point calibration."""
    return Calibration(float(options["gain"]), float(options["offset"]), str(options["calibrated-on"]))


class _State(Enum):
    START = auto()
    STREAM = auto()
    DRAIN = auto()
    WAIT = auto()


def allowed(model: SeekModel) -> Allowed:
    """All that a camera of that model is sent."""
    stop, platform = command(SET_MODE, "0000"), command(PLATFORM, "01")
    return Allowed(frozenset((*model.start, stop, platform, model.request, usb_read(ENDPOINT, model.chunk))))


class SeekProtocol:
    """See the module's docstring. One bulk read is pending at any time while frames are wanted."""

    def __init__(self, model: SeekModel, pipeline: FramePipeline) -> None:
        self._model = model
        self._pipeline = pipeline
        self._script = StartScript(model)
        self._state = _State.WAIT
        self._deadline = 0.0
        self._buffer = bytearray()
        self._transfers = 0
        self._reading = False
        self._first = True
        self._stopped = False
        self._starts = 0
        self._late = 0
        self._failures = 0
        self._faults: list[ProtocolError] = []
        self._samples: list[Sample] = []
        self._writes: list[Packet] = []

    def start(self, now: float) -> Step:
        """Initialise the camera."""
        self._pipeline.begin(now)
        self._samples.append(self._pipeline.capability)
        self._begin(now, running=False)
        return self._step()

    def on_packet(self, now: float, packet: Packet) -> Step:
        """An answer, a stall or a piece of a frame."""
        kind = packet.port.partition(":")[0]
        if packet.port == f"in:{ENDPOINT:02x}":
            self._on_data(now, packet.data)
        elif kind == "ctl":
            self._on_answer(now, packet)
        elif kind == "stall":
            self._on_stall(now, packet)
        else:
            self._fault(Reason.UNEXPECTED, f"port {packet.port}")
        return self._step()

    def on_timer(self, now: float) -> Step:
        """Something did not come in time, or a pause is over."""
        if now >= self._deadline:
            if self._state is _State.START:
                self._script.give_up()
                self._fail(now, Reason.TIMEOUT, "no answer to a control request")
            elif self._state is _State.STREAM:
                self._on_late(now)
            elif self._state is _State.DRAIN:
                self._request(now)
            else:
                self._begin(now)
        return self._step()

    def _step(self) -> Step:
        step = Step(tuple(self._writes), tuple(self._samples), tuple(self._faults), self._deadline)
        self._writes, self._samples, self._faults = [], [], []
        return step

    def _fault(self, reason: Reason, detail: str) -> None:
        self._faults.append(ProtocolError(reason, detail))

    # Starting

    def _begin(self, now: float, *, running: bool = True) -> None:
        self._script.begin(running=running)
        self._stopped = running
        self._pipeline.restart()
        self._first = True
        self._state = _State.START
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Send commands up to the next question, or ask for frames when the script has ended."""
        self._writes += self._script.packets()
        self._deadline = now + ANSWER_TIMEOUT
        if self._script.finished:
            facts = {**self._script.facts, **self._pipeline.facts}
            self._samples.append(Identity(tuple(facts.items())))
            self._request(now)

    def _on_answer(self, now: float, packet: Packet) -> None:
        try:
            self._script.take(packet)
        except ProtocolError as fault:
            if fault.reason is Reason.UNEXPECTED:
                self._faults.append(fault)
            else:
                self._fail(now, fault.reason, fault.detail)
            return
        if self._state is _State.START:
            self._go_on(now)

    def _on_stall(self, now: float, packet: Packet) -> None:
        port = self._script.refused(packet)
        if port == command(PLATFORM, "01").port and self._state is _State.START and not self._stopped:
            self._fault(Reason.REJECTED, "the camera was still running")
            self._begin(now)
        elif port:
            self._fail(now, Reason.REJECTED, f"stall of {port}")

    def _fail(self, now: float, reason: Reason, detail: str) -> None:
        self._fault(reason, detail)
        self._failures += 1
        self._pause(now)

    def _pause(self, now: float) -> None:
        """Start again soon; later when that does not help."""
        if self._failures == START_LIMIT + 1:
            self._samples.append(Capability(CAPABILITY, Level.NONE, Cause.FAULT))
        self._state = _State.WAIT
        self._deadline = now + (RESTART_SOON if self._failures <= START_LIMIT else RESTART_LATER)

    # Frames

    def _request(self, now: float) -> None:
        self._state = _State.STREAM
        self._buffer.clear()
        self._transfers = 0
        self._writes.append(self._model.request)
        self._deadline = now + FRAME_TIMEOUT
        self._read()

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            self._writes.append(usb_read(ENDPOINT, self._model.chunk))

    def _on_data(self, now: float, data: bytes) -> None:
        self._reading = False
        if self._state is _State.DRAIN:
            self._drain(now)
        elif self._state is _State.STREAM:
            self._buffer += data[: self._model.layout.size + 1]
            self._transfers += 1
            self._on_piece(now)

    def _on_piece(self, now: float) -> None:
        size, have = self._model.layout.size, len(self._buffer)
        if have > size or self._transfers > DRAIN_LIMIT:
            self._fault(Reason.LENGTH, f"{have} bytes in {self._transfers} transfers of a frame of {size}")
            self._drain(now, begin=True)
        elif have == size:
            self._on_frame(now, bytes(self._buffer))
        elif self._first and have == size - LOST_HEAD and self._transfers * self._model.chunk >= size:
            self._start_again(now, Reason.TRUNCATED, "first frame lacks its first 512 bytes")
        else:
            self._read()

    def _on_frame(self, now: float, frame: bytes) -> None:
        kind = self._pipeline.frame_id(frame)
        if kind >= KNOWN_IDS:
            self._fault(Reason.CORRUPT, f"frame id {kind}")
            self._drain(now, begin=True)
            return
        if self._first and kind != DEAD and self._starts < START_LIMIT:
            self._start_again(now, Reason.SEQUENCE, f"first frame has id {kind} instead of {DEAD}")
            return
        self._first = False
        self._starts = self._late = 0
        if self._failures > START_LIMIT:
            self._samples.append(self._pipeline.capability)
        self._failures = 0
        samples, faults = self._pipeline.on_frame(now, frame)
        self._samples += samples
        self._faults += faults
        self._request(now)

    def _start_again(self, now: float, reason: Reason, detail: str) -> None:
        self._fault(reason, detail)
        if self._starts < START_LIMIT:
            self._starts += 1
            self._begin(now)
        else:
            self._first = False
            self._request(now)

    def _on_late(self, now: float) -> None:
        self._late += 1
        have = len(self._buffer)
        if self._late >= LATE_LIMIT:
            self._late = 0
            self._fail(now, Reason.TIMEOUT, "no frames")
        elif have:
            self._fault(Reason.TRUNCATED, f"{have} bytes of a frame")
            self._drain(now, begin=True)
        else:
            self._fault(Reason.TIMEOUT, "no frame")
            self._request(now)

    def _drain(self, now: float, *, begin: bool = False) -> None:
        """Throw away what comes until the camera is quiet, so that the next frame begins with its first byte."""
        if begin:
            self._state = _State.DRAIN
            self._transfers = 0
        self._transfers += 1
        if self._transfers > DRAIN_LIMIT:
            self._fail(now, Reason.GARBAGE, "the camera does not stop sending")
            return
        self._deadline = now + QUIET
        self._read()
