"""The two files of published vectors, and a protocol played by hand: what the proofs in `vector_proofs*` share."""

import copy
import json
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Image, Measurement, Quality, Sample, Scan, Spectrum
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Ended, Step
from tests.drivers.underway import described
from tests.samples import sample

FIXTURES = Path(__file__).parents[1] / "fixtures"
_READINGS = (Measurement, Image, Scan, Spectrum)
_TYPES = {"u16le": "<u2", "i16le": "<i2", "f32le": "<f4"}


def sections() -> dict[str, Any]:
    """Section name to its vectors."""
    return tomllib.loads((FIXTURES / "published_vectors.toml").read_text(encoding="utf-8"))


def samples() -> dict[str, Any]:
    """The same, as they stand beside the samples. Skips the test where those are absent."""
    found: dict[str, Any] = {}
    for name in ("imaging", "detect"):
        for section, content in json.loads(sample(name, "vectors.json")).items():
            assert section not in found
            found[section] = content
    return {name: content for name, content in found.items() if name not in {"_about", "note"}}


Place = tuple[str, ...]
Cut = Callable[[bytes], list[bytes]]

# What stands beside vectors and is none: rules, remarks, the constants that vectors rest on.
_BESIDE = frozenset(
    {"rule", "rule_0.01K", "rule_0.1K", "origin", "note", "frame", "constants_SC660", "planck", "decoded"}
    | {"ack of seq n"}
)
_VECTOR = frozenset({"hex", "crc", "raw", "header_hex"})


def whole(data: bytes) -> list[bytes]:
    """As it was sent."""
    return [data]


def places(content: Any, at: Place = ()) -> Iterator[Place]:
    """Where each vector stands: a dictionary with its bytes or counts, a pair, else every word and number."""
    if isinstance(content, dict) and not _VECTOR & set(content):
        for name, inner in content.items():
            if name not in _BESIDE:
                yield from places(inner, (*at, name))
    elif isinstance(content, list) and not (at[-1:] and at[-1].isdigit()):
        for number, inner in enumerate(content):
            yield from places(inner, (*at, str(number)))
    else:
        yield at


class Vectors:
    """One section. A proof takes what it decodes, names what it makes; `left` and `unmade` is what nobody did.

    `cut`: how what comes from the device reaches the driver. `torn`: what the link never cuts is cut all the same, and
    whatever comes of it must not look true.
    """

    def __init__(self, content: Any, cut: Cut = whole, *, torn: bool = False) -> None:
        self._content = content if isinstance(content, dict) else dict(_named(content))
        self.cut = cut
        self.torn: list[bytes] | None = [] if torn else None
        self.all = frozenset(places(self._content))
        self._taken: set[Place] = set()
        self._made: set[Place] = set()

    def take(self, *at: str) -> Any:
        """What stands there: decoded, with all in it."""
        self._taken |= self._below(at)
        found: Any = self._content
        for name in at:
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found

    def data(self, *at: str) -> bytes:
        """The bytes of a vector that is hexadecimal text, or has it."""
        found = self.take(*at)
        return bytes.fromhex(found if isinstance(found, str) else found.get("hex") or found["header_hex"])

    def makes(self, made: bytes, *at: str) -> None:
        """An encoder of ours made this of what the vector means."""
        assert made.hex(" ") == self.data(*at).hex(" "), at
        self._made |= self._below(at)

    def makes_among(self, made: Iterable[bytes], *at: str) -> None:
        """An encoder of ours made it, and others."""
        assert self.data(*at) in made, at
        self._made |= self._below(at)

    def makes_read(self, read: str, *at: str) -> None:
        """A driver read this in what an encoder of ours made of the text there, or of its parts in a row."""
        found = self.take(*at)
        assert read == (found if isinstance(found, str) else "".join(found)), at
        self._made |= self._below(at)

    def makes_text(self, made: str, *at: str) -> None:
        """An encoder of ours made this text."""
        assert made == self.take(*at), at
        self._made |= self._below(at)

    def makes_figure(self, read: float, *at: str) -> None:
        """A driver read this figure in what an encoder of ours made of it."""
        assert read == self.take(*at), at
        self._made |= self._below(at)

    def makes_named(self, made: bytes, *at: str) -> None:
        """An encoder of ours made the bytes that a vector has for a name."""
        assert made == bytes.fromhex(at[-1]), at
        self._made |= self._below(at)

    def makes_counts(self, made: float, *at: str) -> None:
        """An encoder of ours made this of a temperature: what it stands for is its name, or `raw` in it."""
        found = self.take(*at)
        counts = float(found["raw"] if isinstance(found, dict) else at[-1])
        assert made == pytest.approx(counts, abs=0.01), at
        self._made |= self._below(at)

    def names(self) -> list[str]:
        return list(self._content)

    def left(self) -> set[Place]:
        return set(self.all - self._taken)

    def unmade(self) -> set[Place]:
        return set(self.all - self._made)

    def player(self, driver: str, **options: OptionValue) -> "Player":
        """A driver that hears everything in the pieces of `cut`."""
        return Player(driver, self.cut, self.torn, **options)

    def uncut(self, driver: str) -> "Player":
        """A driver whose link hands out whatever comes as it was sent."""
        return Player(driver, whole, self.torn)

    def _below(self, at: Place) -> set[Place]:
        found = {place for place in self.all if place[: len(at)] == at or at[: len(place)] == place}
        assert found or _BESIDE & set(at), f"no vector {at}"
        return found


