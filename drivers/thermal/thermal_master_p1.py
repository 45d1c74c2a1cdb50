"""Thermal Master P1, 3474:45c2: 160x120 pixels of 1/64 K, about 25 frames per second, over USB bulk transfers.

The conversation is in `_thermal_master`, the frames in `_thermal_master_frames`.

Sources (facts): jvdillon/p3-ir-camera, pieotr/p3-ir-camera.
"""

from devicehub.driver import Driver, UsbLink
from devicehub.model.device import Category, UsbId
from drivers.thermal._thermal_master import ThermalMaster
from drivers.thermal._thermal_master_frames import CHANNELS, OPTIONS
from drivers.thermal._thermal_master_orders import COMMAND, FORBIDDEN, allowed

WIDTH, HEIGHT = 160, 120

DRIVER = Driver(
    title="Thermal Master P1",
    category=Category.THERMAL,
    link=UsbLink(ids=(UsbId(0x3474, 0x45C2),), interfaces=((0, 0), (1, 0))),
    channels=CHANNELS,
    capabilities=("thermal",),
    plausibility=(
        "swapped pixels show nowhere: the bus has a CRC of its own; the frame's size, and one counter at both its ends"
    ),
    integrity="frame counter at both ends",
    options=OPTIONS,
    protocol=lambda options: ThermalMaster(WIDTH, HEIGHT, options),
    commands=(COMMAND,),
    forbidden=FORBIDDEN,
    allowed=allowed(WIDTH, HEIGHT),
)
