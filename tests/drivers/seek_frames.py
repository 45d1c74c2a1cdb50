"""Frames of a Seek Compact, and a camera that is played by hand."""

import struct

import numpy as np
from numpy.typing import NDArray

from devicehub.model.device import OptionValue
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Image, Sample
from devicehub.registry import load_driver
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from simulators.thermal._seek import CHIP_ID, FIRMWARE, factory_tables
from tests.samples import sample

CHUNK = 16224
NO_DEAD = np.full((156, 208), 7000, np.uint16)


def recorded(name: str) -> bytes:
    """A recorded frame, or skip."""
    return sample("imaging", name)


def frame(kind: int, counter: int, words: NDArray[np.uint16] = NO_DEAD, temperature: int = 4266) -> bytes:
    """A frame with the given picture."""
    data = bytearray(words.astype("<u2").tobytes())
    for index, value in ((10, kind), (40, counter), (1, temperature)):
        struct.pack_into("<H", data, 2 * index, value)
    return bytes(data)


class Camera:
    """Drives the shipped protocol by hand; `send` gives it a frame in four transfers."""

    def __init__(self, **options: OptionValue) -> None:
        self.protocol = load_driver("thermal.seek_compact").open(options)
        self.now = 0.0
        self.written: list[Packet] = []
        self.samples: list[Sample] = []
        self.faults: list[ProtocolError] = []
        self.step = self._took(self.protocol.start(0.0))

    def _took(self, step: Step) -> Step:
        self.step = step
        self.written += step.write
        self.samples += step.samples
        self.faults += step.faults
        return step

    def give(self, packet: Packet) -> Step:
        """One packet from the camera."""
        self.now += 0.01
        return self._took(self.protocol.on_packet(self.now, packet))

    def wait(self) -> Step:
        """Let the next timer fire."""
        assert self.step.wake_at is not None
        self.now = max(self.now, self.step.wake_at)
        return self._took(self.protocol.on_timer(self.now))

    def answer_start(self) -> None:
        """Answer all questions of one start as the real camera does."""
        modes = iter((b"\0\0", b"\1\0"))
        while question := next((p.port for p in self.step.write if p.port.startswith("ctl:c1")), ""):
            request, size = int(question.split(":")[2], 16), int(question.split(":")[5])
            chosen = self.written[-2].data
            answers = {78: FIRMWARE, 54: CHIP_ID, 88: factory_tables().get(int.from_bytes(chosen[2:4], "little"))}
            data = next(modes) if request == 61 else answers[request]
            assert data is not None
            self.give(Packet(data[:size], question))

    def send(self, data: bytes) -> list[Image]:
        """One frame; the images that came of it."""
        before = len(self.samples)
        for at in range(0, len(data), CHUNK):
            self.give(Packet(data[at : at + CHUNK], "in:81"))
        return [sample for sample in self.samples[before:] if isinstance(sample, Image)]

    @property
    def reasons(self) -> list[str]:
        """Why things were refused so far."""
        return [str(fault.reason) for fault in self.faults]


def started(**options: OptionValue) -> Camera:
    """A camera that has sent its id-4 and shutter frames."""
    camera = Camera(**options)
    camera.answer_start()
    camera.send(frame(4, 1))
    camera.send(frame(1, 2))
    return camera


def pixels(image: Image) -> NDArray[np.uint16]:
    """An image as an array."""
    return np.frombuffer(image.data, "<u2").reshape(image.height, image.width)
