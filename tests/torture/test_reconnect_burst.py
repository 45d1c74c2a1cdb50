"""A hundred hubs of one broker: when it comes back they do so one after the other, and all within two seconds.

Counted are those that come back within any tenth of a second, and the attempts, which cost a computer without a broker
little.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.deliver.stage import RECONNECT_REFUSED
from devicehub.model.errors import DeliveryRefusedError
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing, Publisher
from tests.torture.arrivals import times
from tests.unit.delivery import Post, delivering

HUBS = 100
WINDOW_S = 0.1
BACK_SHARE = 0.3
TRIED_SHARE = 0.35
STEADY_S = 12.0
BACK_S = 2.0
ROUNDS = 3


@dataclass(frozen=True)
class Burst:
    """Of one outage: the largest share of hubs that tried, or came back, within one window; the time until all were."""

    tried: float
    back: float
    seconds: float


def largest_share(moments: Sequence[float]) -> float:
    """The share of `HUBS` in the fullest window."""
    ordered = sorted(moments)
    return max(sum(start <= one < start + WINDOW_S for one in ordered) for start in ordered) / HUBS


async def bursts(folder: Path, outages: Sequence[float]) -> list[Burst]:
    """A hundred deliverers and one broker that goes away for so many seconds, one time after the other."""
    broker, clock = MemoryBroker(keep=0), Clock()
    async with AsyncExitStack() as stack:
        hubs: list[Post] = []
        for number in range(HUBS):
            home = folder / str(number)
            home.mkdir()
            post, _, _ = await stack.enter_async_context(delivering(home, broker, seed=number))
            hubs.append(post)
        await clock.sleep(STEADY_S)
        return [await _outage(hubs, broker, clock, seconds) for seconds in outages]


async def _outage(hubs: Sequence[Post], broker: MemoryBroker, clock: Clock, seconds: float) -> Burst:
    for hub in hubs:
        hub.attempts.clear()
        hub.connections.clear()
    broker.outage()
    await clock.sleep(seconds)
    returned = clock.monotonic()
    broker.restore()
    await clock.sleep(STEADY_S)
    assert all(len(hub.connections) == 1 for hub in hubs), "each came back, and stayed"
    back = [hub.connections[0] for hub in hubs]
    tried = [moment for hub in hubs for moment in hub.attempts]
    return Burst(largest_share(tried), largest_share(back), max(back) - returned)


@pytest.mark.parametrize("seconds", [0.0, 0.3, 5.0, 20.0])
async def test_a_hundred_hubs_do_not_reconnect_in_one_burst(tmp_path: Path, seconds: float) -> None:
    seen = await bursts(tmp_path, [seconds] * times(ROUNDS))
    print(
        f"outage of {seconds:g} s, N = {len(seen)}: at most {max(one.tried for one in seen):.0%} tried and "
        f"{max(one.back for one in seen):.0%} came back within {WINDOW_S:g} s, all within "
        f"{max(one.seconds for one in seen):.2f} s"
    )
    assert all(one.back <= BACK_SHARE and one.tried <= TRIED_SHARE for one in seen)
    assert all(one.seconds <= BACK_S for one in seen)


async def test_without_chance_they_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage: the same pauses without jitter."""
    monkeypatch.setattr(Clock, "jitter", lambda _, most: most)
    (seen,) = await bursts(tmp_path, [5.0])
    assert seen.tried == seen.back == 1.0


class _Closed(MemoryBroker):
    """Answers every connection with a no, as for a password that is wrong or a quota that is used up."""

    @asynccontextmanager
    async def connect(self, will: Outgoing | None = None) -> AsyncIterator[Publisher]:
        async with super().connect(will):
            raise DeliveryRefusedError("the broker refused the connection")
        yield  # type: ignore[unreachable]  # what makes it a generator


async def test_a_broker_that_answers_with_a_no_is_asked_less_and_less_often(tmp_path: Path) -> None:
    async with delivering(tmp_path, _Closed()) as (post, *_):
        await post.clock.sleep(3600)
        pauses = [after - before for before, after in pairwise(post.attempts)]
    assert max(pauses[:2]) <= 2.0
    assert len(pauses) < 3600 / (RECONNECT_REFUSED / 2) * 1.5
    assert RECONNECT_REFUSED * 0.8 < max(pauses) <= RECONNECT_REFUSED
