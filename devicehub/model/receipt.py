"""What a durable consumer tells a hub."""

from typing import Annotated

from msgspec import Meta, Struct

from devicehub.model.stream import Stream

Number = Annotated[int, Meta(ge=0)]


class Receipt(Struct, frozen=True):
    """Everything of `epoch` up to these numbers is on the consumer's stable storage, or was told to be lost.

    Cumulative, retained, QoS 1, on `{prefix}/receipt/{consumer}`. An empty message ends the registration.
    """

    epoch: Annotated[str, Meta(description="As in the messages; empty, as any other epoch: nothing received")]
    received: Annotated[
        dict[Stream, Number],
        Meta(
            description="Last number of each stream that the consumer counts",
            extra_json_schema={"propertyNames": {"enum": list(Stream)}},
        ),
    ]
