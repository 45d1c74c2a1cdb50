"""What the core is built from, and what a step of it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from devicehub.alarm.acts import SHELVE_MOST
from devicehub.core.mobility import MobilityRules
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.core.trial import RuleSet
from devicehub.driver import Driver
from devicehub.model.alarm import Limit
from devicehub.model.inspection import InspectionDesk
from devicehub.model.message import Message
from devicehub.model.preflight import Needs
from devicehub.model.reading import Image, Stamp
from devicehub.model.thermal import ThermalRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the core is built from. `devices`: id to driver. `limits`: those on values of `thermal` rules as well.

    `required`: capabilities without which the lane is blind. `desks`: where inspections happen. `needs`: of
    devices before a shift. `shadow`: rules that are only tried.
    """

    devices: Mapping[str, Driver]
    limits: Sequence[Limit] = ()
    thermal: Sequence[ThermalRule] = ()
    mobility: Mapping[str, MobilityRules] = field(default_factory=dict[str, MobilityRules])
    scans: ScanPolicy = field(default_factory=lambda: ScanPolicy(Publish.OFF, b""))
    rules_digest: str = ""
    shadow: RuleSet | None = None
    batch_readings: bool = False
    shelve_most: float = SHELVE_MOST
    required: Sequence[str] = ()
    desks: Sequence[InspectionDesk] = ()
    needs: Mapping[str, Needs] = field(default_factory=dict[str, Needs])
    ids: Callable[[], str]


@dataclass(slots=True)
class Outcome:
    """What came of a step: messages in order, images to be stored before them, and why an act was refused.

    `exposed`: images by the id of the message that tells of one and waits for it, while nothing waits for either.
    `proven`: the tick whose synthetic value became an edge, if there was one.
    """

    messages: list[Message] = field(default_factory=list[Message])
    captures: list[Image] = field(default_factory=list[Image])
    exposed: dict[str, Image] = field(default_factory=dict[str, Image])
    refused: str = ""
    proven: Stamp | None = None
