"""Zebra SSI scanner over BLE: the scanner of `zebra_ssi` behind a Terminal I/O line that counts credits."""

from random import Random

from simulators.scanner.zebra_ssi import ZebraScanner

_SERVICE = "0000fefb-0000-1000-8000-00805f9b34fb"
_DATA_IN = "00000001-0000-1000-8000-008025000000"
_DATA_OUT = "00000002-0000-1000-8000-008025000000"
_CREDITS_IN = "00000003-0000-1000-8000-008025000000"
_CREDITS_OUT = "00000004-0000-1000-8000-008025000000"
_MTU = 20
_OWN_CREDITS = 16
_LOW = 4


class ZebraBleScanner:
    """Verbs: those of `ZebraScanner`, and `stingy(credits)`, which grants the host so many at a time, 0 for none.

    `overdrawn` counts writes that the host had no credit for. The scanner itself never sends without one.
    """

    name = "DS8178-000123"

    def __init__(self, random: Random) -> None:
        self._scanner = ZebraScanner(random)
        self._inbox = b""
        self._outbox: list[bytes] = []
        self._credits = 0
        self._given = 0
        self._grant = _OWN_CREDITS
        self._asked_for = False
        self.overdrawn = 0
        self.services: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
            _SERVICE: (
                (_DATA_IN, ("write-without-response",)),
                (_DATA_OUT, ("notify",)),
                (_CREDITS_IN, ("write",)),
                (_CREDITS_OUT, ("indicate",)),
            )
        }

    @property
    def beeps(self) -> int:
        """What a person would hear."""
        return self._scanner.beeps

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "stingy":
            self._grant = int(values["credits"])
        else:
            self._scanner.do(verb, **values)

    def hang_up(self) -> None:
        """The link is gone: credits and half packets with it, not what was scanned."""
        self._inbox, self._outbox = b"", []
        self._credits = self._given = 0
        self._asked_for = False

    def on_write(self, characteristic: str, data: bytes) -> list[tuple[str, bytes]]:
        """Credits of the host's, or a piece of a packet."""
        if characteristic == _CREDITS_IN:
            self._credits += data[0]
            self._asked_for = True
        elif characteristic == _DATA_IN:
            self.overdrawn += not self._given
            self._given = max(self._given - 1, 0)
            self._inbox += data
            self._read()
        return self._spoken()

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; notifications of its own accord."""
        self._queue(self._scanner.advance(dt))
        return self._spoken()

    def _read(self) -> None:
        while len(self._inbox) > 2:
            end = self._inbox[0] + 256 * self._inbox[1]
            if len(self._inbox) < end:
                return
            packet, self._inbox = self._inbox[2:end], self._inbox[end:]
            self._scanner.on_bytes(b"\0")
            self._queue(self._scanner.on_bytes(packet))

    def _queue(self, said: bytes) -> None:
        while said:
            size = said[0] + 2
            packet, said = said[:size], said[size:]
            whole = bytes([(size + 2) % 256, (size + 2) // 256]) + packet
            self._outbox += [whole[at : at + _MTU] for at in range(0, len(whole), _MTU)]

    def _spoken(self) -> list[tuple[str, bytes]]:
        out: list[tuple[str, bytes]] = []
        if self._asked_for and self._given < _LOW and self._grant:
            self._given += self._grant
            out.append((_CREDITS_OUT, bytes([self._grant])))
        while self._outbox and self._credits:
            self._credits -= 1
            out.append((_DATA_OUT, self._outbox.pop(0)))
        return out


SIMULATOR = ZebraBleScanner
