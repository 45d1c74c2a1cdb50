"""Thermal Master P1 simulator: 160x120."""

from random import Random

from simulators.thermal._thermal_master import ThermalMaster


class ThermalMasterP1(ThermalMaster):
    """See `ThermalMaster`."""

    def __init__(self, random: Random) -> None:
        super().__init__(random, 0x45C2, "Thermal Master P1", (160, 120))


SIMULATOR = ThermalMasterP1
