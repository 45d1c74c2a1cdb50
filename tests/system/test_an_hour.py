"""Virtual time with all devices, random unplugging and a broker outage for a sixth of it.

Twenty minutes; `DEVICEHUB_TORTURE=2` makes them an hour, with an outage of ten minutes.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.model.stream import Stream
from tests.system.hour import HOUR, an_hour
from tests.system.house import digest, journalled, numbers
from tests.torture.shim import MORE

SEED = 1
LASTS = HOUR if MORE > 1 else HOUR / 3
PART = 600.0
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.long


def test_nothing_is_lost_and_everything_is_in_order(state: Path) -> None:
    house = an_hour(state, SEED, LASTS)
    bodies = journalled(house.broker)
    for stream in Stream:
        assert numbers(bodies, stream) == list(range(1, _accepted(state, stream) + 1))
    assert len(bodies) > LASTS
    assert any(body.get("historical") for body in bodies), "the outage left nothing to catch up with"
    heard = {str(body["subject"]).split("/")[0] for body in bodies if "subject" in body}
    assert heard >= set(house.ports)


def _accepted(state: Path, stream: Stream) -> int:
    """How many numbered messages of a stream the journal took, by its own count."""
    with closing(sqlite3.connect(state / "journal.sqlite")) as database:
        return int(database.execute("SELECT value FROM meta WHERE name = ?", (f"number.{stream}",)).fetchone()[0])


def test_the_same_seed_gives_the_same_events(state: Path) -> None:
    """In a process with hashes of its own, at the same time; ten minutes, two of them without a broker."""
    command = [sys.executable, "-m", "tests.system.hour", str(SEED), str(state / "there"), str(PART)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        try:
            here = an_hour(state / "here", SEED, PART)
            there, _ = other.communicate()
        finally:
            other.kill()
    assert other.returncode == 0
    assert there.strip() == digest(here.broker)
