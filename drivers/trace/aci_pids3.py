"""ACI PIDS3 and PIM CPN photoionisation detector modules (volatile organic vapour), ASCII over UART or RS-485.

One master asks, the module answers. A frame:

    offset  size  what
    0       1     01 SOH
    1       8     address, hexadecimal digits, always 00000000
    9       1     02 STX
    10      n     command (1..32 bytes) [space parameter (up to 256 bytes)]
    10+n    1     03 ETX
    11+n    8     CRC-32 of offset 1 to ETX inclusive, upper-case hexadecimal digits
    19+n    1     04 EOT

The answer repeats the command's name. Asked here: `device ?`, `device.software ?`, `device.hardware ?`,
`device.serialno ?` once; `pids.error ?` (32 bits, eight hexadecimal digits), `pids.measconfig ?`
(method;gas;factor;dynamic resolution) and `pids.relay.state ?` (three digits: error, high, low) again and again.

`pids.start` takes the module from IDLE over LAMP CHECK to measuring; without it there is no measurement.
It is the only command sent that is no question. It stores nothing, and with the option `start` off it is not
sent. It is repeated every 30 s while the module does not measure. Commands that store, calibrate, rename, restart or
switch relays (`pids.savedata`, `pids.reboot`, any of the others with a value instead of `?`) are never sent.

The pages of the manual that are public do not name the command that reads the concentration: the options
`measure_command` and `measure_field` have to be set from the full manual. The default is a guess in the
style of the other commands. The UART's default rate is not on the public pages either; 115200 is Modbus's.

The module does not say when its lamp check is over: the capability is `warming-up` from `pids.start ok` until
the first concentration.

Source: ACI "PIDS3 User Manual (en) 1.03" pages 32, 35, 36, 38, 41 and 43; "PIM CPN User Manual (en) 1.08"
pages 28 and 32 (which write `pid.` for `pids.`).
"""

from typing import Final

from devicehub.driver import Driver, Options, SerialLink
from devicehub.model.device import Category, Channel, Option
from devicehub.model.errors import ConfigError, ProtocolError, Reason
from devicehub.model.reading import Sample
from devicehub.model.units import Unit
from devicehub.wire.checksum import crc32
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.framer import DelimiterFramer, Frame
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.trace._aci_answers import Answers

_LIMIT: Final = 8 + 1 + 32 + 1 + 256 + 1 + 8
_TIMEOUT: Final = 1.0
_SILENCE: Final = 3
_ONCE: Final = ("device ?", "device.software ?", "device.hardware ?", "device.serialno ?")
_AGAIN: Final = 60.0
_START: Final = "pids.start"
_RESTART: Final = 30.0
_LAMP_CHECK: Final = 120.0


def encode(text: str) -> bytes:
    """A command as a frame."""
    body = b"00000000\x02" + text.encode() + b"\x03"
    return b"\x01" + body + b"%08X\x04" % crc32(body)


def unframe(frame: bytes) -> tuple[str, str]:
    """Name and parameter of a frame without SOH and EOT. Raises `ProtocolError`."""
    body, check = frame[:-8], frame[-8:]
    if len(body) < 11 or body[8:9] != b"\x02" or body[-1:] != b"\x03":
        raise ProtocolError(Reason.LENGTH, "no address, text and checksum")
    if check != b"%08X" % crc32(body):
        raise ProtocolError(Reason.CHECKSUM, "CRC-32 does not match")
    if body[:8] != b"00000000":
        raise ProtocolError(Reason.UNEXPECTED, "not from address 00000000")
    try:
        return split(body[9:-1].decode())
    except UnicodeDecodeError:
        raise ProtocolError(Reason.CORRUPT, "text is not UTF-8") from None


def split(text: str) -> tuple[str, str]:
    """Name and parameter. The manual writes `pid.` and `pids.`, sometimes in one example: here it is `pids.`."""
    name, _, parameter = text.partition(" ")
    return (f"pids.{name[4:]}" if name.startswith("pid.") else name), parameter


