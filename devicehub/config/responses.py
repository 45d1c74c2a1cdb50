"""What whoever works here does upon an alarm: steps in the languages of the page, by what they are for."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from devicehub.tomlfile.section import Section

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "en", "sq": "sq", "sr-Latn": "sr_latn", "sr-Cyrl": "sr_cyrl"})
"""Languages of the page, and the keys of their texts."""

_PLACE = r"^[a-z0-9-]{1,64}(/[a-z0-9-]{1,64})?$"
Step = Annotated[str, Field(min_length=1, max_length=200)]
Steps = Annotated[tuple[Step, ...], Field(strict=False, max_length=12)]


class ResponseConfig(Section):
    """What is to be done, in order. An alarm's steps are those of its point, else its device, else its category."""

    points: Annotated[tuple[Annotated[str, Field(pattern=_PLACE)], ...], Field(strict=False)] = Field(
        default=(), description="Alarm points as device/point, or devices, that it is for"
    )
    category: Literal["threat", "device", "hub", "training"] | None = Field(
        default=None, description="Or all alarms of a category that have none of their own"
    )
    en: Steps = Field(min_length=1, description="The steps in English")
    sq: Steps = Field(default=(), description="The same in Albanian; none: in English")
    sr_latn: Steps = Field(default=(), description="The same in Serbian, Latin letters")
    sr_cyrl: Steps = Field(default=(), description="The same in Serbian, Cyrillic letters")

    def places(self) -> Iterator[str]:
        """What it is for: points, devices, categories as `category:threat`."""
        yield from self.points
        if self.category is not None:
            yield f"category:{self.category}"

    def texts(self) -> dict[str, tuple[str, ...]]:
        """The steps by language, without those that are not given."""
        given = {language: getattr(self, key) for language, key in LANGUAGES.items()}
        return {language: steps for language, steps in given.items() if steps}
