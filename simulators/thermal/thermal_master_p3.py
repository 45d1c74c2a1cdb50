"""Thermal Master P3 simulator: 256x192."""

from random import Random

from simulators.thermal._thermal_master import ThermalMaster


class ThermalMasterP3(ThermalMaster):
    """See `ThermalMaster`."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, 0x45A2, "Thermal Master P3", (256, 192))


SIMULATOR = ThermalMasterP3