class Pids3:
    """The conversation: one question in flight, each with its period, the most urgent first."""

    def __init__(self, measure: str, field: int, *, start: bool) -> None:
        """See the driver's options."""
        self._framer = DelimiterFramer(b"\x04", start=b"\x01", limit=_LIMIT)
        self._answers = Answers(split(measure)[0], field)
        self._periods = dict.fromkeys(_ONCE, _AGAIN)
        if start:
            self._periods[_START] = _RESTART
        self._periods |= {"pids.error ?": 5.0, measure: 1.0, "pids.relay.state ?": 1.0, "pids.measconfig ?": _AGAIN}
        self._due: dict[str, float] = {}
        self._asked = ""
        self._deadline = 0.0
        self._misses = 0

    def start(self, now: float) -> Step:
        """Ask everything once, in the order in which it matters."""
        self._due = dict.fromkeys(self._periods, now)
        self._asked = ""
        return self._step(now, [], [])

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Take bytes; an answer to the question in flight frees the line."""
        samples: list[Sample] = []
        faults: list[ProtocolError] = []
        for frame in self._framer.feed(packet.data):
            try:
                samples.extend(self._on_frame(now, frame))
            except ProtocolError as error:
                faults.append(error)
        return self._step(now, samples, faults)

    def on_timer(self, now: float) -> Step:
        """Give up on a late answer, ask what is due."""
        if not self._asked or now < self._deadline:
            return self._step(now, [], [])
        fault = ProtocolError(Reason.TIMEOUT, f"no answer to '{self._asked}'")
        self._asked = ""
        self._misses += 1
        silent = list(self._answers.silent()) if self._misses == _SILENCE else []
        return self._step(now, silent, [fault])

    def _on_frame(self, now: float, frame: Frame) -> list[Sample]:
        if isinstance(frame, ProtocolError):
            raise frame
        name, parameter = unframe(frame)
        self._misses = 0
        if self._asked and name == split(self._asked)[0]:
            if self._asked in _ONCE:
                self._due[self._asked] = float("inf")
            self._asked = ""
        if name == _START and parameter == "ok":
            self._due[_START] = now + _LAMP_CHECK
        return list(self._answers.samples(name, parameter))

    def _step(self, now: float, samples: list[Sample], faults: list[ProtocolError]) -> Step:
        write: tuple[Packet, ...] = ()
        if not self._asked:
            question = min(self._wanted(), key=self._due.__getitem__)
            if self._due[question] <= now:
                self._asked, self._deadline = question, now + _TIMEOUT
                self._due[question] = now + self._periods[question]
                write = (Packet(encode(question)),)
        wake = self._deadline if self._asked else min(self._due[question] for question in self._wanted())
        return Step(write, tuple(samples), tuple(faults), wake)

    def _wanted(self) -> list[str]:
        return [question for question in self._periods if question != _START or not self._answers.measuring]


def _is_question(text: str) -> bool:
    name, _, asks = text.partition(" ")
    return text.isascii() and text.isprintable() and 1 <= len(name) <= 32 and asks == "?"


def _protocol(options: Options) -> Pids3:
    measure = str(options["measure_command"])
    if not _is_question(measure):
        raise ConfigError(f"measure_command = {measure!r}: must be 1 to 32 printable ASCII characters, then ' ?'")
    return Pids3(measure, int(options["measure_field"]), start=bool(options["start"]))


def _asks(packet: Packet) -> bool:
    """Whether it is one question, of which a site may name one, or the start of the measurement."""
    text = packet.data[10:-10].decode("ascii", "replace")
    return (_is_question(text) or text == _START) and packet == Packet(encode(text))


DRIVER = Driver(
    title="ACI PIDS3 / PIM CPN photoionisation detector",
    category=Category.TRACE,
    link=SerialLink(baud=115200),
    channels=(
        Channel(name="voc", title="Volatile organic compounds", unit=Unit.PPM, low=-10, high=20_000, resolution=0.001),
    ),
    capabilities=("voc",),
    options=(
        Option(
            name="measure_command", title="Command that reads the concentration (not public)", default="pids.meas ?"
        ),
        Option(name="measure_field", title="Field of its answer that holds ppm", default=0, low=0, high=20),
        Option(name="start", title="Start the measurement with pids.start", default=True),
    ),
    integrity="crc32",
    forbidden=(
        Forbidden("store or restart", rb"\x01.{8}\x02pids?\.(savedata|reboot)\b"),
        Forbidden(
            "write settings", rb"\x01.{8}\x02(pids?\.(calib|measconfig|relay\.state)|device\.username) (?!\?\x03)"
        ),
    ),
    allowed=Allowed(fits=_asks),
    protocol=_protocol,
)
