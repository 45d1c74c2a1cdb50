"""`devicehub doctor` on a computer in a folder: a clean one has no findings, and each seeded fault is found and named."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from devicehub.clock import Clock, ClockQuality
from devicehub.doctor.findings import CommentOut, Level
from devicehub.doctor.mend import KEPT, UnmendableError, mend
from devicehub.lock import held
from devicehub.publish.certificate import ends
from devicehub.udev import NAME as RULES
from tests.patience import PATIENCE
from tests.real.computer import Computer, certificate
from tests.real.hub_process import ROOT
from tests.real.journals import NAME, event, opened
from tests.real.mosquitto import mosquitto

pytestmark = pytest.mark.real


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path / "root")


def test_a_clean_computer_has_no_findings(computer: Computer) -> None:
    assert computer.examined() == []


def closed_port(computer: Computer) -> None:
    (computer.root / "dev/ttyUSB0").chmod(0o600)


def no_rules(computer: Computer) -> None:
    (computer.root / "etc/udev/rules.d" / RULES).unlink()


def old_rules(computer: Computer) -> None:
    computer.put(f"etc/udev/rules.d/{RULES}", "# of an older version\n")


def no_time(computer: Computer) -> None:
    computer.quality = ClockQuality(synchronised=False, max_error=16.0)


def full_disk(computer: Computer) -> None:
    computer.free = 1024 * 1024


def no_bluez(computer: Computer) -> None:
    (computer.root / "usr/libexec/bluetooth/bluetoothd").unlink()


def no_bus(computer: Computer) -> None:
    (computer.root / "run/dbus/system_bus_socket").unlink()


def two_of_a_kind(computer: Computer) -> None:
    computer.sysfs.plug("1-3", "1a86:7523", "S1")
    computer.sysfs.plug("1-4", "1a86:7523", "S1")


def stale_key(computer: Computer) -> None:
    computer.configure("poll_everything = true\n")


def forgetful(computer: Computer) -> None:
    computer.configure('[mqtt]\nurl = "mqtt://localhost:1883"\n')
    computer.put("etc/mosquitto/mosquitto.conf", "listener 1883\n")
    computer.network = False


def seldom(computer: Computer) -> None:
    forgetful(computer)
    computer.put("etc/mosquitto/conf.d/station.conf", "persistence true\nautosave_interval 1800\n")


def ending_certificate(computer: Computer) -> None:
    path = certificate(computer.root, 10)
    computer.now = Clock().utc()
    computer.configure(f'[mqtt]\nurl = "mqtts://broker.example:8883"\nca = "{path}"\n')
    computer.network = False


def ended_certificate(computer: Computer) -> None:
    ending_certificate(computer)
    computer.now += 20 * 86_400


def modem_manager(computer: Computer) -> None:
    computer.put("usr/sbin/ModemManager", "")
    text = (computer.root / "etc/udev/rules.d" / RULES).read_text()
    computer.put(f"etc/udev/rules.d/{RULES}", text.replace(', ENV{ID_MM_DEVICE_IGNORE}="1"', ""))


def brltty(computer: Computer) -> None:
    rule = 'ENV{PRODUCT}=="1a86/7523/*", ATTRS{manufacturer}=="x", ENV{BRLTTY_BRAILLE_DRIVER}="bm"\n'
    computer.put("usr/lib/udev/rules.d/85-brltty.rules", rule)


def crowded_bus(computer: Computer) -> None:
    for number in range(3, 6):
        computer.sysfs.plug(f"1-{number}", "09cb:4007", f"C{number}")
        computer.sysfs.function(f"1-{number}", 0, "video4linux", f"video{number}")
        (computer.sysfs.root / "devices/pci0000:00/0000:00:14.0/usb1" / f"1-{number}" / "speed").write_text("480\n")


def absent(computer: Computer) -> None:
    (computer.root / "dev/ttyUSB0").unlink()


FAULTS = [
    (closed_port, "port", "/dev/ttyUSB0 (mode 0600) may not be read and written by 'devicehub'", True),
    (absent, "port", "/dev/ttyUSB0 is not there", False),
    (no_rules, "udev", "no udev rules of devicehub", True),
    (old_rules, "udev", "of another version", True),
    (no_time, "clock", "may be wrong by 16 s", False),
    (full_disk, "disk", "1 MiB of", False),
    (no_bluez, "bluetooth", "BlueZ is not installed", False),
    (no_bus, "bluetooth", "D-Bus does not run", False),
    (two_of_a_kind, "twins", "serial number S1 are in several sockets", False),
    (stale_key, "config", "poll_everything: unknown key", True),
    (forgetful, "broker-forgets", "keeps nothing on disk", False),
    (seldom, "broker-forgets", "stores every 1800 s", False),
    (ending_certificate, "certificate", "ends in", False),
    (ended_certificate, "certificate", "ended 10 days ago", False),
    (modem_manager, "modemmanager", "sends them AT commands", True),
    (brltty, "brltty", "1a86:7523 for a braille display", True),
    (crowded_bus, "usb", "3 cameras share one USB 2 bus", False),
]


@pytest.mark.parametrize(("seed", "check", "words", "mendable"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_a_fault_is_found_named_with_a_remedy_and_mended_where_that_is_ours(
    computer: Computer, seed: Callable[[Computer], None], check: str, words: str, *, mendable: bool
) -> None:
    seed(computer)
    found = [one for one in computer.examined() if one.check == check]
    assert len(found) == 1
    assert words in found[0].what
    assert found[0].remedy
    assert (found[0].mend is not None) == mendable
    if mendable:
        assert computer.mended()
        assert computer.examined() == [], "what was mended is whole"


def test_the_configuration_before_is_kept_and_a_key_of_several_lines_is_left_to_a_person(computer: Computer) -> None:
    computer.configure('poll = [\n"a",\n]\n')
    before = computer.file.read_text()
    (found,) = computer.examined()
    assert isinstance(found.mend, CommentOut)
    with pytest.raises(UnmendableError, match="by hand"):
        mend(found.mend, computer.root, Clock().ulid)
    assert computer.file.read_text() == before
    assert not computer.file.with_name(computer.file.name + KEPT).exists()


async def _store(folder: Path) -> None:
    async with opened(folder) as journal:
        for number in range(200):
            await journal.append([event(number)])


def damage(computer: Computer) -> Path:
    """Stored events, and one bit of one of them turned."""
    computer.state.mkdir(parents=True)
    asyncio.run(_store(computer.state))
    path = computer.state / NAME
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    raw[raw.rindex(b'"specversion"') + 3] ^= 1
    path.write_bytes(raw)
    return path


def test_a_corrupt_journal_is_found_and_made_whole_as_the_next_start_would(computer: Computer) -> None:
    damage(computer)
    (found,) = computer.examined()
    assert (found.check, found.level) == ("journal", Level.FAIL)
    assert "damaged" in found.what
    (done,) = computer.mended()
    assert "took over what is whole" in done
    assert computer.examined() == []


def test_the_journal_of_a_hub_that_runs_is_not_touched(computer: Computer) -> None:
    damage(computer)
    with held(computer.state):
        (found,) = computer.examined()
        assert found.mend is None
        assert found.remedy.startswith("stop the hub")


async def test_a_wrong_password_and_a_refusing_access_list_are_told_apart(computer: Computer, tmp_path: Path) -> None:
    acl = "user hub\ntopic read #\n"
    async with mosquitto(tmp_path, acl=acl, passwords={"hub": "right"}, persistence=True) as broker:
        for password, check, words in (
            ("wrong", "broker", "check user name and password"),
            ("right", "acl", "refuses"),
        ):
            secret = computer.put("etc/devicehub/password", password)
            computer.of_broker(broker, f'username = "hub"\npassword = {{ file = "{secret}" }}')
            (found,) = await asyncio.to_thread(computer.examined)
            assert (found.check, found.level) == (check, Level.FAIL)
            assert words in found.what


async def test_a_broker_that_takes_everything_is_no_finding_and_one_that_is_away_is(
    computer: Computer, tmp_path: Path
) -> None:
    async with mosquitto(tmp_path) as broker:
        computer.of_broker(broker)
        assert await asyncio.to_thread(computer.examined) == []
        await broker.stop()
        (found,) = await asyncio.to_thread(computer.examined)
        assert "nothing listens" in found.what


def test_the_command_prints_what_is_found_mends_and_ends_with_a_code(computer: Computer) -> None:
    def doctor(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [
            sys.executable,
            "-m",
            "devicehub",
            "doctor",
            "--config",
            str(computer.file),
            "--root",
            str(computer.root),
        ]
        return subprocess.run(
            [*command, "--user", "devicehub", *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
            timeout=PATIENCE,
        )

    computer.put("etc/devicehub/devicehub.toml", computer.file.read_text() + "stale = 1\n")
    broken = doctor()
    assert " --   journal: not looked at" in broken.stdout
    assert " ok   journal" not in broken.stdout
    computer.configure()
    closed_port(computer)
    found = doctor()
    assert " --   broker: not looked at" in found.stdout, "none is configured"
    assert found.returncode == 69, found.stderr
    assert " FAIL  port: trace-1: /dev/ttyUSB0" in found.stdout
    fixed = doctor("--fix")
    assert fixed.returncode == 0, fixed.stdout
    assert "-> gave /dev/ttyUSB0 to the group devicehub" in fixed.stdout
    assert '"left": false' not in doctor("--json").stdout


def test_the_end_of_a_certificate_is_what_openssl_says(tmp_path: Path) -> None:
    path = certificate(tmp_path, 10)
    assert ends(path.read_text()) == pytest.approx(Clock().utc() + 10 * 86_400, abs=120)
