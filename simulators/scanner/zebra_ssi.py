"""Zebra SSI scanner simulator: an operator who scans, a decoder that sleeps, sends again and cuts long codes up."""

from random import Random

_TYPES = {"code-39": 1, "code-128": 3, "ean-13": 11, "gs1-128": 15, "pdf417": 17, "data-matrix": 27, "qr-code": 28}
_FLAGS = {
    "corrupt": ("_corrupt", True),
    "deaf": ("_deaf", True),
    "disable": ("_enabled", False),
    "dead": ("_dead", True),
}
_TIMEOUT = 2.0
_SLEEP = 1.0


def packet(*body: int, data: bytes = b"") -> bytes:
    """Opcode, source and status, what goes with them, between length and sum."""
    raw = bytes([len(body) + len(data) + 1, *body]) + data
    check = (0x10000 - sum(raw)) % 0x10000
    return raw + bytes([check >> 8, check & 0xFF])


class ZebraScanner:
    """Sends one packet at a time and waits for its answer; two resends, then the packet is dropped.

    Verbs: `demo` (the operator scans every five to fifteen seconds), `scan(code, type)` scans one code,
    `long(length)` scans a QR code of so many characters, `corrupt` damages the next packet sent, `deaf` loses
    the next answer of the host, `disable` is what SCAN_DISABLE does, `dead` stops everything; `hold(code)` keeps a code
    before the window, which is scanned when the host starts a session. `beeps` counts what a person would hear.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._outbox: list[bytes] = []
        self._waiting = 0.0
        self._tries = 0
        self._buffer = b""
        self._awake = 0.0
        self._next_scan: float | None = None
        self._enabled = True
        self._corrupt = self._deaf = self._dead = False
        self._held = ""
        self.beeps = 0

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "demo":
            self._next_scan = 3.0
        elif verb == "scan":
            self._scan(str(values["code"]), str(values.get("type", "code-128")))
        elif verb == "long":
            self._scan("Z" * int(values["length"]), "qr-code")
        elif verb in _FLAGS:
            name, value = _FLAGS[verb]
            setattr(self, name, value)
        elif verb == "hold":
            self._held = str(values["code"])
        else:
            raise ValueError(f"zebra_ssi has no verb '{verb}'")

    def advance(self, dt: float) -> bytes:
        """Time passes: the operator scans, unanswered packets are sent again."""
        if self._dead:
            return b""
        self._awake -= dt
        if self._next_scan is not None:
            self._next_scan -= dt
            if self._next_scan <= 0:
                self._next_scan = self._random.uniform(5, 15)
                self._scan(*self._pick())
        if self._outbox and self._tries:
            self._waiting -= dt
            if self._waiting <= 0:
                return self._again()
        return self._send_first()

    def on_bytes(self, data: bytes) -> bytes:
        """Packets of the host. A sleeping decoder loses the first byte; 00 is WAKEUP."""
        if self._dead:
            return b""
        if self._awake <= 0:
            data = data[1:]
        self._awake = _SLEEP
        self._buffer += data
        out = b""
        while self._buffer:
            size = self._buffer[0]
            if size < 4:
                self._buffer = self._buffer[1:]
            elif len(self._buffer) < size + 2:
                break
            else:
                frame, self._buffer = self._buffer[: size + 2], self._buffer[size + 2 :]
                out += self._on_packet(frame)
        return out

    def _on_packet(self, frame: bytes) -> bytes:
        if (sum(frame[:-2]) + frame[-2] * 256 + frame[-1]) % 0x10000:
            return packet(0xD1, 0, 0x80, data=b"\x01")
        opcode = frame[1]
        if opcode in {0xD0, 0x74, 0xD1}:
            return self._on_answer(opcode, frame[4:-2])
        if opcode == 0xA3:
            return packet(0xA4, 0, 0x80, data=b"PAACWS00-001-R00  00  0001")
        if opcode in {0xE9, 0xEA}:
            self._enabled = opcode == 0xE9
            return packet(0xD0, 0, 0x80)
        if opcode in {0xE4, 0xE5, 0xE6}:
            return self._on_act(opcode, frame[4:-2])
        return packet(0xD1, 0, 0x80, data=b"\x02")

    def _on_act(self, opcode: int, data: bytes) -> bytes:
        """Start and stop of a session, which somebody who switched scanning off is denied, and the beeper."""
        if opcode == 0xE6:
            if len(data) != 1 or data[0] > 0x1A:
                return packet(0xD1, 0, 0x80, data=b"\x02")
            self.beeps += 1
        elif not self._enabled:
            return packet(0xD1, 0, 0x80, data=b"\x06")
        elif opcode == 0xE4 and self._held:
            self._scan(self._held, "code-128")
        return packet(0xD0, 0, 0x80)

    def _on_answer(self, opcode: int, data: bytes) -> bytes:
        if self._deaf or not self._outbox or not self._tries:
            self._deaf = False
            return b""
        if opcode == 0xD1 and data[:1] == b"\x01":
            return self._again()
        self._outbox.pop(0)
        self._tries = 0
        return self._send_first()

    def _send_first(self) -> bytes:
        if not self._outbox or self._tries:
            return b""
        return self._transmit(self._outbox[0])

    def _again(self) -> bytes:
        if self._tries > 2:
            self._outbox.pop(0)
            self._tries = 0
            return self._send_first()
        raw = self._outbox[0][:-2]
        return self._transmit(packet(raw[1], raw[2], raw[3] | 1, data=raw[4:]))

    def _transmit(self, whole: bytes) -> bytes:
        self._tries += 1
        self._waiting = _TIMEOUT
        self._awake = _SLEEP
        if self._corrupt:
            self._corrupt = False
            return whole[:6] + bytes([whole[6] ^ 0x10]) + whole[7:]
        return whole

    def _scan(self, code: str, kind: str) -> None:
        if not self._enabled:
            return
        data, code_type = code.encode("latin-1"), _TYPES[kind]
        if len(data) <= 250:
            self._outbox.append(packet(0xF3, 0, 0x20, data=bytes([code_type]) + data))
            return
        size = len(data)
        head = bytes([0, 0xF3, 0, 0, (size + 3) >> 8, (size + 3) & 255, code_type, 1, size >> 8, size & 255])
        self._outbox.append(packet(0x73, 2, 0, data=head + data[:241]))
        for index, at in enumerate(range(241, size, 250), 1):
            self._outbox.append(packet(0x73, 0, 0, data=bytes([index]) + data[at : at + 250]))

    def _pick(self) -> tuple[str, str]:
        digits = "".join(self._random.choice("0123456789") for _ in range(12))
        kind = self._random.choice(("ean-13", "code-128", "gs1-128", "code-39", "pdf417", "qr-code"))
        if kind == "ean-13":
            odd, even = (sum(map(int, digits[start::2])) for start in (0, 1))
            return digits + str(-(odd + 3 * even) % 10), kind
        if kind == "qr-code":
            return f"https://example.org/declaration/{digits}?" + "ab12" * self._random.randint(1, 200), kind
        if kind == "gs1-128":
            return "00" + digits + "123457", kind
        return f"PK{digits}", kind


SIMULATOR = ZebraScanner
