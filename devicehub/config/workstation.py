"""The tables of what is seen and heard at the workstation, and of what monitoring asks it."""

from typing import Annotated

from pydantic import Field

from devicehub.config.limits import Urgency
from devicehub.tomlfile.section import Section


class PageConfig(Section):
    """The local page, for whoever works at this workstation."""

    enabled: bool = Field(default=False, description="True: the page is there, on 127.0.0.1 alone")
    port: int = Field(default=8480, ge=0, le=65535, description="Its port; 0: any free one")
    setup: bool = Field(default=False, description="True: devices that are found may be added to this file there")


class SoundConfig(Section):
    """Alarms that nobody has acknowledged are heard at this workstation, whether or not a page is open."""

    player: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...], Field(strict=False)] = Field(
        default=(), description="Program and arguments that play a WAV file, whose path comes last; none: no sound"
    )
    least: Urgency = Field(default="low", description="The least urgent priority that is heard")


class MetricsConfig(Section):
    """What monitoring asks for: /metrics, /livez and /readyz."""

    enabled: bool = Field(default=False, description="True: they are answered, on 127.0.0.1 alone")
    port: int = Field(default=9480, ge=0, le=65535, description="Their port; 0: any free one")
