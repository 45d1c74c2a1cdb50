"""GQ GMC: its log is pulled through the shipped device file, dated by its clock, which is set only where allowed."""

from collections import Counter, deque
from pathlib import Path
from random import Random
from typing import cast

import pytest

from devicehub.devicefile.docked import AGAIN
from devicehub.devicefile.load import driver, load
from devicehub.driver import Driver
from devicehub.model.command import CommandState
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Sample, Spectrum, Stored
from devicehub.registry import device_files, load_driver, load_simulator
from devicehub.simulator import SerialSimulator
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Ended, Step

SINCE = 1_795_420_800.0


class Bench:
    """The driver and a simulated counter, in steps of 50 ms. `cut`: no byte comes from then on.

    `misread`: what its first answers to who it is are on this side of the line.
    """

    def __init__(self, seed: int = 1, driver: Driver | None = None, misread: tuple[bytes, ...] = ()) -> None:
        self.driver = driver or load_driver("radiation.gq_gmc")
        self.device = cast(SerialSimulator, load_simulator("radiation.gq_gmc")(Random(seed)))
        self.now, self.cut, self.misread = 0.0, False, deque(misread)
        self.samples, self.faults, self.ended = list[Sample](), list[ProtocolError](), list[Ended]()
        self.sent = b""
        self.dock()

    def dock(self) -> None:
        self.protocol = self.driver.open({})
        self.wake: float | None = None
        self.take(self.protocol.start(self.now))

    def take(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += step.faults
        self.ended += step.ended
        self.wake = step.wake_at
        for packet in step.write:
            self.sent += packet.data
            answer = self.device.on_bytes(packet.data)
            if answer and not self.cut:
                answer = self.misread.popleft() if self.misread and b"GETVER" in packet.data else answer
                self.take(self.protocol.on_packet(self.now, Packet(answer)))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            self.device.advance(0.05)
            if self.wake is not None and self.wake <= self.now:
                self.take(self.protocol.on_timer(self.now))

    def set_clock(self, epoch: float) -> Ended:
        assert isinstance(self.protocol, Commanded)
        self.take(self.protocol.on_command(self.now, Call(1, "set-clock", {}, self.now + 9, epoch=epoch)))
        self.run(2)
        return self.ended[-1]

    @property
    def stored(self) -> list[Stored]:
        return [sample for sample in self.samples if isinstance(sample, Stored)]


def test_what_was_logged_before_anybody_came_is_told_with_its_age() -> None:
    bench = Bench()
    bench.run(10)
    ages = [round(one.age) for one in bench.stored]
    assert ages == pytest.approx(list(range(420, 0, -60)), abs=2)
    first = bench.stored[0]
    assert isinstance(first.sample, Spectrum)
    assert len(first.sample.data) == 60 * 4
    assert first.clock == pytest.approx(SINCE + 420 + 1, abs=2)
    assert bench.faults == []


def test_each_pull_gives_every_record_by_the_same_name_and_what_came_since() -> None:
    bench = Bench()
    bench.run(10)
    first = [one.record for one in bench.stored]
    bench.samples.clear()
    bench.device.do("away", seconds=400)
    bench.dock()
    bench.run(10)
    again = [one.record for one in bench.stored]
    assert again[: len(first)] == first
    assert len(again) == len(set(again)) == len(first) + 6


@pytest.mark.parametrize(
    ("misread", "times", "seconds"),
    [(b"GMC-060+Re 1.14", 3, 5), (b"MGC-600+Re 1.14", 3, 5), (b"GMC-200+Re 1.14", 2, 65)],
)
def test_a_model_that_was_misread_does_not_silence_it_for_good(misread: bytes, times: int, seconds: float) -> None:
    """Nothing checks the answer, and all that is asked depends on it."""
    bench = Bench(misread=(misread,) * times)
    bench.run(seconds)
    bench.samples.clear()
    bench.run(5)
    counts = [one.value for one in bench.samples if isinstance(one, Measurement) and one.channel == "count-rate"]
    assert len(counts) >= 4
    assert all(200 < value < 4000 for value in counts)


def test_it_is_pulled_again_as_often_as_the_file_says(tmp_path: Path) -> None:
    text = device_files()["radiation.gq_gmc"].read_text(encoding="utf-8")
    path = tmp_path / "gq_gmc.toml"
    path.write_text(text.replace("[[memory]]\n", "[[memory]]\nperiod_s = 20\n"))
    bench = Bench(driver=driver(load(path), "radiation.gq_gmc"))
    bench.run(75)
    assert Counter(one.record for one in bench.stored)[bench.stored[0].record] == 4  # at 0, 20, 40 and 60 s


def test_a_pull_that_breaks_off_is_begun_anew_and_gives_everything() -> None:
    bench = Bench()
    bench.device.do("away", seconds=5000)
    while not bench.stored:
        bench.run(0.05)
    bench.cut = True
    bench.run(20)
    assert len(bench.stored) < 5400 // 60
    bench.cut = False
    bench.samples.clear()
    bench.run(AGAIN + 20)
    assert len({one.record for one in bench.stored}) >= 5400 // 60


def test_what_it_measures_now_does_not_wait_for_what_it_stored() -> None:
    bench = Bench()
    bench.device.do("away", seconds=12_000)
    bench.run(3)
    kinds = [type(sample) for sample in bench.samples if isinstance(sample, Stored | Measurement)]
    assert kinds.index(Measurement) < kinds.index(Stored) < len(kinds) - 200


def test_a_clock_that_was_set_back_makes_records_of_times_to_come_faults() -> None:
    bench = Bench()
    bench.device.do("clock", seconds=-86400)
    bench.run(10)
    assert [fault.reason for fault in bench.faults] == [Reason.RANGE] * 7
    assert bench.stored == []


def test_the_clock_is_set_by_command_alone_and_not_before_the_log_was_pulled() -> None:
    bench = Bench()
    assert [(one.verb, one.control) for one in bench.driver.commands] == [("set-clock", True)]
    bench.device.do("away", seconds=5000)
    while not bench.stored:
        bench.run(0.05)
    assert bench.set_clock(SINCE + 99_999).state is CommandState.FAILED
    bench.run(3700)
    assert b"SETDATETIME" not in bench.sent
    assert bench.set_clock(SINCE + 500_000 - bench.now).state is CommandState.DONE
    assert b"<SETDATETIME" in bench.sent
    bench.samples.clear()
    bench.dock()
    bench.run(10)
    assert bench.stored[-1].clock == pytest.approx(SINCE + 500_002, abs=3)


def test_a_device_that_does_not_answer_is_no_clock_that_was_set() -> None:
    bench = Bench()
    bench.run(10)
    bench.cut = True
    assert bench.set_clock(0.0).why == "the hub's own clock says 1970"
    assert bench.set_clock(SINCE).state is CommandState.TIMEOUT
