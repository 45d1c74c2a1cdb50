"""The conversation with a Thermal Master camera: control requests on interface 0, frames from bulk endpoint 81.

    OUT 41/20   a command of 18 bytes
    IN  C1/21   its reply
    IN  C1/22   a status byte: 02 after a command, 03 after a reply was read
    OUT 40/EE   index 1, no data: send frames

A command is 4 bytes of type, u16 register, 6 zero bytes, u16 length of the reply, u16 0, and CRC-16/XMODEM of the
16 bytes before, little-endian.

    type       register
    01018100   1 name, 2 firmware, 6 part, 7 serial, 0A hardware, 0F model   30, 12, 64, 64, 64, 64 bytes
    012F8100   0: start the stream; the reply is 01 (fresh) or 35 (was running)
    01364300   0: close the shutter for a moment
    012F4100   0 low gain, 1 high gain: never sent

Start: the questions, the start, a pause of 1 s, alternate setting 1 of interface 1, 40/EE, a pause of 2 s in which one
transfer is thrown away, the start again. A camera that sends no frame for 3 s is started again without the questions.
The frames are taken apart in `_thermal_master_frames`.

The shutter closes by itself about every 90 s, and with `control = true` by the command `shutter`; frames that
repeat are taken for a closed shutter, and the first one after a damaged one settles. Absolute accuracy is about 2 K,
and worse in the first minutes.

Only the commands in `_thermal_master_orders` exist in this driver.

Sources (facts): jvdillon/p3-ir-camera, pieotr/p3-ir-camera. The place of the length follows the latter: with it
the published checksums come out. Frames have no checksum: the counter in both markers carries the integrity.
"""

from collections import deque
from enum import Enum, auto
from math import inf

from devicehub.driver import Options
from devicehub.model.command import CommandState
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Identity, Sample
from devicehub.wire.packet import Packet, usb_port
from devicehub.wire.protocol import Call, Ended, Step, expired
from drivers.thermal._facts import text_of
from drivers.thermal._thermal_master_frames import Pictures
from drivers.thermal._thermal_master_orders import (
    COMMANDS,
    ENDPOINT,
    FACTS,
    ORDER_PORT,
    SEND_FRAMES,
    SETTING,
    STATUS,
    asked,
    frame_read,
    order,
)

READS_IN_FLIGHT = 2
ANSWER_TIMEOUT = 2.0
SILENCE = 3.0
RESTART_SOON, RESTART_LATER, SOON_LIMIT = 0.5, 10.0, 3
STATUSES, STARTED = (b"\x02", b"\x03"), (b"\x01", b"\x35")

_Steps = tuple[Packet | float, ...]


class _State(Enum):
    START = auto()
    STREAM = auto()
    WAIT = auto()


