"""How a Seek Thermal camera is started: commands and questions in order, see `_seek`."""

from collections import Counter, deque
from dataclasses import dataclass

from devicehub.model.errors import ProtocolError, Reason
from devicehub.wire.forbidden import Forbidden
from devicehub.wire.packet import Packet, control_read, control_write
from drivers.thermal._seek_frame import FrameLayout

CHIP_ID, SET_MODE, GET_MODE, SET_PROCESSING = 54, 60, 61, 62
FIRMWARE, START_TRANSFER, PLATFORM = 78, 83, 84
SET_FIRMWARE_FEATURES, SET_FACTORY_FEATURES, FACTORY = 85, 86, 88

FORBIDDEN = (Forbidden("overwrite the firmware or the factory settings", port="ctl:41:(4f|50|51|52|57):"),)


def command(number: int, payload: str) -> Packet:
    """A command to the camera; `payload` hexadecimal."""
    return control_write(0x41, number, 0, 0, bytes.fromhex(payload))


def question(number: int, size: int) -> Packet:
    """Ask the camera for `size` bytes."""
    return control_read(0xC1, number, 0, 0, size)


def factory(words: int, address: int) -> tuple[Packet, Packet]:
    """Read `words` words of factory settings."""
    choice = words.to_bytes(2, "little") + address.to_bytes(2, "little") + b"\0\0"
    return command(SET_FACTORY_FEATURES, choice.hex()), question(FACTORY, 2 * words)


FACTORY_ID = factory(6, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeekModel:
    """What differs between models. `start`: what follows the command 84; `chunk`: bytes in a bulk transfer."""

    layout: FrameLayout
    chunk: int
    start: tuple[Packet, ...]

    @property
    def request(self) -> Packet:
        """Ask for the next frame."""
        return command(START_TRANSFER, (self.layout.size // 2).to_bytes(4, "little").hex())


class StartScript:
    """Goes through the start, one question at a time. `facts`: what the answers say about the camera."""

    def __init__(self, model: SeekModel) -> None:
        self.facts: dict[str, str] = {}
        self._model = model
        self._script: deque[Packet] = deque()
        self._asked: Packet | None = None
        self._chosen: Packet | None = None
        self._stale: Counter[str] = Counter()

    def begin(self, *, running: bool) -> None:
        """From the top. `running`: the camera has to be stopped first."""
        if self._asked is not None:
            self._stale[self._asked.port] += 1
        self._asked = None
        stop = [command(SET_MODE, "0000")] * 3 if running else []
        self._script = deque([*stop, command(PLATFORM, "01"), *self._model.start])

    def packets(self) -> list[Packet]:
        """What to send now: commands up to the next question. Empty while an answer is due."""
        out: list[Packet] = []
        while self._script and self._asked is None:
            out.append(self._script.popleft())
            if out[-1].port.count(":") == 5:
                self._asked = out[-1]
            else:
                self._chosen = out[-1]
        return out

    @property
    def finished(self) -> bool:
        """Whether everything was sent and answered."""
        return not self._script and self._asked is None

    def give_up(self) -> None:
        """No answer will come any more."""
        self._asked = None

    def take(self, packet: Packet) -> None:
        """An answer. Raises `ProtocolError` for one that nobody asked for or of another length."""
        if self._is_stale(packet.port):
            return
        if self._asked is None or packet.port != self._asked.port:
            raise ProtocolError(Reason.UNEXPECTED, f"answer {packet.port}")
        self._asked = None
        if len(packet.data) != int(packet.port.rpartition(":")[2]):
            raise ProtocolError(Reason.LENGTH, f"{len(packet.data)} bytes from {packet.port}")
        self._note(packet)

    def refused(self, packet: Packet) -> str:
        """The port of what the camera stalled; "" for something that was given up before."""
        port = packet.port.replace("stall:", "ctl:", 1)
        if self._is_stale(port):
            return ""
        if self._asked is not None and port == self._asked.port:
            self._asked = None
        return port

    def _is_stale(self, port: str) -> bool:
        self._stale[port] -= 1
        if self._stale[port] >= 0:
            return True
        del self._stale[port]
        return False

    def _note(self, packet: Packet) -> None:
        if packet.port == question(FIRMWARE, 4).port:
            self.facts["firmware"] = ".".join(str(number) for number in packet.data)
        elif packet.port == question(CHIP_ID, 12).port:
            self.facts["chip-id"] = packet.data.hex()
        elif (self._chosen, packet.port) == (FACTORY_ID[0], FACTORY_ID[1].port):
            text = packet.data.decode("ascii", errors="replace").rstrip("\0")
            self.facts["factory-id"] = "".join(letter if letter.isprintable() else "?" for letter in text)