def _named(vectors: Iterable[dict[str, Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    for number, vector in enumerate(vectors):
        yield vector.get("name", str(number)), vector


class Player:
    """A driver's protocol by its public interface alone. `torn`: where what was torn apart is noted, None: nothing is."""

    def __init__(
        self, driver: str, cut: Cut = whole, torn: list[bytes] | None = None, /, **options: OptionValue
    ) -> None:
        self._cut = cut
        self._torn = torn
        self._protocol = load_driver(driver).open(options)
        self._shared = described(driver) if torn is not None else {}
        self.now = 0.0
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.ended: list[Ended] = []
        self.written: list[Packet] = []
        self._wake_at: float | None = None
        self._took(self._protocol.start(0.0))

    def _took(self, step: Step) -> list[Packet]:
        self.samples += step.samples
        self.faults += step.faults
        self.ended += step.ended
        self.written += step.write
        self._wake_at = step.wake_at
        return list(step.write)

    def give(self, data: bytes, port: str = "") -> list[Packet]:
        """Bytes from the device; what the driver writes in reply."""
        self.now += 0.01
        if self._torn is not None and len(data) > 1:
            self._torn.append(data)
            self._tear(data, port)
        return [
            packet
            for piece in self._cut(data)
            for packet in self._took(self._protocol.on_packet(self.now, Packet(piece, port)))
        ]

    def _tear(self, data: bytes, port: str) -> None:
        """Cut where it never is: of the pieces comes nothing that looks true, unless all of it is."""
        whole = self._apart([data], port)
        for at in sorted({1, len(data) // 2, len(data) - 1}):
            wrong = [one for one in self._apart([data[:at], data[at:]], port) if one not in whole]
            assert wrong == [], f"{data[:20].hex(' ')}... cut at {at}"

    def _apart(self, pieces: list[bytes], port: str) -> list[Sample]:
        """Good readings of these, which this protocol never hears."""
        protocol = copy.deepcopy(self._protocol, dict(self._shared))
        made = [one for piece in pieces for one in protocol.on_packet(self.now, Packet(piece, port)).samples]
        return [one for one in made if isinstance(one, _READINGS) and one.quality is Quality.GOOD]

    def wait(self) -> list[Packet]:
        """Nothing comes until the driver's timer fires; what it writes then."""
        assert self._wake_at is not None
        self.now = max(self.now, self._wake_at)
        return self._took(self._protocol.on_timer(self.now))

    def command(self, verb: str, sends: bytes) -> None:
        """A command that makes the driver write `sends` when its turn has come."""
        assert isinstance(self._protocol, Commanded)
        self._took(self._protocol.on_command(self.now, Call(1, verb, {}, self.now + 60)))
        for _ in range(50):
            if sends in self.sent():
                return
            self.wait()
        raise AssertionError(f"{verb} never sent {sends.hex()}")

    def value(self, channel: str) -> Measurement:
        """The latest measurement of a channel."""
        found = [one for one in self.samples if isinstance(one, Measurement) and one.channel == channel]
        assert found, f"no {channel} in {self.samples}, {self.faults}"
        return found[-1]

    def images(self) -> list[Image]:
        """All of them."""
        return [one for one in self.samples if isinstance(one, Image)]

    def image(self) -> Image:
        """The latest image."""
        found = self.images()
        assert found, self.faults
        return found[-1]

    def sent(self) -> list[bytes]:
        """Everything that was written to the device."""
        return [packet.data for packet in self.written]


def values(image: Image) -> NDArray[np.float64]:
    """An image in its channel's unit."""
    pixels = np.frombuffer(image.data, _TYPES[image.layout]).astype(np.float64)
    return (pixels * image.gain + image.offset).reshape(image.height, image.width)
