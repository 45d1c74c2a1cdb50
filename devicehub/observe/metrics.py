"""The hub's figures as Prometheus reads them. Pure.

Text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/. Labels are names of devices, reasons,
streams and states, all of them from closed sets; never what was scanned, who acted, or what a device says of itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from devicehub import __version__
from devicehub.clock import ClockQuality
from devicehub.health import Durations, Figures
from devicehub.model.device import DeviceState

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_GAUGE, _COUNTER, _HISTOGRAM = "gauge", "counter", "histogram"

Sample = tuple[str, Mapping[str, str], float]
"""What the name ends in, labels, value."""


class Family(Struct, frozen=True):
    """One metric. `name` stands behind `devicehub_`."""

    name: str
    kind: str
    text: str
    samples: Sequence[Sample]


def metrics(figures: Figures, clock: ClockQuality, *, alive: bool) -> str:
    """All of them, as they are answered. `alive`: whether the alarm path is."""
    return "".join(line for family in families(figures, clock, alive=alive) for line in _lines(family))


def families(figures: Figures, clock: ClockQuality, *, alive: bool) -> list[Family]:
    """The same, before they are written down."""
    return [*_hub(figures, clock, alive=alive), *_devices(figures), *_flow(figures)]


def _hub(figures: Figures, clock: ClockQuality, *, alive: bool) -> Iterator[Family]:
    gauges, path = figures.gauges, figures.gauges.alarms
    yield Family("info", _GAUGE, "1, with the version", [("", {"version": __version__}, 1)])
    yield _one("uptime_seconds", _GAUGE, "Seconds since the start", figures.uptime)
    yield _one("alarm_path_alive", _GAUGE, "1 while synthetic values come out of the alarm path as edges", alive)
    yield _one("alarm_path_seconds", _GAUGE, "What the last synthetic value took", path.took)
    yield _one("broker_connected", _GAUGE, "1 while there is a connection to the broker", gauges.connected)
    yield _one("accepting", _GAUGE, "0 while the disk or the journal has no room for events", not gauges.refusing)
    yield _one("loop_lag_seconds", _GAUGE, "How late the event loop is, smoothed over ten seconds", gauges.lag)
    echo = [] if gauges.echo is None else [("", dict[str, str](), gauges.echo)]
    yield Family("echo_seconds", _GAUGE, "What the last heartbeat took through the broker and back", echo)
    told = [] if clock.synchronised is None else [("", dict[str, str](), float(clock.synchronised))]
    yield Family("clock_synchronised", _GAUGE, "1 while the kernel's clock follows a reference", told)
    yield _one("clock_offset_seconds", _GAUGE, "Last measured offset to the reference, by the kernel", clock.offset)
    yield _one("clock_max_error_seconds", _GAUGE, "How wrong the clock may be, by the kernel", clock.max_error)


def _devices(figures: Figures) -> Iterator[Family]:
    devices = figures.census.devices
    up: list[Sample] = []
    said: list[Sample] = []
    losses: list[Sample] = []
    errors: list[Sample] = []
    age: list[Sample] = []
    for name, count in devices.items():
        label = {"device": name}
        up.append(("", label, count.state is DeviceState.READY))
        said.append(("", label, count.said))
        losses.append(("", label, count.losses))
        errors += [("", {**label, "reason": reason}, number) for reason, number in sorted(count.errors.items())]
        if count.heard is not None:
            age.append(("", label, figures.now - count.heard))
    yield Family("device_up", _GAUGE, "1 while the device is ready", up)
    yield Family("readings_total", _COUNTER, "What the device said that made sense", said)
    yield Family("device_losses_total", _COUNTER, "How often the device was lost", losses)
    yield Family("read_errors_total", _COUNTER, "Frames of the device that were refused, by reason", errors)
    yield Family("reading_age_seconds", _GAUGE, "Seconds since the device said something that made sense", age)
    standing = figures.census.alarms.items()
    alarms = [("", {"priority": one, "state": state}, float(number)) for (one, state), number in sorted(standing)]
    yield Family("alarms", _GAUGE, "Alarm points that are told of, by priority and ISA-18.2 state", alarms)


def _flow(figures: Figures) -> Iterator[Family]:
    gauges, depths = figures.gauges, figures.depths
    detection, delivery = gauges.alarms.detection, gauges.delivery_took
    yield _histogram("alarm_detection_seconds", "From the arrival of a value to its alarm on disk", detection)
    yield _histogram("publish_latency_seconds", "From an event to the broker's acknowledgement", delivery)
    yield _one("published_total", _COUNTER, "Messages that the broker acknowledged", gauges.published)
    yield _one("refused_total", _COUNTER, "Messages that the broker refused", gauges.refused)
    yield _one("replayed_total", _COUNTER, "Events that were sent again", gauges.replayed)
    yield _one("quarantined", _GAUGE, "Events that the broker refused and that are kept", depths.quarantined)
    dropped = [
        ("", {"queue": "pipe"}, float(depths.pipe_dropped)),
        ("", {"queue": "board"}, float(depths.board_dropped)),
    ]
    yield Family("dropped_total", _COUNTER, "What found no room, by queue", dropped)
    yield _one("pipe_depth", _GAUGE, "What waits to be judged", depths.pipe)
    yield _one("journal_messages", _GAUGE, "Events that the broker has not acknowledged yet", depths.journal)
    yield _one("journal_bytes", _GAUGE, "Size of the journal", depths.journal_bytes)
    stored = [("", {"stream": name}, float(stream.stored)) for name, stream in sorted(depths.streams.items())]
    yield Family("journal_stored_total", _COUNTER, "Sequence number of the newest event, by stream", stored)


def _one(name: str, kind: str, text: str, value: float) -> Family:
    return Family(name, kind, text, [("", {}, value)])


def _histogram(name: str, text: str, durations: Durations) -> Family:
    *within, count = durations.up_to()
    samples: list[Sample] = [
        ("_bucket", {"le": f"{bound:g}"}, number) for bound, number in zip(durations.bounds, within, strict=True)
    ]
    samples += [("_bucket", {"le": "+Inf"}, count), ("_sum", {}, durations.total), ("_count", {}, count)]
    return Family(name, _HISTOGRAM, text, samples)


def _lines(family: Family) -> Iterator[str]:
    name = f"devicehub_{family.name}"
    yield f"# HELP {name} {family.text}\n# TYPE {name} {family.kind}\n"
    for end, labels, value in family.samples:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{end}{f'{{{inner}}}' if inner else ''} {float(value):.12g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
