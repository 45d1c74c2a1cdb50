"""RadiaCode simulator: a CsI detector's counts, dose rate and pulse-height spectrum, over its BLE exchange."""

import struct
from random import Random

UUID_SERVICE = "e63215e5-7003-49d8-96b0-b024798fb901"
UUID_WRITE = "e63215e6-7003-49d8-96b0-b024798fb901"
UUID_NOTIFY = "e63215e7-7003-49d8-96b0-b024798fb901"

CHANNELS = 1024
CALIBRATION = (-4.5, 2.37, 0.00034)
CPS_PER_USVH = 30.0
ROENTGEN_PER_USV = 1e-4
CAESIUM_CHANNEL = 268
ALARM_USVH = 0.4
_ANSWER = 200
_KEPT = 4000
_CONFIGURATION = "DeviceParams=1\r\nSpecFormatVersion=1\r\nSensitivity=30\r\n"


def record(number: int, kind: int, at: int, body: bytes) -> bytes:
    """A record of the instrument's log; `at` in hundredths of a second."""
    return struct.pack("<BBBi", number, 0, kind, at) + body


def real_time(counts: float, dose: float, errors: tuple[int, int]) -> bytes:
    """The body of a record of now: counts a second, dose rate in hundredths of R/h, tenths of a percent of doubt."""
    return struct.pack("<ffHHHB", counts, dose, *errors, 0, 0)


def string(content: bytes) -> bytes:
    """What follows the head of an answer that carries a string."""
    return struct.pack("<II", 1, len(content)) + content


def whole(answer: bytes) -> bytes:
    """An answer as it is cut into notifications."""
    return struct.pack("<I", len(answer)) + answer