class ThermalMaster:
    """One camera, from its start to its frames."""

    def __init__(self, width: int, height: int, options: Options) -> None:
        self._pictures = Pictures(width, height, options)
        self._read = frame_read(width, height)
        self._state = _State.WAIT
        self._steps: deque[Packet | float] = deque()
        self._asked: Packet | None = None
        self._told = ""
        self._reads = 0
        self._failures = 0
        self._deadline = self._silent_at = inf
        self._call: Call | None = None
        self._step = _Collected()

    def start(self, now: float) -> Step:
        """Ask who it is, then start the stream. The camera is powered by the link, so it warms up from now."""
        self._pictures.begin(now)
        self._begin(now, tuple(step for name in FACTS for step in asked(name)))
        return self._taken()

    def on_packet(self, now: float, packet: Packet) -> Step:
        """A transfer, an answer or a stall."""
        if packet.port == usb_port(ENDPOINT):
            self._on_transfer(now, packet.data)
        elif self._asked is not None and packet.port == self._asked.port:
            self._on_answer(now, packet)
        elif packet.port.startswith("stall:"):
            self._fail(now, ProtocolError(Reason.REJECTED, packet.port[:40]))
        else:
            self._step.faults.append(ProtocolError(Reason.UNEXPECTED, f"port {packet.port[:40]!r}"))
        return self._taken()

    def on_timer(self, now: float) -> Step:
        """A pause is over, or something did not come in time."""
        if now >= self._deadline:
            if self._asked is not None:
                self._fail(now, ProtocolError(Reason.TIMEOUT, f"no answer from {self._asked.port}"))
            elif self._state is _State.WAIT:
                self._begin(now, ())
            else:
                self._go_on(now)
        elif now >= self._silent_at:
            self._step.faults.append(ProtocolError(Reason.TIMEOUT, f"no frame for {SILENCE:g} s: started again"))
            self._begin(now, ())
        self._carry_out(now)
        return self._taken()

    def on_command(self, now: float, call: Call) -> Step:
        """Close the shutter; at once, or when the stream runs."""
        if self._call is not None:
            self._step.ended.append(Ended(call.number, CommandState.REJECTED, "another command is not done yet"))
        else:
            self._call = call
            self._carry_out(now)
        return self._taken()

    def _taken(self) -> Step:
        wake_at = min(self._deadline, self._silent_at)
        expires = inf if self._call is None or self._asked is not None else self._call.expires
        return self._step.take(min(wake_at, expires))

    # Starting

    def _begin(self, now: float, questions: _Steps) -> None:
        throw_away = (self._read, 0.1) if not self._reads else (0.1,)  # one that still waits will do
        again = asked("start")
        self._steps = deque((*questions, *again, 1.0, SETTING, SEND_FRAMES, 2.0, *throw_away, *again))
        self._asked = None
        self._state, self._silent_at = _State.START, inf
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Send up to the next question or pause; what follows the last one is frames."""
        while self._steps:
            step = self._steps.popleft()
            if isinstance(step, float):
                self._deadline = now + step
                return
            if self._send(now, step):
                return
        self._deadline = inf
        if self._state is not _State.STREAM:
            self._state, self._silent_at = _State.STREAM, now + SILENCE
            self._pictures.restart()
            while self._reads < READS_IN_FLIGHT:
                self._send(now, self._read)
        self._carry_out(now)

    def _send(self, now: float, packet: Packet) -> bool:
        """Whether there is an answer to wait for."""
        self._step.write.append(packet)
        if packet is self._read:
            self._reads += 1
        elif packet.port.count(":") == 5:
            self._asked, self._deadline = packet, now + ANSWER_TIMEOUT
        elif packet.port == ORDER_PORT:
            self._told = next(name for name, (command, _) in COMMANDS.items() if command == packet.data)
        return packet is self._asked

    def _on_answer(self, now: float, packet: Packet) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None
        if len(packet.data) != int(asked.port.rpartition(":")[2]):
            self._fail(now, ProtocolError(Reason.LENGTH, f"{len(packet.data)} bytes from {asked.port}"))
            return
        if asked == STATUS:
            if packet.data not in STATUSES:
                fault = ProtocolError(Reason.REJECTED, f"status {packet.data.hex()} after the command {self._told}")
                self._step.faults.append(fault)
            if self._told == "shutter":
                self._end_call(CommandState.DONE if packet.data in STATUSES else CommandState.FAILED)
        elif self._told in FACTS:
            self._step.samples.append(Identity(((self._told, text_of(packet.data)),)))
        elif packet.data not in STARTED:
            self._step.faults.append(ProtocolError(Reason.UNEXPECTED, f"stream started with {packet.data.hex()}"))
        self._go_on(now)

    def _fail(self, now: float, fault: ProtocolError) -> None:
        """A start that fails is tried again; a command that fails disturbs nothing."""
        self._step.faults.append(fault)
        self._asked = None
        if self._state is _State.STREAM:
            self._end_call(CommandState.FAILED, str(fault))
            self._deadline = inf
            return
        self._failures += 1
        self._steps.clear()
        self._state = _State.WAIT
        self._deadline = now + (RESTART_SOON if self._failures <= SOON_LIMIT else RESTART_LATER)

    # Commands

    def _carry_out(self, now: float) -> None:
        """Begin the command that waits, if it still may."""
        if self._call is None or self._asked is not None:
            return
        if now >= self._call.expires:
            self._step.ended.append(expired(self._call))
            self._call = None
        elif self._state is _State.STREAM:
            self._send(now, order("shutter"))
            self._send(now, STATUS)

    def _end_call(self, state: CommandState, why: str = "") -> None:
        if self._call is not None:
            self._step.ended.append(Ended(self._call.number, state, why))
            self._call = None

    # Frames

    def _on_transfer(self, now: float, data: bytes) -> None:
        self._reads = max(self._reads - 1, 0)
        if self._state is not _State.STREAM:
            return
        samples, faults = self._pictures.feed(now, data)
        self._step.samples += samples
        self._step.faults += faults
        if samples:
            self._failures = 0
            self._silent_at = now + SILENCE
        self._send(now, self._read)


class _Collected:
    """What the next step will hold."""

    def __init__(self) -> None:
        self.write: list[Packet] = []
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.ended: list[Ended] = []

    def take(self, wake_at: float) -> Step:
        """All of it, and nothing is left."""
        step = Step(tuple(self.write), tuple(self.samples), tuple(self.faults), wake_at, tuple(self.ended))
        self.write, self.samples, self.faults, self.ended = [], [], [], []
        return step
