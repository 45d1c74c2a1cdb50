"""RadiaCode 10x and 110 pocket gamma spectrometer, BLE.

Service e63215e5-7003-49d8-96b0-b024798fb901; requests are written without response to characteristic
...e6 in pieces of at most 18 bytes; answers are notified by ...e7, in pieces. All little-endian:

    request   u32 length of what follows | u16 command | u8 0 | u8 0x80 + sequence (0..31) | arguments
    answer    u32 length of what follows | the same four bytes                        | payload

Commands: SET_EXCHANGE 0007 (01 ff 12 ff opens the exchange), GET_VERSION 000a, SET_TIME 0a04 (day, month, year - 2000,
0, second, minute, hour, 0), RD_VIRT_STRING 0826 (u32 id; payload u32 return code, 1 is good, u32 length, content).
Strings: 0002 configuration (text, "SpecFormatVersion=1"), 0100 DATA_BUF, 0200 spectrum.

DATA_BUF: records since the last read, each u8 sequence, u8 group, u8 kind, i32 time in 10 ms, then by group.kind

    0.0  f32 counts/s, f32 dose rate in R/h, u16 and u16 their errors in 0.1 %, u16, u8 flags
    0.2  u32 counts, f32 counts/s, f32 dose rate in R/h, u16 its error in 0.1 %, u16 flags: of the device's own log
    0.3  u32 s, f32 dose in R, u16 temperature * 100 + 2000, u16 charge in 0.01 %, u16 flags
    0.7  u8 event, u8, u16 flags
    0.1, 0.4, 0.5, 0.6, 0.8, 0.9 and the series 1.1, 1.2, 1.3 are skipped by their sizes

Spectrum: u32 s, f32 a0, a1, a2 (keV = a0 + a1 channel + a2 channel^2), then u32 counts, or in format 1
runs u16 = count << 4 | how, how: 0 zeros, 1 u8 absolute, 2 i8, 3 i16, 4 i24, 5 i32 differences.

Source: cdump/radiacode (MIT, facts only). That program also sets the device's clock and resets its time
base; this driver does neither unasked, and so it dates records by the newest of them: those of before it was connected,
and those of its log, are told as history (`_radiacode_log`). They are read once: what the device handed over dies with
a hub that is killed within the moments before they are stored. The command `set-clock` (control) sends SET_TIME, behind
an answer that left no record without its time; the time base that records count from is a register, which is never
written.
The protocol has no checksum; lengths, the echoed header and the records' sequence are checked.
"""

import re
import struct
from collections import deque
from collections.abc import Iterable, Iterator

from devicehub.driver import BleLink, Driver, Options
from devicehub.model.command import CommandState
from devicehub.model.device import Category, Channel, ChannelKind, Option
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Identity, Sample
from devicehub.model.units import Unit
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Step
from drivers.radiation import _radiacode_records as content
from drivers.radiation._radiacode_clock import SET_CLOCK, ClockSetting
from drivers.radiation._radiacode_log import Records

SERVICE = "e63215e5-7003-49d8-96b0-b024798fb901"
REQUEST = "e63215e6-7003-49d8-96b0-b024798fb901"
ANSWER = "e63215e7-7003-49d8-96b0-b024798fb901"

PIECE = 18
LIMIT = 32 * 1024
TIMEOUT = 10.0
QUIET = 0.5
DATA_PERIOD = 1.0

SET_EXCHANGE = (0x0007, bytes.fromhex("01ff12ff"))
GET_VERSION = (0x000A, b"")
CONFIGURATION = (0x0826, struct.pack("<I", 0x0002))
DATA_BUF = (0x0826, struct.pack("<I", 0x0100))
SPECTRUM = (0x0826, struct.pack("<I", 0x0200))
SET_TIME = 0x0A04
Command = tuple[int, bytes]


_ASKED = re.compile(
    b"|".join(
        re.escape(struct.pack("<IHB", 4 + len(arguments), number, 0)) + rb"[\x80-\x9f]" + re.escape(arguments)
        for number, arguments in (SET_EXCHANGE, GET_VERSION, CONFIGURATION, DATA_BUF, SPECTRUM)
    )
    + b"|"
    + re.escape(struct.pack("<IHB", 12, SET_TIME, 0))
    + rb"[\x80-\x9f][\x01-\x1f][\x01-\x0c][\x00-\x63]\x00[\x00-\x3b]{2}[\x00-\x17]\x00"
)


