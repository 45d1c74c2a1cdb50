"""What a whole hub could not accept is on record: with its reason, its bounds and its number, and once."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post
from devicehub.model.errors import JournalError, LinkMissingError
from devicehub.publish.memory import MemoryBroker
from tests.real.journals import full_disk
from tests.system import house as houses
from tests.system.bad_devices import driver
from tests.system.house import EPOCH, Furniture, House, decoded, house, journalled
from tests.unit.links import Socket

STALE = driver().stale_after
HOUSE = ("one", "two", "three", "four")
Gap = tuple[str, str, float | None, float | None, int | None]


@dataclass
class Bench:
    """Devices that say what a test wants, before one hub after the other and one broker."""

    state: Path
    names: Sequence[str] = ("dev",)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    runs: int = 0

    @asynccontextmanager
    async def run(self, *, killed: bool = False) -> AsyncIterator[tuple[House, Mapping[str, Socket]]]:
        """A hub whose devices are all there and have said a word."""
        self.runs += 1
        sockets = {name: Socket() for name in self.names}
        for socket in sockets.values():
            socket.trouble, socket.first_words = None, b"1\n"
        furniture = Furniture(
            posts=[Post(name, socket.open, lambda: driver().open({})) for name, socket in sockets.items()],
            drivers={name: driver() for name in self.names},
        )
        async with house(self.state, (), furniture, broker=self.broker, boot=f"boot-{self.runs}") as running:
            await running.clock.sleep(1)
            yield running, sockets
            if killed:
                await running.kill()

    def gaps(self) -> list[Gap]:
        """Stream, reason, begin, end, number: in seconds since the test began."""
        return [
            (str(gap["stream"]), str(gap["reason"]), _second(gap, "since"), _second(gap, "until"), _count(gap))
            for gap in (cast("Mapping[str, object]", body["data"]) for body in journalled(self.broker))
            if "stream" in gap
        ]

    def readings(self) -> int:
        return sum(body["type"] == "io.devicehub.reading" for body in journalled(self.broker))


def _second(gap: Mapping[str, object], name: str) -> float | None:
    return round(datetime.fromisoformat(str(gap[name])).timestamp() - EPOCH, 1) if name in gap else None


def _count(gap: Mapping[str, object]) -> int | None:
    return cast("int | None", gap.get("count"))


async def test_a_device_that_works_leaves_no_gap(state: Path) -> None:
    bench = Bench(state)
    async with bench.run() as (running, sockets):
        for _ in range(30):
            sockets["dev"].say(b"50\n")
            await running.clock.sleep(1)
    assert bench.gaps() == []


async def test_a_device_unplugged_and_plugged_in_again_is_missing_from_its_last_word_to_the_next(state: Path) -> None:
    bench = Bench(state)
    async with bench.run() as (running, sockets):
        dev = sockets["dev"]
        await running.clock.sleep(2)
        dev.say(b"2\n")
        await running.clock.sleep(1)
        dev.trouble = _gone()
        dev.yank()
        await running.clock.sleep(60)
        assert bench.gaps() == [("dev", "disconnected", 3.0, None, None)], "told while it lasts"
        dev.trouble = None
        running.hub.wake()
        await running.clock.sleep(1)
    assert bench.gaps() == [("dev", "disconnected", 3.0, None, None), ("dev", "disconnected", 3.0, 64.0, None)]


async def test_a_device_that_goes_silent_is_missing_until_it_speaks(state: Path) -> None:
    bench = Bench(state)
    async with bench.run() as (running, sockets):
        await running.clock.sleep(STALE + 20)
        sockets["dev"].say(b"3\n")
        await running.clock.sleep(1)
    (opened, closed) = bench.gaps()
    assert opened == ("dev", "silent", 0.0, None, None)
    assert closed == ("dev", "silent", 0.0, 1 + STALE + 20, None)


async def test_a_burst_of_garbage_is_one_record_with_its_number(state: Path) -> None:
    bench = Bench(state)
    async with bench.run() as (running, sockets):
        for _ in range(50):
            sockets["dev"].say(b"noise\n" * 100 + b"7\n")
            await running.clock.sleep(0.1)
        for _ in range(15):
            sockets["dev"].say(b"7\n")
            await running.clock.sleep(1)
    assert bench.gaps() == [("dev", "faults", 1.0, 5.9, 5000)]


async def test_two_devices_that_go_at_once_are_two_absences(state: Path) -> None:
    bench = Bench(state, ("one", "two"))
    async with bench.run() as (running, sockets):
        for socket in sockets.values():
            socket.yank("the hub of both was unplugged")
        await running.clock.sleep(5)
    found = bench.gaps()
    for name in bench.names:
        first, second = [gap for gap in found if gap[0] == name]
        assert first[1:4] == ("disconnected", 0.0, None)
        assert second[1:3] == ("disconnected", 0.0)
        assert second[3] is not None
    assert len(found) == 4


async def _disk_full_while_two_devices_flood_and_go(bench: Bench) -> int:
    """How many readings the devices said. One of them is lost while the disk takes nothing, and comes back."""
    said = len(bench.names)
    async with bench.run() as (running, sockets):
        with full_disk():
            for _ in range(10):
                for name in ("one", "two"):
                    sockets[name].say(b"5\n" * 1000)
                    said += 1000
                await running.clock.sleep(1)
            sockets["one"].first_words = b""
            sockets["one"].yank()
            await running.clock.sleep(120)
            sockets["one"].say(b"6\n")
            sockets["two"].say(b"6\n")
            said += 2
            await running.clock.sleep(5)
        await running.clock.sleep(3)
    return said


async def test_what_there_was_no_room_for_while_the_disk_was_full_is_counted_to_the_last(state: Path) -> None:
    """Gaps cannot be stored either meanwhile: they come when it is well again, with the bounds they had."""
    bench = Bench(state, HOUSE)
    said = await _disk_full_while_two_devices_flood_and_go(bench)
    found = bench.gaps()
    overflows = {name: [gap for gap in found if gap[:2] == (name, "overflow")] for name in ("one", "two")}
    assert bench.readings() + sum(gap[4] or 0 for gaps in overflows.values() for gap in gaps) == said
    assert [gap[2:4] for gap in overflows["one"]] == [(6.0, 10.0), (131.0, 131.0)], "before it went, and its first word"
    assert [gap[2:4] for gap in overflows["two"]] == [(6.0, 131.0)]
    assert [gap for gap in found if gap[0] == "one" and gap[1] != "overflow"] == [
        ("one", "disconnected", 10.0, None, None),
        ("one", "disconnected", 10.0, 131.0, None),
    ]


async def test_a_hub_that_forgets_to_tell_of_the_overflow_would_be_noticed(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devicehub.core.gaps.DeviceGaps.dropped", lambda *_: [])
    bench = Bench(state, HOUSE)
    said = await _disk_full_while_two_devices_flood_and_go(bench)
    assert bench.readings() + sum(gap[4] or 0 for gap in bench.gaps()) < said


async def test_a_clean_restart_is_a_gap_from_the_last_event_to_the_start(state: Path) -> None:
    bench = Bench(state)
    async with bench.run() as (running, _):
        await running.clock.sleep(2)
        end = running.clock.monotonic()
    await Clock().sleep(100)
    async with bench.run():
        pass
    assert bench.gaps() == [("hub", "restart", end, end + 100.0, None)]


async def test_a_kill_is_a_gap_from_the_last_event_to_the_start_and_open_gaps_end_with_it(state: Path) -> None:
    bench = Bench(state)
    async with bench.run(killed=True) as (running, sockets):
        sockets["dev"].trouble = _gone()
        sockets["dev"].yank()
        await running.clock.sleep(50)
    async with bench.run():
        pass
    opened, hub = bench.gaps()
    assert opened == ("dev", "disconnected", 0.0, None, None)
    assert hub == ("hub", "unclean-shutdown", 1.0, 51.0, None)


async def test_a_stop_with_the_disk_full_is_covered_by_the_gap_of_the_restart(state: Path) -> None:
    """What could not be told at the stop lies after the last event that was stored."""
    bench = Bench(state)

    async def stopped_with_the_disk_full() -> None:
        async with bench.run() as (running, sockets):
            await running.clock.sleep(1)
            with full_disk():
                sockets["dev"].trouble = _gone()
                sockets["dev"].yank()
                await running.clock.sleep(5)
                running.stop.set()
                await asyncio.wait([running.task])

    with pytest.raises(JournalError):
        await stopped_with_the_disk_full()
    async with bench.run():
        pass
    (gap,) = bench.gaps()
    assert gap[:2] == ("hub", "unclean-shutdown")
    assert gap[2] == 0.0, "before anything that was not stored"


@dataclass
class Wall:
    """Clocks that a test may set, or put to sleep."""

    step: float = 0.0
    sleep: float = 0.0

    def clock(self, seed: int, loop: asyncio.AbstractEventLoop) -> Clock:
        return Clock(
            utc=lambda: EPOCH + loop.time() + self.step + self.sleep, boot=lambda: loop.time() + self.sleep, seed=seed
        )


async def test_a_wall_clock_that_is_set_is_an_event_and_no_gap(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wall, bench = Wall(), Bench(state)
    monkeypatch.setattr(houses, "virtual_clock", wall.clock)
    async with bench.run() as (running, sockets):
        for step in (0.0, -86_400.0, 0.5, 3600.0):
            wall.step += step
            sockets["dev"].say(b"1\n")
            await running.clock.sleep(2)
    bodies = [body for body in journalled(bench.broker) if body["type"] == "io.devicehub.hub.clock-stepped"]
    assert [cast("Mapping[str, object]", body["data"])["seconds"] for body in bodies] == [-86_400.0, 3600.0]
    assert bench.gaps() == []


async def test_a_machine_that_slept_is_a_gap_of_the_hub_and_no_step(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall, bench = Wall(), Bench(state)
    monkeypatch.setattr(houses, "virtual_clock", wall.clock)
    async with bench.run() as (running, _):
        wall.sleep = 3 * 3600.0
        await running.clock.sleep(2)
    (gap,) = bench.gaps()
    assert gap[:2] == ("hub", "suspended")
    assert gap[2:4] == (0.5, 3 * 3600 + 1.0), "between the two looks that it slept between"
    assert not [out for _, out in bench.broker.log if out.payload and "clock-stepped" in str(decoded(out)["type"])]


def _gone() -> Exception:
    return LinkMissingError("nothing is plugged in")
