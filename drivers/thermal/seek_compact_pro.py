"""Seek Thermal CompactPRO, 289d:0011: 342 x 260 words per frame.

The conversation is in `_seek`, the correction in `_seek_frame`. A frame is 13 bulk transfers of 13 680 bytes:

    word     what
    1 or 4   frame counter: the sources differ, hence the option `counter-word`
    2        frame id: 4 first frame, 1 shutter, 3 image, 6 before calibration
    5        sensor temperature, raw
    row 4..243, column 1..320   picture, 14 bits

Sources: OpenThermal/libseek-thermal (counter in word 1); another public driver has it in word 4.
Pixels are counts unless the site enters its own calibration; see `seek_compact`.
"""

from dataclasses import replace

from devicehub.driver import Driver, Options, UsbLink
from devicehub.model.device import Category, Option, UsbId
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol
from drivers.thermal._seek import OPTIONS, SeekProtocol, allowed, calibration, channels
from drivers.thermal._seek_frame import FrameLayout, FramePipeline
from drivers.thermal._seek_start import (
    CHIP_ID,
    FACTORY_ID,
    FIRMWARE,
    FORBIDDEN,
    SET_FIRMWARE_FEATURES,
    SET_MODE,
    SET_PROCESSING,
    SeekModel,
    command,
    factory,
    question,
)


def _tables() -> tuple[Packet, ...]:
    """Factory settings 0 to 2559, 32 words at a time."""
    return tuple(packet for address in range(0, 2560, 32) for packet in factory(32, address))


MODEL = SeekModel(
    layout=FrameLayout(
        rows=260,
        columns=342,
        id_word=2,
        counter_word=1,
        temperature_word=5,
        first_row=4,
        first_column=1,
        width=320,
        height=240,
    ),
    chunk=13680,
    start=(
        command(SET_MODE, "0000"),
        question(FIRMWARE, 4),
        question(CHIP_ID, 12),
        *FACTORY_ID,
        command(SET_FIRMWARE_FEATURES, "1700"),
        question(FIRMWARE, 64),
        *factory(1, 0x0600),
        *factory(1, 0x0601),
        *_tables(),
        command(SET_FIRMWARE_FEATURES, "1500"),
        question(FIRMWARE, 64),
        command(SET_PROCESSING, "0800"),
        command(SET_MODE, "0100"),
    ),
)


def _open(options: Options) -> DeviceProtocol:
    layout = replace(MODEL.layout, counter_word=int(options["counter-word"]))
    return SeekProtocol(replace(MODEL, layout=layout), FramePipeline(layout, calibration(options)))


DRIVER = Driver(
    title="Seek Thermal CompactPRO",
    category=Category.THERMAL,
    link=UsbLink(ids=(UsbId(0x289D, 0x0011),), timeout=0.2),
    channels=channels({option.name: option.default for option in OPTIONS}),
    channels_for=channels,
    capabilities=("thermal",),
    plausibility=(
        "swapped pixels show nowhere: the bus has a CRC of its own; the frame's size, a known type, a counter"
        " that goes on"
    ),
    options=(*OPTIONS, Option(name="counter-word", title="Word of the frame counter", default=1, low=1, high=4)),
    protocol=_open,
    forbidden=FORBIDDEN,
    allowed=allowed(MODEL),
)