def is_request(data: bytes) -> bool:
    """Whether it is one of the requests here, whole, with any sequence and, to set the clock, any time."""
    return _ASKED.fullmatch(data) is not None


class RadiaCode:
    """One request at a time: the start sequence, then DATA_BUF every second and the spectrum now and then."""

    timeout = TIMEOUT

    def __init__(self, options: Options) -> None:
        self._spectrum_period = float(options["spectrum-period"])
        self._queue: deque[Command] = deque((SET_EXCHANGE, GET_VERSION, CONFIGURATION))
        self._asked: Command | None = None
        self._header = b""
        self._sequence = 0
        self._buffer = bytearray()
        self._deadline = 0.0
        self._free_at = 0.0
        self._deaf_until = 0.0
        self._data_at = 0.0
        self._spectrum_at = 0.0
        self._format = 0
        self._records = Records()
        self._heard = False
        self._clock = ClockSetting()

    def start(self, now: float) -> Step:
        """Open the exchange."""
        self._free_at = self._data_at = self._spectrum_at = now
        return self._advance(now, [], [])

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take a piece of an answer."""
        if now < self._deaf_until:
            return self._advance(now, [], [])
        answer = self._whole(now, packet.data)
        if answer is None:
            return self._advance(now, [], [])
        if isinstance(answer, ProtocolError):
            return self._advance(now, [], [answer])
        samples, faults = self._answered(now, answer)
        return self._advance(now, samples, faults)

    def _whole(self, now: float, piece: bytes) -> bytes | ProtocolError | None:
        """The answer without its length, once its last piece is there."""
        if self._asked is None:
            return self._turn_deaf(now, Reason.UNEXPECTED, "answer that nobody asked for")
        self._buffer += piece
        if len(self._buffer) < 4:
            return None
        length = int.from_bytes(self._buffer[:4], "little")
        if not 4 <= length <= LIMIT:
            return self._turn_deaf(now, Reason.OVERFLOW, f"answer of {length} bytes")
        if len(self._buffer) > 4 + length:
            return self._turn_deaf(now, Reason.LENGTH, "bytes after the end of an answer")
        if len(self._buffer) < 4 + length:
            return None
        answer = bytes(self._buffer[4:])
        self._buffer.clear()
        return answer

    def on_timer(self, now: float) -> Step:
        """Give up on an answer, ask for what is due."""
        faults = []
        if self._asked is not None and now >= self._deadline:
            faults.append(self._turn_deaf(now, Reason.TIMEOUT, f"no answer to {self._asked[0]:04x}"))
        return self._advance(now, [], faults)

    def on_command(self, now: float, call: Call) -> Step:
        """`set-clock`, in turn."""
        if self._clock.take(now, call, heard=self._heard, settled=self._records.settled):
            self._queue.append((SET_TIME, b""))
        return self._advance(now, [], [])

    def _turn_deaf(self, now: float, reason: Reason, detail: str) -> ProtocolError:
        """Nothing marks the beginning of an answer: wait until the rest of this one must have passed."""
        if self._asked is not None and self._asked[0] == SET_TIME:
            self._clock.over(CommandState.TIMEOUT, "the device did not answer")
        self._asked = None
        self._buffer.clear()
        self._deaf_until = self._free_at = now + QUIET
        return ProtocolError(reason, detail)

    def _answered(self, now: float, answer: bytes) -> tuple[list[Sample], list[ProtocolError]]:
        if answer[:4] != self._header:
            # The answer to an earlier request that was given up: ours is still to come.
            return [], [ProtocolError(Reason.SEQUENCE, f"answer to {answer[:4].hex()} instead of {self._header.hex()}")]
        asked, self._asked, self._free_at = self._asked, None, now
        samples: list[Sample] = []
        try:
            samples.extend(self._samples(now, asked, answer[4:]))
        except ProtocolError as error:
            return samples, [error]
        return samples, []

    def _samples(self, now: float, asked: Command | None, payload: bytes) -> Iterable[Sample]:
        if asked == GET_VERSION:
            return [Identity((("firmware", content.version(payload)),))]
        if asked == SET_EXCHANGE:
            return []
        if asked is not None and asked[0] == SET_TIME:
            self._clock.over(CommandState.DONE)
            return []
        text = content.virtual_string(payload)
        if asked == DATA_BUF:
            self._heard = True
            return self._read(now, text)
        if asked == SPECTRUM:
            return [content.spectrum(text, self._format)]
        found = re.search(rb"SpecFormatVersion=(\d{1,3})", text)
        self._format = int(found[1]) if found is not None else 0
        return []

    def _read(self, now: float, text: bytes) -> Iterator[Sample]:
        """What stands before a record that makes no sense is kept: the device does not say it again."""
        found: list[content.Record] = []
        try:
            found.extend(content.records(text))
        finally:
            yield from self._records.take(now, found)

    def _advance(self, now: float, samples: list[Sample], faults: list[ProtocolError]) -> Step:
        write: tuple[Packet, ...] = ()
        if self._asked is None and now >= self._free_at:
            command = self._next(now)
            write = () if command is None else self._ask(now, command)
        return Step(write, tuple(samples), tuple(faults), self._wake_at(), self._clock.ended())

    def _next(self, now: float) -> Command | None:
        """What is asked now: what waits in its turn, then what is due."""
        while self._queue:
            command = self._queue.popleft()
            if command[0] != SET_TIME:
                return command
            arguments = self._clock.arguments(now)
            if arguments is not None:
                return SET_TIME, arguments
        self._enqueue(now)
        return self._queue.popleft() if self._queue else None

    def _enqueue(self, now: float) -> None:
        if now >= self._data_at:
            self._queue.append(DATA_BUF)
            self._data_at = max(self._data_at + DATA_PERIOD, now)
        if now >= self._spectrum_at:
            self._queue.append(SPECTRUM)
            self._spectrum_at = max(self._spectrum_at + self._spectrum_period, now)

    def _ask(self, now: float, command: Command) -> tuple[Packet, ...]:
        number, arguments = command
        self._header = struct.pack("<HBB", number, 0, 0x80 + self._sequence)
        self._sequence = (self._sequence + 1) % 32
        self._asked, self._deadline = command, now + self.timeout
        self._buffer.clear()
        return self._packets(struct.pack("<I", 4 + len(arguments)) + self._header + arguments)

    def _packets(self, request: bytes) -> tuple[Packet, ...]:
        """A request as it goes over the link."""
        return tuple(Packet(request[at : at + PIECE], REQUEST) for at in range(0, len(request), PIECE))

    def _wake_at(self) -> float:
        if self._asked is not None:
            return self._deadline
        return max(self._free_at, 0.0 if self._queue else min(self._data_at, self._spectrum_at))


DRIVER = Driver(
    title="RadiaCode gamma spectrometer (BLE)",
    category=Category.RADIATION,
    link=BleLink(notify=(ANSWER,), name="RadiaCode", service=SERVICE, acknowledged=False),
    channels=(
        Channel(name="count-rate", title="Count rate", unit=Unit.PER_SECOND, low=0),
        Channel(name="dose-rate", title="Dose rate", unit=Unit.MICROSIEVERT_PER_HOUR, low=0, high=1e6),
        Channel(name="dose", title="Accumulated dose", unit=Unit.MICROSIEVERT, low=0),
        Channel(name="temperature", title="Detector temperature", unit=Unit.CELSIUS, low=-40, high=85),
        Channel(name="battery", title="Battery", unit=Unit.PERCENT, low=0, high=100),
        Channel(name="spectrum", title="Gamma spectrum", unit=Unit.COUNT, kind=ChannelKind.SPECTRUM),
    ),
    capabilities=("gamma",),
    plausibility=(
        "swapped bytes of a value show nowhere: the radio has a CRC of its own; the length, the echoed "
        "header, the sequence of records"
    ),
    options=(Option(name="spectrum-period", title="Seconds between spectra", default=30.0, low=2, high=3600),),
    integrity="length, echoed header, record sequence",
    forbidden=(
        Forbidden("write the configuration", rb".{4}[\x27\x2b]\x08"),
        Forbidden("write a register", rb".{4}\x25\x08"),
    ),
    allowed=Allowed(fits=lambda packet: packet.port == REQUEST and is_request(packet.data)),
    commands=(SET_CLOCK,),
    protocol=RadiaCode,
)
