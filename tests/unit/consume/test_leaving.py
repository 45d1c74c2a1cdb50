"""The end of a registration."""

import asyncio

from devicehub.clock import Clock
from devicehub.consume.leaving import LISTENING, leave
from devicehub.publish.memory import MemoryBroker
from devicehub.publish.port import Outgoing


async def test_a_consumer_that_leaves_deletes_its_receipts_everywhere() -> None:
    broker, clock = MemoryBroker(), Clock()
    for node in ("s/a", "s/b", "t/c"):
        for name in ("archive", "other"):
            topic = f"devicehub/v1/{node}/receipt/{name}"
            broker.take(Outgoing(topic, b"{}", qos=1, retain=True, expiry=None, type="", id="", subject=""))
    at = asyncio.get_running_loop().time()
    left = await leave(broker.connect, clock, "archive", ["devicehub/v1/s/a", "devicehub/v1/u/d"], "devicehub/v1/+/+")
    assert left == [f"devicehub/v1/{node}" for node in ("s/a", "s/b", "t/c", "u/d")]
    assert asyncio.get_running_loop().time() - at <= LISTENING + 0.1
    assert [topic for topic in broker.retained if topic.endswith("archive")] == []
    assert len([topic for topic in broker.retained if topic.endswith("other")]) == 3
