"""What Prometheus reads: its format, every family once, and names from closed sets alone."""

import re

from devicehub.clock import ClockQuality
from devicehub.core.census import Census, DeviceCount
from devicehub.health import Depths, Durations, Figures, Gauges
from devicehub.model.device import DeviceState
from devicehub.observe.metrics import metrics

CLOCK = ClockQuality(synchronised=False, offset=0.25, max_error=16.0)
DEPTHS = Depths(
    pipe=3, pipe_dropped=4, journal=5, journal_bytes=6, board_dropped=7, streams={}, quarantined=8,
    evidence_files=None, evidence_bytes=None,
)  # fmt: skip
SAMPLE = re.compile(r'^devicehub_[a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? \S+$')


def told(gauges: Gauges | None = None) -> dict[str, float]:
    devices = {
        "trace-1": DeviceCount(DeviceState.READY, 40, {"checksum": 2}, 1, 95.0),
        "thermal-1": DeviceCount(DeviceState.LOST, 0, {}, 0, None),
    }
    census = Census(devices, {("critical", "unack-active"): 1})
    text = metrics(Figures(100.0, 60.0, gauges or Gauges(), DEPTHS, census), CLOCK, alive=True)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(map(SAMPLE.match, lines)), [line for line in lines if not SAMPLE.match(line)]
    named = re.findall(r"^# TYPE (\S+) (?:gauge|counter|histogram)$", text, re.MULTILINE)
    assert len(named) == len(set(named)) == text.count("# HELP ")
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_each_device_has_its_state_counts_and_age() -> None:
    found = told()
    assert (found['devicehub_device_up{device="trace-1"}'], found['devicehub_device_up{device="thermal-1"}']) == (1, 0)
    assert found['devicehub_readings_total{device="trace-1"}'] == 40
    assert found['devicehub_read_errors_total{device="trace-1",reason="checksum"}'] == 2
    assert found['devicehub_device_losses_total{device="trace-1"}'] == 1
    assert found['devicehub_reading_age_seconds{device="trace-1"}'] == 5
    assert 'devicehub_reading_age_seconds{device="thermal-1"}' not in found, "it never said anything"


def test_alarms_queues_and_the_clock_are_told() -> None:
    found = told()
    assert found['devicehub_alarms{priority="critical",state="unack-active"}'] == 1
    assert (found['devicehub_dropped_total{queue="pipe"}'], found['devicehub_dropped_total{queue="board"}']) == (4, 7)
    assert (found["devicehub_journal_messages"], found["devicehub_quarantined"]) == (5, 8)
    assert (found["devicehub_clock_synchronised"], found["devicehub_clock_offset_seconds"]) == (0, 0.25)
    assert (found["devicehub_alarm_path_alive"], found["devicehub_accepting"]) == (1, 1)


def test_a_histogram_counts_up_to_each_bound() -> None:
    gauges = Gauges()
    for seconds in (0.001, 0.005, 0.02, 99.0):
        gauges.delivered(seconds)
    found = told(gauges)
    name = "devicehub_publish_latency_seconds"
    counts = [found[f'{name}_bucket{{le="{bound}"}}'] for bound in ("0.005", "0.01", "0.025", "10", "+Inf")]
    assert counts == [2, 2, 3, 3, 4]
    assert (found[f"{name}_count"], found[f"{name}_sum"]) == (4, 99.026)


def test_durations_of_nothing_are_none() -> None:
    assert Durations((1.0, 2.0)).up_to() == [0, 0, 0]
