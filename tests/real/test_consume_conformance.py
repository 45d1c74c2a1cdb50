"""What judges durable consumers lets ours pass, and no consumer with a mistake."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.consume.conformance.check import Outcome, check
from devicehub.consume.conformance.hub import PlayedHub
from devicehub.consume.conformance.process import Process
from devicehub.consume.conformance.rules import rules
from devicehub.consume.conformance.stage import staged
from devicehub.publish.mqtt import connect
from devicehub.publish.settings import BrokerSettings
from tests.real.hub_process import ROOT
from tests.real.mosquitto import mosquitto

pytestmark = pytest.mark.real

KILLS = 4
LISTED = {
    ".jsonl": "cat {out}",
    ".sqlite": sys.executable
    + " -c \"import sqlite3; [print(r[0]) for r in sqlite3.connect('{out}').execute('SELECT body FROM message ORDER BY id')]\"",
}


async def judged(folder: Path, words: Sequence[str], out: Path, only: Sequence[str] = ()) -> list[Outcome]:
    """The outcome of each rule, or of those that begin with one of `only`."""
    async with mosquitto(folder) as broker:
        command = [sys.executable, "-m", *(word.format(out=out, port=broker.port) for word in words)]
        process = Process(["env", f"PYTHONPATH={ROOT}", *command], LISTED[out.suffix].format(out=out))
        link = partial(connect, BrokerSettings(host="127.0.0.1", port=broker.port))
        hub = PlayedHub("check", "hub", Clock(), exercise=False)
        chosen = [rule for rule in rules(KILLS) if not only or rule.text.startswith(tuple(only))]
        async with staged(hub, process, link, Clock(seed=5), "tried") as stage:
            return [outcome async for outcome in check(stage, chosen)]


@pytest.mark.parametrize("suffix", LISTED)
async def test_the_reference_consumer_keeps_to_every_rule(tmp_path: Path, suffix: str) -> None:
    words = ["devicehub", "consume", "{out}", "--name", "tried", "--broker", "mqtt://127.0.0.1:{port}"]
    outcomes = await judged(tmp_path, words, tmp_path / f"out{suffix}")
    print(*outcomes, sep="\n")
    assert [outcome for outcome in outcomes if not outcome.holds] == []
    assert len(outcomes) == len(rules(KILLS))


BEGIN = ("it registers", "it confirms what came")
END = "everything is stored"
KILLED = "nothing that it confirmed"
MISTAKES = [
    ("confirms-first", KILLED, "confirmed and not stored"),
    ("confirms-holes", "at a hole", "before the hole is 50"),
    ("forgets", KILLED, "before, and now"),
    ("changes", END, "were changed"),
    ("stores-twice", END, "stored twice"),
    ("ignores-gaps", "numbers that a gap", "not confirmed"),
    ("drops-late", "a lost number", "not stored"),
    ("knows-no-epochs", "numbers begin at 1", "does not come forward"),
    ("ignores-status", "what is left", "are not stored"),
    ("is-noisy", "while it stores", "receipts in"),
    ("says-it-once", "it confirms again", "no receipt came"),
]


@pytest.mark.parametrize(("mistake", "rule", "seen"), MISTAKES, ids=[mistake for mistake, *_ in MISTAKES])
async def test_a_consumer_with_a_mistake_is_caught(tmp_path: Path, mistake: str, rule: str, seen: str) -> None:
    words = ["tests.real.wrong_consumers", mistake, "{out}", "tried", "{port}"]
    extra = ("a duplicate",) if mistake == "stores-twice" else ()
    outcomes = await judged(tmp_path, words, tmp_path / "out.jsonl", [*BEGIN, *extra, rule])
    broken = {outcome.rule: outcome.why for outcome in outcomes if not outcome.holds}
    print(broken)
    assert [text for text, why in broken.items() if text.startswith(rule) and seen in why] != []
    assert all(outcome.holds for outcome in outcomes[: len(BEGIN)])


async def test_a_consumer_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    outcomes = await judged(tmp_path, ["no.such.module"], tmp_path / "out.jsonl")
    assert "ended by itself with code 1" in outcomes[0].why
    assert not any(outcome.played or outcome.holds for outcome in outcomes[1:])
