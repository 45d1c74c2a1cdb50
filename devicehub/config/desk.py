"""The tables of desks, where inspections happen."""

from typing import Annotated, Literal

from pydantic import Field

from devicehub.model.inspection import InspectionDesk
from devicehub.tomlfile.section import Section, Segment

Name = Annotated[str, Field(min_length=1, max_length=64)]


class DeskConfig(Section):
    """Devices that are used for one inspection at a time."""

    id: Segment = Field(description="Name of the desk; a topic segment")
    devices: Annotated[tuple[Segment, ...], Field(strict=False, min_length=1)] = Field(
        description="Its devices; each belongs to one desk at most"
    )
    scans: Annotated[tuple[Literal["document", "parcel", "product", "text"], ...], Field(strict=False)] = Field(
        default=(), description="Kinds of what is scanned that open an inspection"
    )
    symbologies: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(), description="Symbologies that open an inspection, as the scanner names them"
    )
    buttons: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(), description="Triggers of devices that open an inspection, as snapshot"
    )
    timeout_s: float = Field(
        default=300.0, ge=1, le=86400, description="Seconds after which an inspection ends by itself"
    )

    def desk(self) -> InspectionDesk:
        """What the hub goes by."""
        return InspectionDesk(self.id, self.devices, self.timeout_s, self.scans, self.symbologies, self.buttons)
