"""Things that are read: tags in a field, barcodes that are scanned, documents that are put on a reader."""

from itertools import cycle
from random import Random

from devicehub.devicefile.physics.model import Options, Quantities, check_known, number

_BARCODES = (
    ("]E0", "5901234123457", "d"),
    ("]C0", "RR473124829GB", "j"),
    ("]Q1", "BORDER CROSSING 12", "s"),
    ("]d1", "0109506000134376", "w"),
    ("]L0", "DECLARATION 24 0117; 12 PIECES; PLATE AB 1234 CD; " * 4, "r"),
)
_AIM = {
    "qr-code": "]Q0", "code-128": "]C0", "gs1-128": "]C1", "code-39": "]A0", "pdf417": "]L0", "data-matrix": "]d0",
    "aztec": "]z0", "ean-13": "]E0", "interleaved-2-of-5": "]I0",
}  # fmt: skip
_DOCUMENTS = (
    ("", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"),
    ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"),
    ("", "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"),
)  # specimens of ICAO 9303


class Tags:
    """UHF tags in the field of a reader.

    Option: `rssi`, the signal strength as the reader says it. Verbs: `insert(epc)`, `remove(epc)`, `demo` carries one
    to three tags through every twenty seconds. Events: `tag` while any is there, once a second.
    """

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, ("rssi",))
        self._random = random
        self._rssi = number(options, "rssi", 0x49)
        self._there: dict[str, int] = {}
        self._demo = False
        self._clock = 0.0

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        if verb == "demo":
            self._demo = True
        elif verb == "insert":
            self._there[str(values["epc"])] = 1
        elif verb == "remove":
            self._there.pop(str(values["epc"]), None)
        else:
            raise ValueError(f"no verb '{verb}'; there are demo, insert, remove")

    def advance(self, dt: float) -> list[str]:
        """Time passes."""
        before, self._clock = self._clock, self._clock + dt
        if self._demo and before // 10 != self._clock // 10:
            passing = self._clock // 10 % 2 == 1
            self._there = {self._epc(): 1 for _ in range(self._random.randint(1, 3))} if passing else {}
        return ["tag"] if self._there and before // 1 != self._clock // 1 else []

    def _epc(self) -> str:
        return f"e2002067{self._random.getrandbits(64):016x}"

    def quantities(self) -> Quantities:
        """`present`: how many; `tags`: tables of `epc` (bytes), `antenna` and `rssi`."""
        there = self._there.items()
        tags = [{"epc": bytes.fromhex(epc), "antenna": antenna, "rssi": self._rssi} for epc, antenna in there]
        return {"present": len(tags), "tags": tags, "seconds": int(self._clock)}


class Barcodes:
    """Barcodes under a scanner.

    Option: `period`, from one to the next of `demo`, in s. Verbs: `scan(symbology, data)`, a name or `]` and an AIM
    identifier, `]E0` unless given; `demo`. Event: `scan`.
    """

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, ("period",))
        del random
        self._period = number(options, "period", 5.0)
        self._supply = cycle(_BARCODES)
        self._last = _BARCODES[0]
        self._demo = False
        self._clock = 0.0
        self._waiting = 0

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        if verb == "demo":
            self._demo = True
        elif verb == "scan":
            symbology = str(values.get("symbology", "]E0"))
            self._last = (_AIM.get(symbology, symbology), str(values["data"]), "d")
            self._waiting += 1
        else:
            raise ValueError(f"no verb '{verb}'; there are demo, scan")

    def advance(self, dt: float) -> list[str]:
        """Time passes."""
        before, self._clock = self._clock, self._clock + dt
        if self._demo and before // self._period != self._clock // self._period:
            self._last = next(self._supply)
            self._waiting += 1
        scans, self._waiting = self._waiting, 0
        return ["scan"] * scans

    def quantities(self) -> Quantities:
        """Of the last one: `text`, `size`, `aim` such as `]E0`, `code` without the bracket, `letter` of Honeywell."""
        aim, text, letter = self._last
        return {
            "text": text,
            "size": len(text),
            "aim": aim,
            "code": aim[1:],
            "letter": letter,
            "seconds": int(self._clock),
        }


class Documents:
    """Travel documents on a reader: specimens of ICAO 9303.

    Verbs: `insert`, `remove`, `demo` puts one on every ten seconds for five. Event: `document` when one is put on.
    """

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, ())
        del random
        self._supply = cycle(_DOCUMENTS)
        self._lines: tuple[str, ...] = ()
        self._demo = False
        self._clock = 0.0
        self._fresh = False

    def do(self, verb: str, **values: float | str) -> None:
        """Change the world."""
        del values
        if verb == "demo":
            self._demo = True
        elif verb == "insert":
            self._insert()
        elif verb == "remove":
            self._lines = ()
        else:
            raise ValueError(f"no verb '{verb}'; there are demo, insert, remove")

    def _insert(self) -> None:
        self._lines, self._fresh = next(self._supply), True

    def advance(self, dt: float) -> list[str]:
        """Time passes."""
        before, self._clock = self._clock, self._clock + dt
        if self._demo and before // 5 != self._clock // 5:
            if self._clock // 5 % 2 == 1:
                self._insert()
            else:
                self._lines = ()
        fresh, self._fresh = self._fresh, False
        return ["document"] if fresh else []

    def quantities(self) -> Quantities:
        """`present`, `line1` to `line3` (the bottom line is always the third), `text` of all, `size` of it."""
        first, second, third = self._lines or ("", "", "")
        text = "\r".join(line for line in (first, second, third) if line)
        return {
            "present": int(bool(self._lines)), "line1": first, "line2": second, "line3": third,
            "text": text, "size": len(text), "seconds": int(self._clock),
        }  # fmt: skip
