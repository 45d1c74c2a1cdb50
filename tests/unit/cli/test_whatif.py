"""`devicehub whatif` on a journal that was written for it: what it finds, and everything that it admits not to know."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devicehub.cli import whatif
from devicehub.cli.exits import CommandError
from devicehub.clock import Clock
from devicehub.config import ConfigProblems
from devicehub.journal import Journal
from devicehub.journal.replayed import PART
from devicehub.model.gap import GapReason
from devicehub.model.instant import instant
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AnyPayload, GapData, HubEventData, ReadingData, RulesData
from devicehub.model.reading import Quality
from devicehub.model.units import Unit
from devicehub.publish.envelope import Encoder, outgoing
from devicehub.publish.topics import Topics
from tests.unit.devicefile.files import SMALL, write

START = 1_795_500_000.0
HUB = '[hub]\nsite = "s"\nnode = "n"\nexercise = true\nstate = "state"\n'
DEVICES = (
    f"{HUB}"
    '[[device]]\nid = "v"\ndriver = "trace.aci_pids3"\nport = "sim:"\n'
    '[[device]]\nid = "t"\ndriver = "thermal.gy_mcu90640"\nport = "sim:"\n'
)
LIMIT = '[[limit]]\ndevice = "{}"\nchannel = "{}"\n{}\n'
OLD = DEVICES + LIMIT.format("v", "voc", "high = 20.0\nhysteresis = 2.0")
HEAD = '[rules]\nversion = 2\nauthor = "M"\nreason = "r"\n'
NEW = HEAD + LIMIT.format("v", "voc", "high = 30.0\nhysteresis = 2.0")


def ppm(value: float | None, channel: str = "") -> ReadingData:
    return ReadingData(value, Unit.PPM, Quality.GOOD if value is not None else Quality.BAD, channel=channel)


def said(after: float, data: AnyPayload, word: str = "reading", subject: str = "v/voc") -> Message:
    """A message of the node, that many seconds after the start."""
    device, _, point = subject.partition("/")
    kind = {"reading": Kind.READING, "gap": Kind.GAP}.get(word, Kind.EVENT)
    name = Clock(utc=lambda: START + after).ulid()
    return Message(kind=kind, type=word, id=name, time=START + after, mono=after, data=data, device=device, point=point)


async def journalled(folder: Path, messages: Sequence[Message]) -> None:
    topics, encoder = Topics("s", "n", exercise=True), Encoder("s", "n", boot="b", exercise=True)
    clock = Clock(utc=lambda: START, seed=1)
    (folder / "state").mkdir()
    journal = Journal(
        folder / "state" / "journal.sqlite",
        lambda message, at: outgoing(message, encoder.encode(message, at), topics),
        clock,
    )
    await journal.open()
    await journal.append(messages)
    await journal.close()


def asked(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    old: str = OLD,
    new: str = NEW,
    since: datetime | None = None,
) -> object:
    """The answer as JSON."""
    (folder / "devicehub.toml").write_text(old)
    (folder / "new.toml").write_text(new)
    assert whatif.run(arguments(folder, since)) == 0
    return json.loads(capsys.readouterr().out)


def arguments(folder: Path, since: datetime | None = None, *, as_json: bool = True) -> argparse.Namespace:
    return argparse.Namespace(config=folder / "devicehub.toml", rules=folder / "new.toml", since=since, json=as_json)


async def test_what_is_gained_lost_and_later_is_told_by_device_and_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = (1, 25, 1, 25, 35, 1, 40)
    await journalled(tmp_path, [said(10.0 * n, ppm(value)) for n, value in enumerate(values)])
    found = asked(tmp_path, capsys)
    assert isinstance(found, dict)
    assert found["devices"] == {"v": {"same": 1, "gained": 0, "lost": 1, "earlier": 0, "later": 1, "regraded": 0}}
    lost, later = found["differences"]
    assert (lost["effect"], lost["old"]["value"], lost["old"]["limit"], lost["new"]) == ("lost", 25.0, 20.0, None)
    assert (later["old"]["came"], later["new"]["came"]) == ("2026-11-24T06:00:30.000Z", "2026-11-24T06:00:40.000Z")
    assert later["new"]["went"] == "2026-11-24T06:00:50.000Z"
    assert (found["readings"], found["rules"]["new"]["version"], found["not_replayed"]) == (7, 2, [])
    whatif.run(arguments(tmp_path, as_json=False))
    text = capsys.readouterr().out
    assert "later by 10.0 s" in text
    assert "new rules: version 2 by M: r; 1 alarm points" in text


async def test_whoever_waits_is_told_how_far_the_journal_was_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await journalled(tmp_path, [said(float(n), ppm(1.0)) for n in range(3 * PART)])
    (tmp_path / "devicehub.toml").write_text(OLD)
    (tmp_path / "new.toml").write_text(NEW)
    assert whatif.run(arguments(tmp_path)) == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["percent"] for line in lines] == [33, 66, 100]
    assert {line["progress"] for line in lines} == {"replaying"}
    assert whatif.run(arguments(tmp_path, as_json=False)) == 0
    assert capsys.readouterr().err == ""


async def test_everything_that_is_not_covered_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = RulesData("sha256:" + "0" * 64, 1)
    await journalled(
        tmp_path,
        [
            said(0, ppm(None)),
            said(1, ppm(30.0), subject="gone/voc"),
            said(2, GapData("v", GapReason.DISCONNECTED), "gap", "v"),
            said(3, HubEventData("clock-stepped", "", 3600.0), "hub.clock-stepped", ""),
            said(4, rules, "alarm.rules", ""),
            said(5, rules, "alarm.rules", ""),
            said(6, HubEventData("started"), "device.lost", "v"),
        ],
    )
    new = NEW + LIMIT.format("t", "image.max", "high = 60.0")
    new += LIMIT.format("v", "voc", "rise = 5.0")
    since = datetime.fromtimestamp(START - 3600, UTC)
    found = asked(tmp_path, capsys, new=new, since=since)
    assert isinstance(found, dict)
    assert found["not_replayed"] == [
        "what came before 2026-11-24T06:00:00.000Z; the journal does not go back further",
        "images, which are not journalled: nothing is said of t/image-max-high",
        "1 values that were no number; whether they were infinite is not journalled",
        "1 events that are damaged or of another make",
        "what is missing in the journal itself; it tells of gaps of v (1)",
        "readings of devices that are not configured now: gone",
        "1 settings of the wall clock to better than half a second",
        "2 changes of the rules: old are those that are configured now, over all of the time",
        "times to better than a millisecond, by which rates are computed",
    ]


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
async def test_a_clock_that_was_set_makes_nothing_stale_and_stops_no_delay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seconds: float
) -> None:
    """A hub notices it within half a second, and tells of it by the clock that was set, as readings do before it."""
    stepped = said(2.5 + seconds, HubEventData("clock-stepped", "", seconds), "hub.clock-stepped", "")
    before = [said(at, ppm(1.0)) for at in (1, 2)] + [said(2.2 + seconds, ppm(1.0)), stepped]
    after = [said(at + seconds, ppm(25.0)) for at in (3, 4, 8)] + [said(9 + seconds, ppm(1.0))]
    await journalled(tmp_path, before + after)
    new = HEAD + LIMIT.format("v", "voc", "stale_s = 60")
    new += LIMIT.format("v", "voc", "high = 20.0\nhysteresis = 2.0\non_delay_s = 3.0")
    found = asked(tmp_path, capsys, new=new)
    assert isinstance(found, dict)
    assert [(one["effect"], one["point"]) for one in found["differences"]] == [("later", "voc-high")]
    (later,) = found["differences"]
    assert [later["new"][side][17:] for side in ("came", "went")] == ["06.000Z", "09.000Z"]


async def test_a_machine_that_slept_makes_nothing_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hub's clock stood still meanwhile; what a device says at once is stored before the hub tells of it."""
    slept = GapData("hub", GapReason.SUSPENDED, since=instant(START + 2.0), until=instant(START + 3602.5))
    woken = [said(3602.2, ppm(1.0)), said(3602.5, slept, "gap", ""), said(3603, ppm(1.0))]
    await journalled(tmp_path, [said(1, ppm(1.0)), said(2, ppm(1.0)), *woken])
    found = asked(tmp_path, capsys, new=HEAD + LIMIT.format("v", "voc", "stale_s = 60"))
    assert isinstance(found, dict)
    assert found["devices"] == {}


