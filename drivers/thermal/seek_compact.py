"""Seek Thermal Compact and CompactXR, 289d:0010: 208 x 156 words per frame, 8 to 9 frames per second.

The conversation is in `_seek`, the correction in `_seek_frame`. A frame is four bulk transfers of 16 224 bytes:

    word     what
    1        sensor temperature, raw
    10       frame id: 4 first frame, 1 shutter, 3 image
    40       frame counter
    row 1..154, column 0..206   picture, 14 bits; column 206 is the row reference, column 207 is 0
    column (10 - 4 * row) mod 15, then every 15th: black pixels, 0 in every frame

The image keeps the row reference column, as the sources do; once dead pixels are known it is filled like one.
Sources: OpenThermal/libseek-thermal; lod/seek-thermal-documentation (with CC0 recordings that these facts
were checked against).

The maker publishes no calibration and the public ones are wrong by up to 11 Cel: pixels are counts
(`radiometric` none) unless the site enters its own two-point calibration, which makes them approximate degrees.
For two surfaces of known temperature T1, T2 with corrected counts c1, c2:
`gain = (T2 - T1) / (c2 - c1)`, `offset = T1 - gain * c1`. Images are uncertain for 5 minutes of warm-up.
"""

from devicehub.driver import Driver, Options, UsbLink
from devicehub.model.device import Category, UsbId
from devicehub.wire.protocol import DeviceProtocol
from drivers.thermal._seek import OPTIONS, SeekProtocol, allowed, calibration, channels
from drivers.thermal._seek_frame import FrameLayout, FramePipeline
from drivers.thermal._seek_start import (
    CHIP_ID,
    FACTORY_ID,
    FIRMWARE,
    FORBIDDEN,
    GET_MODE,
    SET_MODE,
    SET_PROCESSING,
    SeekModel,
    command,
    factory,
    question,
)

MODEL = SeekModel(
    layout=FrameLayout(
        rows=156,
        columns=208,
        id_word=10,
        counter_word=40,
        temperature_word=1,
        first_row=1,
        first_column=0,
        width=207,
        height=154,
        blind_columns=(206,),
    ),
    chunk=16224,
    start=(
        command(SET_MODE, "0000"),
        question(FIRMWARE, 4),
        question(CHIP_ID, 12),
        *factory(32, 0x30),
        *factory(32, 0x50),
        *factory(12, 0x70),
        *FACTORY_ID,
        command(SET_PROCESSING, "0800"),
        question(GET_MODE, 2),
        command(SET_PROCESSING, "0800"),
        command(SET_MODE, "0100"),
        question(GET_MODE, 2),
    ),
)


def _open(options: Options) -> DeviceProtocol:
    return SeekProtocol(MODEL, FramePipeline(MODEL.layout, calibration(options)))


DRIVER = Driver(
    title="Seek Thermal Compact",
    category=Category.THERMAL,
    link=UsbLink(ids=(UsbId(0x289D, 0x0010),), timeout=0.2),
    channels=channels({option.name: option.default for option in OPTIONS}),
    channels_for=channels,
    capabilities=("thermal",),
    plausibility=(
        "swapped pixels show nowhere: the bus has a CRC of its own; the frame's size, a known type, a counter"
        " that goes on"
    ),
    options=OPTIONS,
    protocol=_open,
    forbidden=FORBIDDEN,
    allowed=allowed(MODEL),
)