class RadiaCodeSim:
    """Answers requests; records once a second, dose and battery every 20 s.

    Verbs: `demo` and `source(rate)` bring a Cs-137 source of that many uSv/h to the detector; `away(seconds)` lets
    that long pass without anybody connected; `battery(percent)`; `mute` loses the next answer; `garble` damages the
    next answer's length. `clock`: the eight bytes that it was last set to.
    """

    name = "RadiaCode-102#RC-102-000123"

    def __init__(self, random: Random) -> None:
        self._random = random
        self._elapsed = 0.0
        self._seconds = 0
        self._source = 0.0
        self._battery = 87.0
        self._dose_usv = 12.5
        self._alarmed = False
        self.clock: tuple[int, ...] = ()
        self._fault = ""
        self._inbox = b""
        self._records: list[bytes] = []
        self._number = 0
        self._spectrum = [0] * CHANNELS
        self.services: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
            UUID_SERVICE: ((UUID_WRITE, ("write-without-response", "write")), (UUID_NOTIFY, ("notify",)))
        }

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._source = 0.9
        elif verb == "source":
            self._source = float(values["rate"])
        elif verb == "away":
            for _ in range(int(float(values["seconds"]))):
                self._second()
        elif verb == "battery":
            self._battery = float(values["percent"])
        elif verb in {"mute", "garble"}:
            self._fault = verb
        else:
            raise ValueError(f"radiacode has no verb '{verb}'")

    def on_write(self, characteristic: str, data: bytes) -> list[tuple[str, bytes]]:
        """A piece of a request; the pieces of the answer once it is whole."""
        if characteristic != UUID_WRITE:
            return []
        self._inbox += data
        out: list[tuple[str, bytes]] = []
        while len(self._inbox) >= 4:
            end = 4 + struct.unpack_from("<I", self._inbox)[0]
            if len(self._inbox) < end:
                break
            request, self._inbox = self._inbox[4:end], self._inbox[end:]
            out += self._notified(request[:4] + self._answer(request))
        return out

    def _notified(self, answer: bytes) -> list[tuple[str, bytes]]:
        fault, self._fault = self._fault, ""
        if fault == "mute":
            return []
        data = whole(answer)
        if fault == "garble":
            data = struct.pack("<I", 0x7FFFFFFF) + data[4:]
        return [(UUID_NOTIFY, data[at : at + 20]) for at in range(0, len(data), 20)]

    def _answer(self, request: bytes) -> bytes:
        command = request[0] | request[1] << 8
        if command == 0x0007:
            return b""
        if command == 0x000A:
            boot, main = b"Jan 12 2023", b"Mar 29 2024"
            head = struct.pack("<HHB", 0, 4, len(boot)) + boot
            return head + struct.pack("<HHB", 12, 4, len(main)) + main
        if command == 0x0A04:
            self.clock = tuple(request[4:12])
            return b""
        if command == 0x0826:
            found = self._string(struct.unpack_from("<I", request, 4)[0])
            if found is not None:
                return string(found) + b"\0"
        return struct.pack("<II", 0, 0)

    def _string(self, number: int) -> bytes | None:
        if number == 0x0002:
            return _CONFIGURATION.encode("cp1251")
        if number == 0x0100:
            taken, self._records = self._records[:_ANSWER], self._records[_ANSWER:]
            return b"".join(taken)
        if number == 0x0200:
            return struct.pack("<Ifff", self._seconds, *CALIBRATION) + _pack(self._spectrum)
        return None

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; this device only speaks when asked."""
        self._elapsed += dt
        while self._elapsed >= 1.0:
            self._elapsed -= 1.0
            self._second()
        return []

    def _second(self) -> None:
        self._seconds += 1
        rate = 0.1 + self._source
        mean = rate * CPS_PER_USVH
        counts = max(0, round(self._random.gauss(mean, mean**0.5)))
        for _ in range(counts):
            self._spectrum[self._channel()] += 1
        measured = counts / CPS_PER_USVH
        self._dose_usv += rate / 3600
        self._battery = max(0.0, self._battery - 0.0005)
        error = round(1000 / max(counts, 1) ** 0.5)
        body = real_time(counts, measured * ROENTGEN_PER_USV, (error, error))
        self._record(0, body)
        if self._seconds % 60 == 0:
            logged = struct.pack("<IffHH", counts, rate * CPS_PER_USVH, rate * ROENTGEN_PER_USV, error, 0)
            self._record(2, logged)
        if self._seconds % 20 == 1:
            charge = round(self._battery * 100)
            body = struct.pack("<IfHHH", self._seconds, self._dose_usv * ROENTGEN_PER_USV, 4450, charge, 0)
            self._record(3, body)
        above = measured > ALARM_USVH
        if above and not self._alarmed:
            self._record(7, struct.pack("<BBH", 9, 0, 0))
        self._alarmed = above

    def _record(self, kind: int, body: bytes) -> None:
        self._records.append(record(self._number, kind, self._seconds * 100, body))
        self._number = (self._number + 1) & 0xFF
        del self._records[:-_KEPT]

    def _channel(self) -> int:
        """Where a pulse falls: the 662 keV line of the source, or a continuum that falls off."""
        share = self._source / (0.1 + self._source) * 0.4
        if self._random.random() < share:
            at = self._random.gauss(CAESIUM_CHANNEL, 10.0)
        else:
            at = self._random.expovariate(1 / 90.0) + 8
        return min(max(int(at), 0), CHANNELS - 1)


def _pack(counts: list[int]) -> bytes:
    """Format 1: each run in the narrowest way that holds its differences."""
    out = b""
    at, last = 0, 0
    while at < len(counts):
        how = _how(counts[at], last)
        run = b""
        number = 0
        while at < len(counts) and number < 4095 and _how(counts[at], last) == how:
            value = counts[at] if how < 2 else counts[at] - last
            width = [0, 1, 1, 2, 3, 4][how]
            run += (value % (1 << 8 * width)).to_bytes(width, "little") if width else b""
            last = counts[at]
            at += 1
            number += 1
        out += struct.pack("<H", number << 4 | how) + run
    return out


def _how(count: int, last: int) -> int:
    if count == 0:
        return 0
    if last == 0 and count < 256:
        return 1
    step = count - last
    for how, limit in ((2, 1 << 7), (3, 1 << 15), (4, 1 << 23)):
        if -limit <= step < limit:
            return how
    return 5


SIMULATOR = RadiaCodeSim
