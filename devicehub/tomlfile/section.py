"""What all tables of the configuration have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SEGMENT = "^[a-z0-9-]{1,64}$"

Segment = Annotated[str, Field(pattern=SEGMENT)]


class Section(BaseModel):
    """Root of all tables."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
