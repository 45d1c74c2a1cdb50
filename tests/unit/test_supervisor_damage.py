"""A device that is out of step for good has its link opened anew; damage that passes leaves it open."""

import pytest

from devicehub.collect.supervisor import BACKOFF_FIRST
from tests.unit.links import Watched

READY = ("ready", "")


async def damaged(dev: Watched, times: int, every: float, between: bytes = b"") -> None:
    """Lines that are no number, each with `between` behind it."""
    for _ in range(times):
        dev.socket.say(b"nonsense\n" + between)
        await dev.clock.sleep(every)


async def test_a_device_that_is_damaged_again_and_again_has_its_link_opened_anew() -> None:
    dev = Watched(damaged_most=100)
    await dev.plug()
    dev.socket.first_words = b""
    await damaged(dev, 101, 0.2)
    await dev.clock.sleep(2 * BACKOFF_FIRST)
    assert dev.told()[-1] == ("lost", "100 damaged frames in a row")
    assert (len(dev.socket.opened), dev.socket.closed) == (2, 1)
    dev.socket.say(b"1\n")
    await dev.clock.sleep(0.1)
    assert dev.told()[-1] == READY
    await dev.end()


@pytest.mark.parametrize(
    ("most", "times", "every", "between"),
    [(100, 99, 1.0, b""), (100, 1000, 0.009, b""), (100, 1000, 0.2, b"1\n"), (0, 1000, 0.2, b"")],
    ids=["fewer", "a burst", "a good one between", "of a device file, which says so itself, or of files"],
)
async def test_damage_that_is_not_for_good_leaves_the_link_open(
    most: int, times: int, every: float, between: bytes
) -> None:
    dev = Watched(damaged_most=most)
    await dev.plug()
    await damaged(dev, times, every, between)
    assert (len(dev.socket.opened), dev.told()[-1]) == (1, READY)
    await dev.end()
