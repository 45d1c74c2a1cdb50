"""One hour of virtual time with all devices, random unplugging and a ten-minute broker outage."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from devicehub.model.stream import Stream
from tests.system.hour import an_hour
from tests.system.house import House, digest, journalled, numbers

SEED = 1
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Twins:
    """The same hour twice, at the same time: here, and in a process with hashes of its own."""

    house: House
    state: Path
    other: subprocess.Popen[str]


@pytest.fixture(scope="module")
def twins(memory: Path) -> Iterator[Twins]:
    command = [sys.executable, "-m", "tests.system.hour", str(SEED), str(memory / "there")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        try:
            yield Twins(an_hour(memory / "here", SEED), memory / "here", other)
        finally:
            other.kill()


def test_nothing_is_lost_and_everything_is_in_order(twins: Twins) -> None:
    bodies = journalled(twins.house.broker)
    for stream in Stream:
        assert numbers(bodies, stream) == list(range(1, _accepted(twins.state, stream) + 1))
    assert len(bodies) > 3600
    assert any(body.get("historical") for body in bodies), "the outage left nothing to catch up with"
    heard = {str(body["subject"]).split("/")[0] for body in bodies if "subject" in body}
    assert heard >= set(twins.house.ports)


def _accepted(state: Path, stream: Stream) -> int:
    """How many numbered messages of a stream the journal took, by its own count."""
    with closing(sqlite3.connect(state / "journal.sqlite")) as database:
        return int(database.execute("SELECT value FROM meta WHERE name = ?", (f"number.{stream}",)).fetchone()[0])


def test_the_same_seed_gives_the_same_events(twins: Twins) -> None:
    there, _ = twins.other.communicate()
    assert twins.other.returncode == 0
    assert there.strip() == digest(twins.house.broker)
