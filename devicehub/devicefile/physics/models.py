"""The physical models by the names that device files call them."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from devicehub.devicefile.physics.fields import Scene, Vapour
from devicehub.devicefile.physics.items import Barcodes, Documents, Tags
from devicehub.devicefile.physics.mobility import MobilityRun
from devicehub.devicefile.physics.model import Constant, Model, Options
from devicehub.devicefile.physics.radiation import Radiation
from devicehub.devicefile.physics.radiation_log import RadiationLog

MODELS: Final[Mapping[str, Callable[[Random, Options], Model]]] = MappingProxyType(
    {
        "constant": Constant,
        "radiation": Radiation,
        "radiation-log": RadiationLog,
        "tags": Tags,
        "barcodes": Barcodes,
        "documents": Documents,
        "vapour": Vapour,
        "scene": Scene,
        "mobility": MobilityRun,
    }
)
