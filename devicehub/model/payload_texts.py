"""Texts with a form, which payloads share."""

from typing import Annotated

from msgspec import Meta, Struct

Instant = Annotated[str, Meta(description="UTC, RFC 3339 with milliseconds", extra_json_schema={"format": "date-time"})]
Digest = Annotated[
    str, Meta(description="Algorithm and lower-case hexadecimal digest", pattern="^sha256:[0-9a-f]{64}$")
]
Segment = Annotated[str, Meta(description="A topic segment", pattern="^[a-z0-9-]{1,64}$")]


class TextData(Struct, frozen=True, omit_defaults=True):
    """A text to be translated by the reader: key and arguments."""

    key: str
    args: dict[str, str]
