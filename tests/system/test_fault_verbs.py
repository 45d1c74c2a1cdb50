"""Each fault that a scenario can play: what the hub says of the device, what the lane says meanwhile, and that both come back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devicehub.exercise.load import load_scenario
from devicehub.exercise.schema import Scenario
from tests.system.house import decoded
from tests.system.rehearsal import Rehearsed, rehearse

HEAD = """
[scenario]
id = "spoilt"
title = { en = "Spoilt", sq = "E prishur", sr-Latn = "Kvar", sr-Cyrl = "Квар" }
seed = 5

[lane]
requires = ["explosives"]

[[device]]
id = "trace-1"
driver = "trace.ims_reference"
model = { warm = { seconds = 3 } }
"""
BEGIN, END, LAST = 12.0, 24.0, 40.0
STALE = "explosives: none (stale)"


@dataclass(frozen=True)
class Fault:
    """`values`: as in a scenario. `errors`: what the hub counts for it. `why`: what makes the lane blind, if it is."""

    kind: str
    values: str
    errors: frozenset[str]
    why: str = ""


def fault(kind: str, values: str, *errors: str, why: str = "") -> Fault:
    return Fault(kind, values, frozenset(errors), why)


FAULTS = [
    fault("crc", 'for = "12s"', "checksum", "sequence", "timeout", why=STALE),
    fault("timeout", 'for = "12s"', "sequence", "timeout", why=STALE),
    fault("garbage", 'for = "12s"', "garbage"),
    fault("latency", 'seconds = 1.0\nfor = "12s"'),
    fault("cut", 'for = "12s"', "checksum", "sequence", "timeout", "truncated", why=STALE),
    fault("stuck", "amount = 12.0", "timeout", why=STALE),
    fault("drift", 'amount = 5.0\nfor = "12s"', why="explosives: none (uncalibrated)"),
]


def steps(folder: Path, text: str) -> Scenario:
    file = folder / "spoilt.toml"
    file.write_text(f'{HEAD}{text}\n[[at]]\nt = "00:40"\ndo = "end"\n')
    return load_scenario(file)


def seconds(text: str) -> float:
    return int(text[17:19]) + float(text[19:-1])


def lanes(done: Rehearsed) -> list[tuple[str, str]]:
    """What the lane said, and why, from when the device is there until the end."""
    heard = (out for at, out in done.broker.log if 1.0 < at < LAST and "/event/" in out.topic)
    told = [decoded(out)["data"] for out in heard if out.type.endswith("lane.changed")]
    return [(str(data["state"]), str(data.get("why", ""))) for data in told if isinstance(data, dict)]


def errors(done: Rehearsed) -> dict[float, set[str]]:
    """For what the hub counts errors of the device, by when that was news."""
    told = ((at, decoded(out)["data"]) for at, out in done.broker.log if out.type.endswith(".device"))
    return {at: set(data["errors"]) for at, data in told if isinstance(data, dict) and "errors" in data and at < LAST}


def late(done: Rehearsed) -> Iterator[float]:
    """When values came that did not come at one of the tenths of a second at which the device speaks."""
    for _, out in done.broker.log:
        if "/reading/" in out.topic:
            came = seconds(str(decoded(out)["time"]))
            if round(came * 1000) % 100:
                yield came


@pytest.mark.parametrize("one", FAULTS, ids=lambda one: one.kind)
def test_a_fault_is_told_makes_the_lane_blind_or_not_and_is_over(one: Fault, tmp_path: Path, state: Path) -> None:
    text = f'[[at]]\nt = "00:12"\ndo = "fault"\ndevice = "trace-1"\nkind = "{one.kind}"\n{one.values}\n'
    done = rehearse(steps(tmp_path, text), state / "s")
    counted = errors(done)
    assert set().union(*counted.values()) == one.errors
    assert all(BEGIN < at < END + 2.0 for at in counted)
    blind = [("blind", one.why), ("no-alarm", "")] if one.why else []
    assert lanes(done) == [("no-alarm", ""), *blind]
    came_late = list(late(done))
    assert bool(came_late) == (one.kind == "latency")
    assert all(BEGIN <= at <= END + 1.0 for at in came_late)


def test_a_cable_that_is_pulled_stays_out_until_it_is_plugged_in(tmp_path: Path, state: Path) -> None:
    pulled = '[[at]]\nt = "00:10"\ndo = "unplug"\ndevice = "trace-1"\n'
    back = '[[at]]\nt = "00:20"\ndo = "plug"\ndevice = "trace-1"\n'
    out = rehearse(steps(tmp_path, pulled), state / "out")
    assert lanes(out) == [("no-alarm", ""), ("blind", "explosives: none (not-connected)")]
    again = rehearse(steps(tmp_path, pulled + back), state / "again")
    assert lanes(again)[:2] == lanes(out)
    assert lanes(again)[-1] == ("no-alarm", "")
    events = [out.type for _, out in again.broker.log if ".device." in out.type]
    assert events == [f"io.devicehub.device.{word}" for word in ("ready", "lost", "ready")]
