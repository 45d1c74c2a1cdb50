"""The `data` of how the hub does. Part of `model/payload.py`."""

from typing import Annotated

from msgspec import Meta, Struct


class StreamData(Struct, frozen=True):
    """How far a stream of journalled messages has come, as sequence numbers: stored >= sent >= acked >= received.

    `received`: the lowest receipt of all durable consumers, null where there is none.
    """

    epoch: str
    stored: int
    sent: int
    acked: Annotated[int, Meta(description="Acknowledged by the broker, or refused for good and kept in quarantine")]
    received: int | None
    consumers: Annotated[dict[str, int], Meta(description="Receipt of each durable consumer")]


class HealthData(Struct, frozen=True):
    """How the hub does, every ten seconds."""

    uptime_s: float
    readings_per_s: float
    published_per_s: float
    pipe_depth: int
    pipe_dropped: int
    journal_depth: int
    journal_bytes: int
    board_dropped: int
    refused: Annotated[int, Meta(description="Messages that the broker refused for good since the hub started")]
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    loop_lag_ms: float
    disk_free_bytes: int
    rss_bytes: int
    clock_synchronised: bool | None
    streams: dict[str, StreamData]
    quarantined: Annotated[int, Meta(description="Events that the broker refused for good, kept for a replay")]
    replayed: Annotated[int, Meta(description="Events sent again for a durable consumer since the hub started")]
    unheard: Annotated[int, Meta(description="Messages taken while nobody subscribed to them; MQTT 5 brokers tell")]
    echo_ms: Annotated[
        float | None, Meta(description="To the broker and back of the last status or health; null: nothing comes back")
    ]
    evidence_files: Annotated[int | None, Meta(description="Images kept as evidence; null until they were counted")]
    evidence_bytes: int | None
    sound: Annotated[str, Meta(description="ok, off, or why an alarm could not be sounded here")] = "off"
