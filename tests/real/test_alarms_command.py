"""`devicehub alarms` and `devicehub scans` as processes, beside a running hub and without one."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devicehub.cli.parser_alarms import DISPOSITIONS, STATES
from devicehub.model.alarm import AlarmState, Disposition
from devicehub.model.message import Kind
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import started, until
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.test_cli import devicehub, environment, one_line
from tests.real.workstation import ALARM, Workstation, workstation

pytestmark = pytest.mark.real

DEVICE_LIMIT = '[[limit]]\ndevice = "vapour-1"\nchannel = "voc"\nhigh = 10.0\nname = "drift"\ncategory = "device"\n'


STAND = {ALARM, "vapour-1/drift", "vapour-1/low"}
"""What stands in a cloud of vapour: two limits, and what the detector says itself."""


@dataclass
class Post:
    """A workstation with a hub that runs, and what people type there."""

    station: Workstation
    ears: Ears
    port: int

    async def types(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return await asyncio.to_thread(devicehub, *words, cwd=self.station.folder)

    async def shown(self, *words: str) -> Any:
        done = await self.types(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def alarmed(self) -> None:
        """All alarm points stand."""
        self.station.vapour(60.0)
        for place in STAND:
            await self.ears.first(Kind.ALARM, place)


@asynccontextmanager
async def post(folder: Path) -> AsyncIterator[Post]:
    async with mosquitto(folder) as broker, workstation(folder, broker) as station, hearing(settings(broker)) as ears:
        with (folder / "devicehub.toml").open("a") as stream:
            stream.write(DEVICE_LIMIT)
        async with started("run", cwd=folder) as hub:
            await ears.until(lambda: len(ears.of(Kind.EVENT, "device-ready")) == 3)
            yield Post(station, ears, broker.port)
            assert await hub.ends(signal.SIGTERM) == 0


async def test_an_alarm_from_its_coming_to_its_end(tmp_path: Path) -> None:
    async with post(tmp_path) as one:
        none = await one.types("alarms", "list", "--exit-code")
        assert (none.returncode, none.stdout) == (0, b"nothing stands\n")
        await one.alarmed()
        stands = {f"{alarm['device']}/{alarm['point']}": alarm for alarm in await one.shown("alarms", "list")}
        assert set(stands) == STAND
        assert stands[ALARM]["state"] == "unack-active"
        assert (await one.types("alarms", "list", "--exit-code")).returncode == 10

        early = await one.types("alarms", "confirm", ALARM, "--as", "nuisance")
        assert (early.returncode, early.stdout.decode().split()[:2]) == (1, ["rejected", "not-acknowledged:"])
        done = await one.types("alarms", "ack", ALARM, "--issuer", "op-1147", "--why", "123")
        assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 1)
        assert done.stdout.startswith(b"done  ")
        wrong = await one.types("alarms", "confirm", ALARM, "--as", "nuisance", "--revision", "1")
        assert b"wrong-revision" in wrong.stdout
        by_id = ("alarms", "confirm", stands[ALARM]["alarm"], "--as", "innocent.known-cause", "--why", "perfume")
        assert (await one.types(*by_id)).returncode == 0
        one.station.vapour(0.0)
        await one.ears.first(Kind.EVENT, "alarm-cleared")

        cleared = [event for event in await one.shown("alarms", "history") if event["point"] == "voc-high"]
        assert [event["what"] for event in cleared] == ["raised", "acked", "confirmed", "cleared"]
        assert (cleared[1]["who"], cleared[1]["why"]) == ("op-1147", "123")
        assert (cleared[2]["why"], cleared[2]["disposition"]) == ("perfume", "innocent.known-cause")
        table = (await one.types("alarms", "history", "--device", "vapour-1", "--state", "ack-active")).stdout.decode()
        assert "op-1147" in table
        assert "raised" not in table
        assert await one.shown("alarms", "history", "--device", "vapour-2") == []
        assert await one.shown("alarms", "history", "--since", "2999-01-01T00:00:00Z") == []

        figures = await one.shown("alarms", "stats", "--since", "8h")
        assert (figures["alarms"], figures["standing"]) == (3, 2)
        assert figures["false_alarms"] == {ALARM: {"judged": 1, "false": 1, "rate": 1.0}}
        assert b"false alarms of vapour-1/voc-high" in (await one.types("alarms", "stats")).stdout


async def test_a_point_is_shelved_and_taken_back(tmp_path: Path) -> None:
    async with post(tmp_path) as one:
        await one.alarmed()
        managed = await one.types("alarms", "shelve", ALARM, "--for", "30m", "--why", "busy")
        assert (managed.returncode, managed.stdout.decode().split()[:2]) == (1, ["rejected", "highly-managed:"])
        assert (await one.types("alarms", "shelve", "vapour-1/drift", "--for", "30m", "--why", "known")).returncode == 0
        (shelved,) = [alarm for alarm in await one.shown("alarms", "list") if alarm["point"] == "drift"]
        assert (shelved["state"], shelved["shelved"]["why"]) == ("shelved", "known")
        assert 1700 < shelved["shelved"]["left_s"] <= 1800
        assert (await one.types("alarms", "unshelve", "vapour-1/drift")).returncode == 0
        once = await one.types("alarms", "shelve", "vapour-1/drift", "--once", "--why", "known")
        assert once.returncode == 0
        answer = await one.shown("alarms", "unshelve", "vapour-1/drift")
        assert (answer["state"], answer["result"]["state"]) == ("done", "unack-active")


async def test_without_a_hub_the_journal_says_what_stood_and_nobody_answers(tmp_path: Path) -> None:
    async with post(tmp_path) as one:
        await one.alarmed()
        other = ["--node", "s/other", "--broker", f"mqtt://127.0.0.1:{one.port}", "--exercise"]
        there = ["--node", "s/n", "--broker", f"mqtt://127.0.0.1:{one.port}", "--exercise"]
        assert len(await one.shown("alarms", "list", *there)) == len(STAND)
        assert "knows of no hub devicehub-sim/v1/s/other" in one_line(await one.types("alarms", "list", *other))
    done = devicehub("alarms", "list", cwd=tmp_path)
    assert done.stderr == b"no hub runs: this is what stood when the last one ended\n"
    assert {line.split()[0] for line in done.stdout.decode().splitlines()[1:]} == STAND
    assert len(json.loads(devicehub("alarms", "list", "--json", cwd=tmp_path).stdout)) == len(STAND)
    assert devicehub("alarms", "history", cwd=tmp_path).returncode == 0


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text('[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n')
    for words, code, said in (
        (("ack", "voc-high"), 2, "must be DEVICE/POINT, or the id of an alarm"),
        (("shelve", "a/b", "--for", "30 min", "--why", "x"), 2, "is no time as 90s"),
        (("shelve", "a/b", "--for", "1h"), 2, "--why"),
        (("shelve", "a/b", "--until", "tomorrow", "--why", "x"), 2, "is no instant"),
        (("confirm", "a/b", "--as", "harmless"), 2, "unknown command or choice 'harmless'"),
        (("history", "--since", "yesterday"), 2, "is no time as 8h or 30d"),
        (("history",), 66, "there is no journal"),
        (("stats",), 66, "there is no journal"),
        (("ack", "a/b"), 69, "no hub runs with it"),
    ):
        done = devicehub("alarms", *words, cwd=tmp_path)
        assert done.returncode == code, words
        assert said in one_line(done)


def station(folder: Path) -> Path:
    (folder / "scan.key").write_text("0" * 32)
    (folder / "devicehub.toml").write_text(
        '[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n[scan]\nkey = { file = "scan.key" }\nwatchlist = "list.txt"\n'
    )
    return folder


def test_a_list_is_made_of_plain_texts_that_are_shown_nowhere(tmp_path: Path) -> None:
    folder = station(tmp_path)
    done = devicehub("scans", "hash", "--label", "stolen", cwd=folder, stdin=b"UTO L898902C3\n\n TKT-1 \nTKT-1\n")
    assert (done.returncode, done.stderr.partition(b";")[0]) == (0, b"2 entries")
    assert b"L898902C3" not in done.stdout + done.stderr
    (folder / "list.txt").write_bytes(done.stdout)
    assert devicehub("config", "check", cwd=folder).returncode == 0
    listed = json.loads(devicehub("scans", "hash", "--label", "x", "--json", cwd=folder, stdin=b"TKT-1").stdout)
    assert listed["entries"][0] in done.stdout.decode()


def test_a_list_that_cannot_be_used_is_a_mistake_in_the_configuration_by_file_and_line(tmp_path: Path) -> None:
    folder = station(tmp_path)
    done = devicehub("scans", "hash", "--label", "stolen", cwd=folder, stdin=b"TKT-1\n")
    (folder / "list.txt").write_bytes(done.stdout + b"UTO L898902C3\n")
    for words in (("config", "check"), ("run",)):
        wrong = devicehub(*words, cwd=folder)
        assert wrong.returncode == 78
        assert b"list.txt:5:1  must be an entry of 64 hexadecimal digits" in wrong.stderr + wrong.stdout
        assert b"L898902C3" not in wrong.stderr + wrong.stdout
    (folder / "list.txt").write_bytes(done.stdout)
    (folder / "scan.key").write_text("1" * 32)
    assert b"list.txt:3:1  made with another key" in devicehub("config", "check", cwd=folder).stderr


def test_what_cannot_be_hashed_is_named_by_its_line_alone(tmp_path: Path) -> None:
    folder = station(tmp_path)
    for text, said in ((b"a\nSECRET\xff\n", "line 2: not UTF-8"), (b"SECRET" * 3000, "line 1: longer than 4096")):
        done = devicehub("scans", "hash", "--label", "x", cwd=folder, stdin=text)
        assert done.returncode == 65
        assert said in one_line(done)
        assert b"SECRET" not in done.stderr
    assert devicehub("scans", "hash", "--label", "No Label", cwd=folder).returncode == 2
    (folder / "devicehub.toml").write_text('[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n')
    assert "there is no key yet" in one_line(devicehub("scans", "hash", "--label", "x", cwd=folder))


async def test_a_terminal_does_not_show_what_is_typed(tmp_path: Path) -> None:
    folder = station(tmp_path)
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "devicehub", "scans", "hash", "--label", "stolen"),
            cwd=folder, env=environment(), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        await until(lambda: not termios.tcgetattr(theirs)[3] & termios.ECHO)
        os.write(ours, b"UTO L898902C3\n\x04")
        out, err = await process.communicate()
        assert (process.returncode, err.partition(b";")[0]) == (0, b"1 entry")
        assert out.count(b"\n") == 4
        assert termios.tcgetattr(theirs)[3] & termios.ECHO
        os.set_blocking(ours, False)
        assert shown_by(ours) == b""
    finally:
        os.close(ours)
        os.close(theirs)


def shown_by(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except BlockingIOError:
        return b""


def test_the_command_line_knows_every_state_and_disposition() -> None:
    assert tuple(Disposition) == DISPOSITIONS
    assert tuple(AlarmState) == STATES
