"""A hub whose journal was damaged while it was down starts, and tells once what is lost: to consumers by number."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

from devicehub.publish.memory import MemoryBroker
from tests.real.journals import NAME
from tests.system.house import Furniture, decoded, house, journalled

LAST = "SELECT max(position) FROM event WHERE stream = 'events' AND number IS NOT NULL"


async def run(state: Path, broker: MemoryBroker, boot: str) -> str:
    """A hub that is killed after a second; gives its epoch."""
    async with house(state, (), Furniture(), broker=broker, boot=boot) as running:
        await running.clock.sleep(1)
        await running.kill()
    return str(journalled(broker)[-1]["epoch"])


def damage(state: Path) -> tuple[int, str]:
    """Change the last event of a stream; its number and id."""
    with closing(sqlite3.connect(state / NAME)) as db:
        (position,) = db.execute(LAST).fetchone()
        number, name = db.execute("SELECT number, id FROM event WHERE position = ?", (position,)).fetchone()
        db.execute("UPDATE event SET payload = x'7b7d' WHERE position = ?", (position,))
        db.commit()
    return number, name


def told(broker: MemoryBroker) -> list[dict[str, object]]:
    """Gaps of numbers, and events of a damaged journal."""
    bodies = [cast("dict[str, object]", body["data"]) for body in journalled(broker)]
    return [body for body in bodies if body.get("reason") == "damaged" or body.get("what") == "journal-damaged"]


async def test_a_damaged_event_is_a_gap_of_its_number_and_is_told_once(state: Path) -> None:
    broker = MemoryBroker()
    before = await run(state, broker, "boot-1")
    number, name = damage(state)
    after = await run(state, broker, "boot-2")
    assert before != after
    gap, event = told(broker)
    assert (gap["stream"], gap["epoch"], gap["ranges"]) == ("events", before, [[number, number]])
    assert f"events {number} {name}: content changed (lost)" in str(event["why"])
    assert await run(state, broker, "boot-3") == after
    assert len(told(broker)) == 2


async def test_the_status_names_the_new_epoch_before_anything_numbered_is_sent(state: Path) -> None:
    """So that a consumer does not wait for what was before the damaged event while it hears what came after it."""
    broker = MemoryBroker()
    await run(state, broker, "boot-1")
    damage(state)
    before = len(broker.log)
    epoch = await run(state, broker, "boot-2")
    outs = [out for _, out in broker.log][before:]
    numbered = next(place for place, out in enumerate(outs) if b'"sequence"' in out.payload)
    status = next(out for out in outs[:numbered] if out.topic.endswith("/status"))
    assert status.retain
    assert cast("dict[str, object]", decoded(status)["data"])["epoch"] == epoch


async def test_a_journal_that_was_emptied_is_told_too(state: Path) -> None:
    broker = MemoryBroker()
    await run(state, broker, "one")
    (state / f"{NAME}-wal").unlink(missing_ok=True)
    (state / NAME).write_bytes(b"")
    await run(state, broker, "two")
    assert [body.get("reason", body.get("what")) for body in told(broker)] == ["damaged", "journal-damaged"]
    await run(state, broker, "three")
    assert len(told(broker)) == 2, "once"
