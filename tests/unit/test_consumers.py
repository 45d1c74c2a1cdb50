"""Consumers that come and go all the time: what is told of them has a pace, and what is remembered a bound."""

import json
from pathlib import Path

from devicehub.deliver.consumers import TOLD_BURST, TOLD_PER_MINUTE
from devicehub.deliver.delivery import Delivery
from devicehub.deliver.receipts import MOST_CONSUMERS
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Incoming
from tests.real.journals import TOPICS
from tests.unit.delivery import Post, delivering


def say(post: Post, deliver: Delivery, name: str, number: int = 0) -> None:
    """A receipt of a consumer that has events up to `number`."""
    body = json.dumps({"epoch": post.journal.epoch, "received": {"events": number}}).encode()
    deliver.receipt(Incoming(f"{TOPICS.prefix}/receipt/{name}", body, retain=False))


def leave(deliver: Delivery, name: str) -> None:
    """What a consumer sends that will not come again."""
    deliver.receipt(Incoming(f"{TOPICS.prefix}/receipt/{name}", b"", retain=False))


def untold(post: Post) -> int:
    """How many remarks were counted instead of told."""
    return sum(int(why.split()[0]) for what, why in post.remarks if what == "consumer-remarks-dropped")


async def test_one_that_comes_and_goes_is_told_at_a_pace_and_the_rest_is_counted(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, deliver, _):
        for _ in range(600):
            say(post, deliver, "archive")
            leave(deliver, "archive")
            await post.clock.sleep(1)
        await post.clock.sleep(60)
        assert len(post.remarks) <= TOLD_BURST + 11 * TOLD_PER_MINUTE + 1
        told = [what for what, _ in post.remarks if what in {"consumer-registered", "consumer-left"}]
        assert len(told) + untold(post) == 1200


async def test_one_that_is_right_and_wrong_in_turn_is_told_at_a_pace_too(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, deliver, _):
        for _ in range(600):
            say(post, deliver, "archive")
            say(post, deliver, "archive", number=1_000_000)
        await post.clock.sleep(20)
        assert len(post.remarks) <= TOLD_BURST + TOLD_PER_MINUTE
        assert [what for what, _ in post.remarks].count("receipt-refused") + untold(post) == 600


async def test_all_consumers_that_there_may_be_are_told_at_once(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, deliver, _):
        for number in range(MOST_CONSUMERS):
            say(post, deliver, f"c-{number}")
        assert [what for what, _ in post.remarks] == ["consumer-registered"] * MOST_CONSUMERS


async def test_whoever_uses_a_new_name_each_time_leaves_nothing_behind(tmp_path: Path) -> None:
    async with delivering(tmp_path, MemoryBroker()) as (post, deliver, _):
        for number in range(5000):
            say(post, deliver, f"c-{number}")
            leave(deliver, f"c-{number}")
        await post.clock.sleep(10)
        consumers = deliver._consumers
        assert len(consumers._met) == 0
        assert len(consumers._joined) <= MOST_CONSUMERS
