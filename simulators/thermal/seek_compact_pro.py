"""Seek Thermal CompactPRO simulator: 342 x 260 words, 13 bulk transfers of 13 680 bytes a frame."""

from collections.abc import Sequence
from random import Random

from simulators.thermal._seek import Seek, Sensor

SENSOR = Sensor(
    product=0x0011,
    title="PIR324 Thermal Camera",
    rows=260,
    columns=342,
    id_word=2,
    counter_word=1,
    temperature_word=5,
    chunk=13680,
    temperature=7100,
)


class SeekCompactPro(Seek):
    """See `Seek`. `frames`: recorded frames to play instead of the simulated scene."""

    def __init__(self, random: Random, frames: Sequence[bytes] = ()) -> None:
        super().__init__(SENSOR, random, frames)


SIMULATOR = SeekCompactPro
