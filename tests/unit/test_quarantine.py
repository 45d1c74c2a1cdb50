"""Quarantine: what the broker does not take waits aside, is tried again, and never takes the place of what is newer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devicehub.deliver.quarantine import PAGE, RETRY_MOST
from devicehub.journal import aside
from devicehub.model.errors import DeliveryBusyError
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing, Publisher
from tests.real.journals import RAISED, alarm_state
from tests.unit.delivery import delivering
from tests.unit.test_deliver import numbers

ALARM = "devicehub-sim/v1/site/node/alarm/trace-1/tnt"


class Busy(MemoryBroker):
    """Answers what `refused` says with "quota exceeded", on a connection that lives on."""

    def __init__(self) -> None:
        super().__init__()
        self.on = True
        self.only_empty = False

    def refused(self, out: Outgoing) -> bool:
        return self.on and out.qos == 1 and not (self.only_empty and out.payload)

    @asynccontextmanager
    async def connect(self, will: Outgoing | None = None) -> AsyncIterator[Publisher]:
        async with super().connect(will) as publisher:
            take = publisher.submit

            def submit(out: Outgoing) -> asyncio.Future[None]:
                if not self.refused(out):
                    return take(out)
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(DeliveryBusyError("quota exceeded"))
                return future

            publisher.submit = submit  # type: ignore[method-assign]
            yield publisher


async def test_what_a_busy_broker_did_not_take_comes_when_it_has_time(tmp_path: Path) -> None:
    broker = Busy()
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.append(5)
        await post.clock.sleep(1)
        assert (post.arrived(), deliver.watermarks()[1], post.acked) == ([], 5, 5)
        broker.on = False
        await post.append(1)
        await post.clock.sleep(5)
        assert (sorted(post.arrived()), deliver.watermarks()[1]) == (numbers(6), 0)
        assert len(post.connections) == 1


async def test_a_connection_that_is_lost_while_it_is_tried_again_forgets_nothing(tmp_path: Path) -> None:
    broker = Busy()
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.append(5)
        await post.clock.sleep(1)
        broker.on, broker.delay = False, lambda _: 3.0
        await post.clock.sleep(3)
        broker.outage()
        broker.restore()
        broker.delay = lambda _: 0.0
        await post.clock.sleep(2 * RETRY_MOST)
        assert (sorted(set(post.arrived())), deliver.watermarks()[1]) == (numbers(5), 0)


async def test_a_deletion_that_comes_late_does_not_delete_what_stands_now(tmp_path: Path) -> None:
    broker = Busy()
    broker.only_empty = True
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.journal.append([alarm_state("tnt", RAISED), alarm_state("tnt", None)])
        await post.clock.sleep(1)
        await post.journal.append([alarm_state("tnt", RAISED)])
        await post.clock.sleep(1)
        broker.on = False
        await post.clock.sleep(2 * RETRY_MOST)
        assert ALARM in broker.retained
        assert deliver.watermarks()[1] == 0, "it is void, and gone"


async def test_a_state_that_comes_late_and_is_still_the_newest_is_retained(tmp_path: Path) -> None:
    broker = Busy()
    async with delivering(tmp_path, broker) as (post, *_):
        await post.journal.append([alarm_state("tnt", RAISED)])
        await post.clock.sleep(1)
        broker.on = False
        await post.clock.sleep(2 * RETRY_MOST)
        assert ALARM in broker.retained


@pytest.mark.parametrize("count", [3, 2 * PAGE + 7])
async def test_an_operator_has_everything_sent_again_page_by_page(tmp_path: Path, count: int) -> None:
    forbidden = {"on": True}
    broker = MemoryBroker(refuse=lambda out: "Not authorized" if forbidden["on"] and out.qos == 1 else "")
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.append(count)
        await post.clock.sleep(5)
        assert await post.journal.file(aside.reasons) == {
            "devicehub-sim/v1/site/node/event/hub-started: the broker refused it: Not authorized": count
        }
        forbidden["on"] = False
        assert deliver.replay_quarantine() == count
        await post.clock.sleep(30)
        assert (sorted(post.arrived()), deliver.watermarks()[1]) == (numbers(count), 0)


async def test_what_is_refused_again_stays_and_is_not_tried_for_ever(tmp_path: Path) -> None:
    broker = MemoryBroker(refuse=lambda out: "Not authorized" if out.qos == 1 else "")
    async with delivering(tmp_path, broker) as (post, deliver, _):
        await post.append(3)
        await post.clock.sleep(1)
        assert deliver.replay_quarantine() == 3
        await post.clock.sleep(1000)
        assert (post.gauges.refused, deliver.watermarks()[1]) == (6, 3)
        (gap,) = await deliver.gaps()
        assert gap.ranges == ((1, 3),), "told once"
