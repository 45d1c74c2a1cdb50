"""What is said of a record of a device's memory. Part of `model/payload.py`."""

from typing import Annotated

from msgspec import Meta, Struct


class StoredData(Struct, frozen=True, omit_defaults=True):
    """Where something comes from that the device had stored. The message's time is that of the record."""

    record: Annotated[str, Meta(description="The device's own id of it, with which it is published once")]
    age_s: Annotated[float, Meta(description="How long before it arrived, by the device's clock")]
    device_time: Annotated[float | None, Meta(description="When, by the device's clock, in seconds since 1970")] = None
    clock_offset_s: Annotated[
        float | None, Meta(description="The hub's clock less the device's, measured when it arrived")
    ] = None


Historical = Annotated[
    bool, Meta(description="It was stored in the device: no alarm, no state and no limit goes by it")
]
