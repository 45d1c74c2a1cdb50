"""What was received and not read yet."""

import asyncio
import logging

import pytest

from devicehub.clock import Clock
from devicehub.model.errors import DeliveryError
from devicehub.publish.inbox import Inbox
from devicehub.publish.port import Incoming


def one(number: int, size: int = 1) -> Incoming:
    return Incoming(f"t/{number}", b"x" * size, retain=False)


async def read(inbox: Inbox, most: int) -> list[str]:
    messages = inbox.messages()
    return [(await anext(messages)).topic for _ in range(most)]


async def test_messages_come_in_order_and_a_reader_waits_for_the_next() -> None:
    inbox = Inbox(10)
    reading = asyncio.create_task(read(inbox, 3))
    for number in range(3):
        inbox.put(one(number))
    assert await reading == ["t/0", "t/1", "t/2"]


async def test_what_does_not_fit_is_counted_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox(2)
    for number in range(5):
        inbox.put(one(number))
    assert inbox.dropped == 3
    assert await read(inbox, 2) == ["t/0", "t/1"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    inbox.put(one(9))
    assert await read(inbox, 1) == ["t/9"]
    assert len(caplog.records) == 2


async def test_the_bytes_that_wait_are_bounded_too() -> None:
    inbox = Inbox(100, budget=1000)
    for number in range(5):
        inbox.put(one(number, 600))
    assert inbox.dropped == 3
    await read(inbox, 1)
    inbox.put(one(5, 600))
    assert inbox.dropped == 3


async def test_what_waits_is_read_before_the_end_is_told_and_the_first_reason_stays() -> None:
    inbox = Inbox(10)
    inbox.put(one(1))
    inbox.end("the broker went away")
    inbox.end("the connection was closed")
    messages = inbox.messages()
    assert (await anext(messages)).topic == "t/1"
    with pytest.raises(DeliveryError, match="the broker went away"):
        await anext(messages)


async def test_a_reader_that_waits_hears_of_the_end() -> None:
    inbox = Inbox(10)
    reading = asyncio.create_task(read(inbox, 1))
    await Clock().sleep(0)
    inbox.end("gone")
    with pytest.raises(DeliveryError, match="gone"):
        await reading
