"""The table of a device's memory. Part of `schema.py`."""

from typing import Final

from pydantic import Field

from devicehub.devicefile.schema_types import ChannelName, Condition, Name
from devicehub.tomlfile.section import Section

PLACE: Final = ("address", "size")
DATE: Final = ("year", "month", "day", "hour", "minute", "second")


class MemoryTable(Section):
    """What the device stored before anybody listened. Of several the first whose `when` holds is pulled.

    It is read from its first byte to its end at the start and every `period_s`, and told as history; the hub tells
    each record once.
    """

    codec: str = Field(description="What its bytes mean: a codec by its name")
    channel: ChannelName = Field(description="The channel that its records are of")
    clock: Name = Field(
        description="Request whose answer has the fields `year` (since 2000), `month`, `day`, `hour`, `minute` and "
        "`second`"
    )
    read: Name = Field(
        description="Request for the bytes from `{address:...}` on, `{size:...}` of them; its answer has the field "
        "`memory`"
    )
    room: int = Field(ge=1, le=1 << 26, description="Bytes of the memory")
    less: int = Field(default=0, ge=0, le=1, description="What is asked for is so many bytes less than what comes")
    period_s: float = Field(default=3600.0, ge=10, description="Seconds from one pull to the next")
    set_clock: Name | None = Field(
        default=None,
        description="Request that sets the clock, from slots named as the fields of `clock`; only by the command "
        "`set-clock`",
    )
    when: Condition | None = Field(default=None, description="Only while remembered fields are so")