async def test_channels_of_device_files_and_column_maps_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "devices", SMALL)
    old = HUB + 'device_files = "devices"\n[[device]]\nid = "p"\ndriver = "trace.probe"\nport = "/dev/p"\n'
    old += '[[device]]\nid = "c"\ndriver = "screening.vendor_csv"\nfolder = "in"\n[device.csv]\n'
    old += '[[device.csv.column]]\ncolumn = "VOC"\nchannel = "voc"\nunit = "[ppm]"\n'
    await journalled(tmp_path, [said(1, ppm(25.0), subject="c/voc"), said(2, ppm(25.0), subject="p/level")])
    new = HEAD + LIMIT.format("c", "voc", "high = 20.0") + LIMIT.format("p", "level", "high = 20.0")
    found = asked(tmp_path, capsys, old=old, new=new)
    assert isinstance(found, dict)
    assert [one["device"] for one in found["differences"]] == ["c", "p"]


async def test_readings_of_one_poll_in_one_message_are_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await journalled(tmp_path, [said(1, (ppm(25.0, "voc"),), subject="v")])
    found = asked(tmp_path, capsys)
    assert isinstance(found, dict)
    assert [one["effect"] for one in found["differences"]] == ["lost"]


async def test_a_journal_of_another_time_or_rules_that_are_none_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await journalled(tmp_path, [said(1, ppm(25.0))])
    found = asked(tmp_path, capsys, since=datetime.fromtimestamp(START + 3600, UTC))
    assert isinstance(found, dict)
    assert found["not_replayed"] == ["anything; the journal holds nothing of that time"]
    with pytest.raises(ConfigProblems, match=r"new\.toml:1:1  rules: missing"):
        asked(tmp_path, capsys, new="")
    (tmp_path / "new.toml").unlink()
    with pytest.raises(CommandError, match="no such rule file"):
        whatif.run(arguments(tmp_path))
