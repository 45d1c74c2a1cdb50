"""Delivery under any sequence of outages, slow answers and events: in order, at least once, to the end."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.publish.memory import MemoryBroker
from tests.unit.delivery import Post, delivering
from tests.virtual_loop import VirtualTimeLoop

acts = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 30)),
    st.tuples(st.just("outage"), st.integers(0, 12)),
    st.tuples(st.just("restore"), st.just(0)),
    st.tuples(st.just("answer"), st.sampled_from([0, 1, 300, 3000, 20000])),
    st.tuples(st.just("wait"), st.sampled_from([1, 100, 1000, 5000, 60000])),
)


async def _act(post: Post, pace: dict[str, float], what: str, amount: int) -> None:
    match what:
        case "append":
            await post.append(amount)
        case "outage":
            post.broker.outage(taken=amount)
        case "restore":
            post.broker.restore()
        case "answer":
            pace["delay"] = amount / 1000
        case _:
            await post.clock.sleep(amount / 1000)


async def _live(folder: Path, script: list[tuple[str, int]], window: int, seed: int) -> None:
    pace = {"delay": 0.0}
    broker = MemoryBroker(delay=lambda _: pace["delay"])
    async with delivering(folder, broker, window=window, seed=seed) as (post, deliver, task):
        for what, amount in script:
            await _act(post, pace, what, amount)
        pace["delay"] = 0.01
        broker.restore()
        await post.clock.sleep(60)
        deliver.finish()
        async with asyncio.timeout(60):
            await task
        assert list(dict.fromkeys(post.arrived())) == list(range(1, post.number + 1))
        assert sum(post.journal.depths.values()) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=25), st.integers(1, 12), st.integers(0, 100))
def test_nothing_is_lost_and_nothing_overtakes(script: list[tuple[str, int]], window: int, seed: int) -> None:
    with TemporaryDirectory() as folder, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_live(Path(folder), script, window, seed))
