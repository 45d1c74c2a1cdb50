"""`devicehub journal`: what the file holds, and delivering it again, as a technician at the terminal sees it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from devicehub.core.frames import capture_data, digest, evidence_name
from devicehub.deliver.quarantine import BUSY
from devicehub.journal import Journal, aside, tables
from devicehub.journal.tables import Receipt
from devicehub.lock import held
from devicehub.model.message import Kind, Message
from devicehub.model.reading import Image, Layout
from devicehub.model.stream import Stream
from tests.real.damaged import changed
from tests.real.hearing import hearing
from tests.real.hub_process import started
from tests.real.journals import TOPICS, alarm_state, delivered, event, opened
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.test_cli import HUB, ROOT, devicehub, environment, one_line
from tests.unit.publish.examples import TIME

pytestmark = pytest.mark.real

EVENTS = ("devicehub/v1/s/n/event/#", f"{TOPICS.prefix}/event/#")


@pytest.fixture
async def station(tmp_path: Path) -> Path:
    """Twelve events, ten of them delivered, one refused; "archive" has four."""
    (tmp_path / "devicehub.toml").write_text(f'{HUB}state = "state"\n')
    async with opened(tmp_path / "state") as journal:
        await journal.append([*(event(number) for number in range(1, 13)), alarm_state("tnt", None)])
        await delivered(journal, 10)
        await _told(journal)
    return tmp_path


async def _told(journal: Journal) -> None:
    receipts = [Receipt("archive", Stream.EVENTS, 4, 1.8e9), Receipt("archive", Stream.ALARMS, 0, 1.8e9)]
    await journal.file(lambda db: tables.keep_receipts(db, receipts))
    await journal.file(lambda db: aside.quarantine(db, [(3, "Not authorized")]))


def journal(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return devicehub("journal", *words, "--config", str(folder / "devicehub.toml"))


def test_status_says_how_far_each_stream_has_come(station: Path) -> None:
    found = json.loads(journal(station, "status", "--json").stdout)
    assert found["streams"]["events"] == {
        "stored": 12, "acked": 10, "waiting": 2, "oldest": 1, "consumers": {"archive": 4},
    }  # fmt: skip
    assert found["streams"]["scans"] == {"stored": 0, "acked": 0, "waiting": 0, "oldest": None, "consumers": {}}
    assert (found["quarantine"], found["unclean"]) == ({"Not authorized": 1}, False)
    shown = journal(station, "status").stdout.decode()
    assert "events 1 12 10 4 2" in [" ".join(line.split()) for line in shown.splitlines()]
    assert "consumer archive: last receipt 2027-01-15T08:00:00.000Z, as kept every 5 s" in shown
    assert "1 in quarantine: Not authorized" in shown


async def test_status_is_shown_beside_a_running_hub(station: Path) -> None:
    async with opened(station / "state") as running:
        await running.append([event(13)])
        found = json.loads(journal(station, "status", "--json").stdout)
    assert (found["streams"]["events"]["stored"], found["unclean"]) == (13, True)


def test_events_are_taken_away_in_one_file_that_is_never_overwritten(station: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    done = journal(station, "export", str(out), "--exercise", "--json")
    assert json.loads(done.stdout) == {
        "file": str(out), "exercise": True, "events": 13, "broken": 0, "images": 0, "missing": 0, "left_out": 0,
    }  # fmt: skip
    assert {"progress": "events", "percent": 100} in [json.loads(line) for line in done.stderr.splitlines()]
    with ZipFile(out) as archive:
        told = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    assert [one["position"] for one in told] == [*range(13, 0, -1)]
    assert all(one["intact"] for one in told)
    again = journal(station, "export", str(out))
    assert again.returncode == 73
    assert b"left alone" in again.stderr


@pytest.mark.parametrize(
    ("words", "positions"),
    [
        ((), [16, 15, 14]),
        (("--node", "bcp/node"), [16]),
        (("--node", "bcp-old/node"), [15, 14]),
        (("--exercise",), [*range(13, 0, -1)]),
        (("--exercise", "--node", "bcp/node"), []),
    ],
)
async def test_what_is_real_and_what_is_simulated_is_never_taken_away_in_one_file(
    station: Path, tmp_path: Path, words: tuple[str, ...], positions: list[int]
) -> None:
    async with opened(station / "state", "bcp-old", exercise=False) as real:
        await real.append([event(14), event(15)])
    async with opened(station / "state", "bcp", exercise=False) as renamed:
        await renamed.append([event(16)])
    out = tmp_path / "out.zip"
    done = journal(station, "export", str(out), *words)
    assert (done.returncode, f"{len(positions)} events" in done.stdout.decode()) == (0, True)
    with ZipFile(out) as archive:
        told = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    assert [one["position"] for one in told] == positions
    assert {one["exercise"] for one in told} <= {"--exercise" in words}
    assert {one["payload"].get("exercise", False) for one in told if one["payload"]} <= {"--exercise" in words}


@pytest.mark.parametrize(
    ("exercise", "folder", "words"), [(True, "evidence-exercise", ("--exercise",)), (False, "evidence", ())]
)
async def test_an_image_of_an_exercise_is_never_taken_for_a_real_one(
    station: Path, tmp_path: Path, *, exercise: bool, folder: str, words: tuple[str, ...]
) -> None:
    """Even where both have the same bytes: a recording that was played."""
    one = Image("image", b"pixels", Layout.JPEG, 2, 1)
    captured = Message(Kind.CAPTURE, "capture", f"{14:026d}", TIME, 1.0, capture_data(one, "command"), "cam-1")
    for state in ("evidence", "evidence-exercise"):
        kept = station / "state" / state / evidence_name(digest(one.data))
        kept.parent.mkdir(parents=True)
        kept.write_bytes(state.encode())
    async with opened(station / "state", exercise=exercise) as running:
        await running.append([captured])
    out = tmp_path / "out.zip"
    assert journal(station, "export", str(out), *words).returncode == 0
    with ZipFile(out) as archive:
        (name,) = [name for name in archive.namelist() if name != "events.jsonl"]
        assert (name.partition("/")[0], archive.read(name)) == (folder, folder.encode())


def test_a_file_that_cannot_be_written_to_its_end_is_not_left_there(station: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    words = f"{sys.executable} -m devicehub journal export {out} --exercise --config {station / 'devicehub.toml'}"
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 0; {words}"], capture_output=True, cwd=ROOT, env=environment(), check=False
    )
    assert (done.returncode, out.exists()) == (74, False)
    assert "nothing is left there" in one_line(done)


def test_an_event_that_is_not_what_was_stored_is_taken_away_as_such(station: Path, tmp_path: Path) -> None:
    changed(station / "state", "UPDATE event SET subject = 'x' WHERE position = 2")
    done = journal(station, "export", str(tmp_path / "out.zip"), "--exercise")
    assert (done.returncode, b"1 EVENTS ARE NOT WHAT WAS STORED" in done.stdout) == (65, True)


async def test_replay_lets_events_count_as_undelivered(station: Path) -> None:
    done = journal(station, "replay", "--from", "6")
    assert (done.returncode, done.stderr.decode()) == (0, "7 events of events will be sent when the hub runs\n")
    async with opened(station / "state") as after:
        assert (after.acked[Stream.EVENTS].number, sum(after.depths.values())) == (5, 8)
    done = journal(station, "replay", "--from", "12")
    assert done.returncode == 0
    async with opened(station / "state") as after:
        assert after.acked[Stream.EVENTS].number == 5, "what waits already goes on waiting"


async def test_replay_of_the_quarantine_has_it_sent_by_itself(station: Path) -> None:
    assert journal(station, "replay", "--quarantine").returncode == 0
    async with opened(station / "state") as after:
        assert [why for _, why in await after.file(aside.quarantined)] == [BUSY]


async def test_a_consumer_that_is_discharged_is_not_waited_for(station: Path) -> None:
    assert journal(station, "discharge", "archive").returncode == 0
    async with opened(station / "state") as after:
        assert await after.file(tables.receipts) == []
    assert "no consumer 'archive'; registered: none" in one_line(journal(station, "discharge", "archive"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("replay", "--from", "13"), 2, "events has 12 events"),
        (("export", "x.zip", "--node", "bcp"), 2, "must be SITE/NODE"),
        (("replay",), 2, "one of the arguments --from --quarantine is required"),
        (("discharge", "archives"), 2, "registered: archive"),
    ],
)
def test_a_mistake_is_one_line(station: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = journal(station, *words)
    assert done.returncode == code
    assert said in one_line(done)


@pytest.mark.parametrize("words", [("status",), ("replay", "--from", "1"), ("discharge", "x")])
def test_where_no_hub_has_run_there_is_no_journal(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "devicehub.toml").write_text(f'{HUB}state = "state"\n')
    done = journal(tmp_path, *words)
    assert done.returncode == 66
    assert "there is no journal" in one_line(done)


@pytest.mark.parametrize("words", [("status",), ("replay", "--from", "1"), ("discharge", "x")])
def test_a_damaged_journal_is_not_tried_again_but_verified(station: Path, words: tuple[str, ...]) -> None:
    (station / "state" / "journal.sqlite").write_bytes(b"no database at all" * 300)
    done = journal(station, *words)
    assert done.returncode == 65
    assert "devicehub journal verify" in one_line(done)


def test_a_consumer_is_not_discharged_behind_the_back_of_a_running_hub(station: Path) -> None:
    with held(station / "state"):
        done = journal(station, "discharge", "archive")
    assert done.returncode == 75
    assert "is in use by another hub" in one_line(done)


async def test_a_running_hub_is_asked_to_replay(station: Path) -> None:
    async with mosquitto(station) as broker:
        (station / "devicehub.toml").write_text(
            f'{HUB}state = "state"\n[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
        )
        async with (
            started("run", "--config", "devicehub.toml", cwd=station) as hub,
            hearing(settings(broker), filters=EVENTS) as ears,
        ):
            await hub.says("broker connected")
            await ears.until(ears.sequences)
            last = max(ears.sequences())
            before = len(ears.heard)
            done = await asyncio.to_thread(journal, station, "replay", "--from", "2")
            assert (done.returncode, done.stderr) == (0, b"")
            await ears.until(lambda: {2, last} <= {one.sequence for one in ears.heard[before:]})
            again = [one for one in ears.heard[before:] if one.sequence == 2]
            assert again[0].body["historical"] is True
