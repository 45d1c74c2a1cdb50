"""Seek Thermal Compact simulator: 208 x 156 words, four bulk transfers of 16 224 bytes a frame."""

from collections.abc import Sequence
from random import Random

from simulators.thermal._seek import Seek, Sensor

SENSOR = Sensor(
    product=0x0010,
    title="PIR206 Thermal Camera",
    rows=156,
    columns=208,
    id_word=10,
    counter_word=40,
    temperature_word=1,
    chunk=16224,
    temperature=4266,
)


class SeekCompact(Seek):
    """See `Seek`. `frames`: recorded frames to play instead of the simulated scene."""

    def __init__(self, random: Random, frames: Sequence[bytes] = ()) -> None:
        super().__init__(SENSOR, random, frames)


SIMULATOR = SeekCompact
