"""The two files of published vectors, and a protocol played by hand: what the proofs in `vector_proofs*` share."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Image, Measurement, Sample
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Ended, Step
from tests.samples import sample

FIXTURES = Path(__file__).parents[1] / "fixtures"
_TYPES = {"u16le": "<u2", "i16le": "<i2", "f32le": "<f4"}


def sections() -> dict[str, Any]:
    """Section name to its vectors, of both files. Skips the test where they are absent."""
    found: dict[str, Any] = {}
    for name in ("imaging", "detect"):
        for section, content in json.loads(sample(name, "vectors.json")).items():
            assert section not in found
            found[section] = content
    return {name: content for name, content in found.items() if name not in {"_about", "note"}}


class Vectors:
    """One section. A proof takes what it proves; `left` is what nobody took."""

    def __init__(self, content: Any) -> None:
        self._content = content if isinstance(content, dict) else dict(_named(content))
        self._taken: set[str] = set()

    def take(self, name: str) -> Any:
        self._taken.add(name)
        return self._content[name]

    def data(self, name: str) -> bytes:
        """The bytes of a vector that is hexadecimal text, or has it."""
        found = self.take(name)
        return bytes.fromhex(found if isinstance(found, str) else found["hex"])

    def names(self) -> list[str]:
        return list(self._content)

    def left(self) -> set[str]:
        return set(self._content) - self._taken


def _named(vectors: Iterable[dict[str, Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    for number, vector in enumerate(vectors):
        yield vector.get("name", str(number)), vector


class Player:
    """A driver's protocol by its public interface alone."""

    def __init__(self, driver: str, **options: OptionValue) -> None:
        self._protocol = load_driver(driver).open(options)
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
        return self._took(self._protocol.on_packet(self.now, Packet(data, port)))

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

    def image(self) -> Image:
        """The latest image."""
        found = [one for one in self.samples if isinstance(one, Image)]
        assert found, self.faults
        return found[-1]

    def sent(self) -> list[bytes]:
        """Everything that was written to the device."""
        return [packet.data for packet in self.written]


def values(image: Image) -> NDArray[np.float64]:
    """An image in its channel's unit."""
    pixels = np.frombuffer(image.data, _TYPES[image.layout]).astype(np.float64)
    return (pixels * image.gain + image.offset).reshape(image.height, image.width)
