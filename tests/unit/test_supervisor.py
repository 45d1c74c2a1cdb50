"""Keeping a device open: told once when it goes and once when it comes, tried again in bounds, its bugs its own."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio

from devicehub.collect.supervisor import BACKOFF_FIRST, BACKOFF_MOST, FAULTED_PAUSE, OPEN_MOST, STEADY
from devicehub.model.errors import ConfigError, LinkBusyError, LinkMissingError, LinkPermissionError
from devicehub.model.reading import Change, Fault, Reading
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from tests.unit.links import Watched

CONNECTED, READY = ("busy", "connected"), ("ready", "")
LOST = ("lost", "unplugged")
MISSING = ("offline", "nothing is plugged in")


@pytest_asyncio.fixture
async def dev() -> AsyncIterator[Watched]:
    watched = Watched()
    yield watched
    await watched.end()


async def test_a_device_that_is_not_there_is_told_once_and_tried_again(dev: Watched) -> None:
    await dev.clock.sleep(600)
    assert dev.told() == [MISSING]
    assert len(dev.socket.attempts) > 20


async def test_a_device_that_speaks_only_when_used_is_ready_once_its_link_is_open() -> None:
    quiet = Watched(quiet=True)
    await quiet.plug(b"")
    quiet.socket.yank()
    await quiet.clock.sleep(60)
    assert quiet.told() == [READY, LOST, READY]
    await quiet.end()


async def test_another_reason_for_being_away_is_news(dev: Watched) -> None:
    await dev.clock.sleep(60)
    dev.socket.trouble = LinkPermissionError("may not be opened by this user")
    await dev.clock.sleep(60)
    assert dev.told() == [MISSING, ("offline", "may not be opened by this user")]


async def test_a_device_comes_goes_and_comes_back_each_told_once(dev: Watched) -> None:
    await dev.plug()
    for _ in range(3):
        dev.socket.trouble = LinkMissingError("gone")
        dev.socket.yank()
        await dev.clock.sleep(300)
        await dev.plug()
    assert dev.told() == [MISSING, CONNECTED, READY, LOST, READY, LOST, READY, LOST, READY]


async def test_the_first_change_and_the_return_say_who_is_there(dev: Watched) -> None:
    await dev.plug()
    changes = [one for one in dev.offered if isinstance(one, Change)]
    assert [one.facts for one in changes] == [(), *[(("usb", "0403:6001"), ("serial", "7"))] * 2]


async def test_a_device_that_opens_and_never_says_anything_is_told_once(dev: Watched) -> None:
    """It is connected, then it is not; that it can be connected again and again is no news."""
    await dev.plug(b"")
    for _ in range(20):
        dev.socket.yank()
        await dev.clock.sleep(BACKOFF_MOST + 1)
    assert dev.told() == [MISSING, CONNECTED, ("offline", "unplugged")]
    dev.socket.say(b"1\n")
    await dev.clock.sleep(1)
    assert dev.told()[-1] == READY


async def test_pauses_grow_with_full_jitter_within_bounds(dev: Watched) -> None:
    await dev.clock.sleep(3600)
    times = dev.socket.attempts
    pauses = [after - before for before, after in pairwise(times)]
    for failures, pause in enumerate(pauses):
        assert pause <= min(BACKOFF_MOST, BACKOFF_FIRST * 2**failures)
    assert min(pauses[10:]) < BACKOFF_MOST / 4 < 3 * BACKOFF_MOST / 4 < max(pauses[10:])


async def test_a_device_that_worked_for_a_while_is_tried_again_at_once(dev: Watched) -> None:
    await dev.clock.sleep(600)
    await dev.plug()
    await dev.clock.sleep(STEADY)
    dev.socket.yank()
    before = dev.clock.monotonic()
    await dev.clock.sleep(60)
    assert dev.socket.attempts[-1] - before <= BACKOFF_FIRST


async def test_a_device_that_breaks_after_its_first_word_again_and_again_is_not_stormed(dev: Watched) -> None:
    await dev.plug()

    async def pulling() -> None:
        while True:
            dev.socket.yank()
            await dev.clock.sleep(0.01)

    hands = asyncio.create_task(pulling())
    await dev.clock.sleep(600)
    late = [at for at in dev.socket.attempts if at > 100]
    assert len(late) < 3 * 500 / (BACKOFF_MOST / 2)
    hands.cancel()


async def test_plugging_in_cuts_a_pause_short(dev: Watched) -> None:
    await dev.clock.sleep(300)
    before = len(dev.socket.attempts)
    for _ in range(5):
        dev.supervisor.wake()
        await dev.clock.sleep(0)
        await dev.clock.sleep(0)
    assert dev.socket.attempts[before] == dev.clock.monotonic()


async def test_plugging_in_while_the_link_is_being_opened_counts_too(dev: Watched) -> None:
    """The device appears just after it was looked for."""
    await dev.clock.sleep(300)
    before = len(dev.socket.attempts)
    dev.socket.on_attempts.append(dev.supervisor.wake)
    dev.supervisor.wake()
    await dev.clock.sleep(BACKOFF_FIRST + 0.01)
    assert len(dev.socket.attempts) == before + 2
    assert dev.socket.attempts[before] == 300.0


async def test_a_storm_of_plugging_does_not_become_a_storm_of_attempts(dev: Watched) -> None:
    await dev.clock.sleep(300)
    before = len(dev.socket.attempts)
    for _ in range(1000):
        dev.supervisor.wake()
        await dev.clock.sleep(0.01)
    assert len(dev.socket.attempts) - before <= 10 / BACKOFF_FIRST + 1


async def test_what_was_plugged_in_while_the_device_was_open_does_not_cut_its_pause_short(dev: Watched) -> None:
    await dev.clock.sleep(600)
    for _ in range(20):
        await dev.plug()
        dev.supervisor.wake()
        await dev.clock.sleep(1)
        dev.socket.trouble = LinkMissingError("gone")
        before, lost_at = len(dev.socket.attempts), dev.clock.monotonic()
        dev.socket.yank()
        await dev.clock.sleep(0.001)
        assert len(dev.socket.attempts) == before, f"tried again in the instant of the loss, at {lost_at}"


async def test_what_is_replugged_before_its_loss_is_noticed_is_back_soon(dev: Watched) -> None:
    """It was away often before and never talked for long, so that its pauses had grown."""
    await dev.plug()
    for _ in range(20):
        dev.socket.yank()
        await dev.clock.sleep(BACKOFF_MOST)
    for _ in range(20):
        dev.supervisor.wake()
        await dev.clock.sleep(1)
        dev.socket.yank()
        await dev.clock.sleep(BACKOFF_FIRST)
        assert dev.told()[-1] == READY


async def test_what_does_not_open_when_it_is_plugged_in_is_tried_again_soon(dev: Watched) -> None:
    """Its node is there before its driver is."""
    await dev.clock.sleep(600)
    for _ in range(20):
        dev.socket.trouble = LinkMissingError("not yet")
        dev.supervisor.wake()
        await dev.clock.sleep(1)
        dev.socket.trouble, dev.socket.first_words = None, b"1\n"
        await dev.clock.sleep(2)
        assert dev.told()[-1] == READY
        dev.socket.trouble = LinkMissingError("gone")
        dev.socket.yank()
        await dev.clock.sleep(600)


async def test_what_is_plugged_in_does_not_wake_a_faulted_device(dev: Watched) -> None:
    await dev.plug(b"!\n")
    opened = len(dev.socket.opened)
    assert dev.told()[-1][0] == "faulted"
    for _ in range(50):
        dev.supervisor.wake()
        await dev.clock.sleep(1)
    assert len(dev.socket.opened) == opened
    await dev.clock.sleep(FAULTED_PAUSE)
    assert len(dev.socket.opened) == opened + 1


async def test_another_wording_of_the_same_trouble_is_no_news(dev: Watched) -> None:
    await dev.clock.sleep(1)
    for number in range(50):
        dev.socket.trouble = LinkMissingError(f"not found at attempt {number}")
        await dev.clock.sleep(BACKOFF_MOST)
    assert dev.told() == [MISSING]


async def test_a_reason_that_is_no_unicode_can_still_be_told(dev: Watched) -> None:
    """File names of another encoding come with lone surrogates."""
    dev.socket.trouble = LinkBusyError("held by caf\udce9")
    await dev.clock.sleep(BACKOFF_MOST)
    assert dev.told()[-1] == ("offline", "held by caf\\udce9")


async def test_what_only_a_person_can_mend_is_not_tried_again(dev: Watched) -> None:
    dev.socket.trouble = ConfigError("driver trace.x has no option 'y'")
    await dev.clock.sleep(600)
    assert dev.told() == [MISSING, ("offline", "driver trace.x has no option 'y'")]
    assert dev.task.done()
    assert dev.task.exception() is None


async def test_a_bug_in_a_driver_faults_the_device_with_its_text_and_its_traceback(
    dev: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    await dev.plug()
    dev.socket.first_words = b"!\n"
    dev.socket.say(b"!\n")
    await dev.clock.sleep(10 * FAULTED_PAUSE)
    assert dev.told()[-2:] == [READY, ("faulted", "ZeroDivisionError: a bug in the driver")]
    assert 10 <= len(dev.socket.opened) <= 11, "tried again slowly, and not told again"
    assert dev.socket.closed == len(dev.socket.opened) - (not dev.socket.opened[-1]._lost)
    record = next(record for record in caplog.records if "bug in its driver" in record.message)
    assert record.exc_info is not None


async def test_a_faulted_device_stays_faulted_until_it_works(dev: Watched) -> None:
    await dev.plug(b"!\n")
    dev.socket.trouble = LinkBusyError("held by another process")
    await dev.clock.sleep(3 * FAULTED_PAUSE)
    assert dev.told()[-1][0] == "faulted"
    await dev.plug()
    assert dev.told()[-1] == READY


async def test_a_sample_that_was_never_declared_is_a_bug_of_that_driver(dev: Watched) -> None:
    await dev.plug(b"1\n2\nx\n")
    assert dev.told()[-1] == ("faulted", "ValueError: channel 'undeclared' is not declared")
    assert not [one for one in dev.offered if isinstance(one, Reading)], "nothing of that step is taken"


class Stuck:
    """A protocol with a bug: it wants to be woken in the past, for ever."""

    def start(self, now: float) -> Step:
        return Step(wake_at=now - 1)

    def on_packet(self, now: float, packet: Packet) -> Step:
        return Step(wake_at=now - 1)

    def on_timer(self, now: float) -> Step:
        return Step(wake_at=now - 1)


def stuck() -> DeviceProtocol:
    return Stuck()


async def test_a_protocol_that_stands_still_is_a_bug_and_stops_nobody_else() -> None:
    watched = Watched(stuck)
    await watched.plug(b"")
    await watched.clock.sleep(1)
    assert watched.told()[-1][0] == "faulted"
    assert "woken in the past" in watched.told()[-1][1]
    await watched.end()


async def test_garbage_is_counted_and_ends_nothing(dev: Watched) -> None:
    await dev.plug(b"what\n1\nis this\n")
    assert [one.reason for one in dev.offered if isinstance(one, Fault)] == ["garbage", "garbage"]
    assert dev.told()[-1] == READY


async def test_a_link_that_hangs_while_it_is_opened_is_told(dev: Watched) -> None:
    dev.socket.hangs = True
    dev.supervisor.wake()
    await dev.clock.sleep(OPEN_MOST + 1)
    assert dev.told() == [MISSING, ("offline", f"its link did not open within {OPEN_MOST:.0f} s")]


@pytest.mark.parametrize("what", ["closed", "opening", "open"])
async def test_a_supervisor_that_is_told_to_end_closes_what_is_open(dev: Watched, what: str) -> None:
    if what == "open":
        await dev.plug()
    dev.socket.hangs = what == "opening"
    await dev.clock.sleep(100)
    await dev.end()
    assert dev.task.cancelled()
    assert dev.socket.closed == len(dev.socket.opened) == (what == "open")
