"""A memory whose requests have several answers: one of them may say no, and lack what was asked for."""

from pathlib import Path

import pytest

from devicehub.devicefile.docked import AGAIN
from devicehub.devicefile.load import driver, load
from devicehub.model.command import CommandState
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Sample, Stored
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Commanded, Ended, Step
from tests.unit.devicefile.files import SMALL, write

CLOCK, READ, SET = 2, 3, 4
NOW = bytes([3, 26, 11, 30, 12, 0, 0])
LOG = bytes([4]) + bytes.fromhex("55aa00 1a0b1e0b0000 55aa02 05 06 55aa00 1a0b1e0b1000 55aa00").ljust(40, b"\xff")
BUSY, EMPTY, DONE = bytes([9, 7]), bytes([8]), bytes([5])
FILE = SMALL.replace(
    "[[vector]]",
    """\
[[channel]]
name = "log"
title = "Log"
kind = "spectrum"
unit = "/min"
[[message]]
name = "now"
match = { kind = 3 }
fields = [
    { name = "year", type = "u8" }, { name = "month", type = "u8" }, { name = "day", type = "u8" },
    { name = "hour", type = "u8" }, { name = "minute", type = "u8" }, { name = "second", type = "u8" },
]
[[message]]
name = "log"
match = { kind = 4 }
fields = [{ name = "memory", type = "bytes" }]
[[message]]
name = "done"
match = { kind = 5 }
[[message]]
name = "empty"
match = { kind = 8 }
[[message]]
name = "busy"
match = { kind = 9 }
fields = [{ name = "why", type = "u8" }]
refused = "busy {why}"
[[request]]
name = "clock"
send = "02"
replies = ["busy", "empty", "now"]
[[request]]
name = "read"
send = "03 {address:u8}{size:u8}"
replies = ["busy", "empty", "log"]
size = 40
[[request]]
name = "set"
send = "04 {year:u8}{month:u8}{day:u8}{hour:u8}{minute:u8}{second:u8}"
replies = ["busy", "done"]
[[memory]]
codec = "gq-gmc"
channel = "log"
clock = "clock"
read = "read"
set_clock = "set"
room = 40
[[vector]]""",
    1,
)


class Bench:
    """The driver of `FILE`, and a device that says to each request what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.said = {1: b"\x01\x32", CLOCK: NOW, READ: LOG, SET: DONE}
        self.heard: list[int] = []
        self.samples, self.faults, self.ended = list[Sample](), list[ProtocolError](), list[Ended]()
        self.now = 0.0
        self.protocol = driver(load(write(folder, FILE)), "trace.probe").open({})

    def run(self, seconds: float) -> "Bench":
        if not self.heard:
            self.take(self.protocol.start(self.now))
        end = self.now + seconds
        while self.wake is not None and self.wake <= end:
            self.now = max(self.wake, self.now)
            self.take(self.protocol.on_timer(self.now))
        self.now = end
        return self

    def take(self, step: Step) -> None:
        self.samples += step.samples
        self.faults += step.faults
        self.ended += step.ended
        self.wake = step.wake_at
        for packet in step.write:
            self.heard.append(packet.data[1])
            said = self.said[packet.data[1]]
            frame = bytes([len(said) + 1]) + said
            self.take(self.protocol.on_packet(self.now, Packet(frame + bytes([sum(frame) & 0xFF]))))

    @property
    def reasons(self) -> list[Reason]:
        return [fault.reason for fault in self.faults]

    @property
    def stored(self) -> int:
        return sum(isinstance(sample, Stored) for sample in self.samples)


def test_the_file_pulls_its_memory(tmp_path: Path) -> None:
    bench = Bench(tmp_path).run(10)
    assert load(write(tmp_path, FILE)).file.memory[0].read == "read"
    assert (bench.stored, bench.reasons) == (1, [])


@pytest.mark.parametrize(("said", "reason"), [(BUSY, Reason.REJECTED), (EMPTY, Reason.UNEXPECTED)])
@pytest.mark.parametrize("request_kind", [CLOCK, READ])
def test_an_answer_without_what_was_asked_for_is_a_fault_and_it_is_asked_again(
    tmp_path: Path, request_kind: int, said: bytes, reason: Reason
) -> None:
    bench = Bench(tmp_path)
    good, bench.said[request_kind] = bench.said[request_kind], said
    bench.run(AGAIN / 2)
    assert (bench.stored, bench.reasons) == (0, [reason])
    assert bench.heard.count(request_kind) == 1
    bench.said[request_kind] = good
    bench.run(AGAIN)
    assert (bench.stored, bench.reasons) == (1, [reason])


@pytest.mark.parametrize(
    ("said", "ended"),
    [(DONE, Ended(5, CommandState.DONE)), (BUSY, Ended(5, CommandState.FAILED, "busy 7"))],
    ids=["done", "busy"],
)
def test_a_clock_that_the_device_refuses_to_set_is_not_called_set(tmp_path: Path, said: bytes, ended: Ended) -> None:
    bench = Bench(tmp_path)
    bench.said[SET] = said
    bench.run(10)
    assert isinstance(bench.protocol, Commanded)
    bench.take(bench.protocol.on_command(bench.now, Call(5, "set-clock", {}, bench.now + 5, epoch=1_795_420_800.0)))
    bench.run(10)
    assert bench.ended == [ended]
