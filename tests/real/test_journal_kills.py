"""The journal's process is killed with SIGKILL, again and again: nothing it acknowledged is lost."""

import asyncio
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.real.journals import everything, opened

pytestmark = pytest.mark.real

KILLS = 20
ROOT = Path(__file__).parents[2]


def _killed(folder: Path, lines: int) -> list[tuple[int, int]]:
    """Positions and ids that a process acknowledged before it was killed, some time after that many lines."""
    command = [sys.executable, "-m", "tests.real.journals", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        told += process.stdout.readlines()
    whole = [line.split() for line in told if line.endswith("\n")]
    return [(int(position), int(name)) for position, name in whole]


async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    random = Random(7)
    acknowledged: dict[int, int] = {}
    for _ in range(KILLS):
        told = await asyncio.to_thread(_killed, tmp_path, random.randint(1, 120))
        assert not set(acknowledged) & {position for position, _ in told}, "no position is used twice"
        acknowledged.update(told)
    async with opened(tmp_path) as journal:
        assert journal.unclean
        stored = {entry.position: int(entry.out.id) for entry in await everything(journal)}
    assert len(acknowledged) > KILLS
    assert {position: stored.get(position) for position in acknowledged} == acknowledged
    assert sorted(stored) == list(range(1, len(stored) + 1)), "and there is no hole between them"
