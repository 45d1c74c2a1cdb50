"""A bundle for somebody elsewhere has what helps, and nothing that is secret."""

import asyncio
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.record import parse
from devicehub.wire.packet import Packet
from tests.patience import PATIENCE
from tests.real.hub_process import ROOT, started

pytestmark = pytest.mark.real

SERIAL, ADDRESS, USER, PASSWORD = "SER-0815-77", "AA:BB:CC:DD:EE:FF", "hub-account", "correct horse"


def diagnosed(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "devicehub", "diagnostics", "fault.zip"]
    return subprocess.run(
        command, cwd=folder, env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


def packed(folder: Path) -> dict[str, str]:
    with zipfile.ZipFile(folder / "fault.zip") as pack:
        return {name.removeprefix("devicehub/"): pack.read(name).decode() for name in pack.namelist()}


def test_it_has_what_helps_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "devicehub.toml").write_text(f"""
[hub]
site = "s"
node = "n"
state = "state"
[mqtt]
url = "mqtt://127.0.0.1:1"
username = "{USER}"
password = {{ file = "password" }}
[[device]]
id = "trace-1"
driver = "trace.aci_pids3"
port = "/dev/none-{SERIAL}"
serial = "{SERIAL}"
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
address = "{ADDRESS}"
""")
    done = diagnosed(tmp_path)
    assert done.returncode == 0, done.stderr
    parts = packed(tmp_path)
    assert set(parts) == {"about.json", "configuration.toml", "findings.json", "present.json"}
    everything = "\n".join(parts.values())
    assert [one for one in (SERIAL, ADDRESS, USER, PASSWORD) if one in everything] == []
    assert 'id = "gamma-1"' in parts["configuration.toml"]
    assert "nothing listens on 127.0.0.1:1" in parts["findings.json"]
    assert (tmp_path / "fault.zip").stat().st_mode & 0o077 == 0
    assert diagnosed(tmp_path).returncode == 73, "it exists: it is left alone"


def test_a_configuration_that_cannot_be_used_is_itself_what_was_found_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(f'[hub]\nsite = "s"\nnode = "n"\n[mqtt]\npassword = "{PASSWORD}"\n')
    done = diagnosed(tmp_path)
    assert done.returncode == 0, done.stderr
    parts = packed(tmp_path)
    assert set(parts) == {"about.json", "findings.json", "present.json"}
    assert "FAIL config devicehub.toml:5:1: mqtt.password" in parts["findings.json"]
    assert PASSWORD not in "\n".join(parts.values())


async def test_of_a_hub_that_runs_without_a_device_it_has_the_journal_and_the_metrics(tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(
        '[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n[metrics]\nenabled = true\nport = 0\n'
    )
    async with started("run", cwd=tmp_path) as hub:
        await hub.says("the alarm path works")
        done = await asyncio.to_thread(diagnosed, tmp_path)
    assert done.returncode == 0, done.stderr
    parts = packed(tmp_path)
    assert "devicehub_alarm_path_alive 1" in parts["metrics.txt"]
    assert json.loads(parts["journal.json"])
    assert json.loads(parts["about.json"])["running"] is True
    assert "[[device]]" not in parts["configuration.toml"]


async def test_of_a_device_that_sends_nonsense_it_has_the_bytes_and_the_file_is_for_the_hub_alone(
    tmp_path: Path,
) -> None:
    (tmp_path / "devicehub.toml").write_text(
        '[hub]\nsite = "s"\nnode = "n"\nstate = "state"\nexercise = true\n'
        '[[device]]\nid = "thermal-1"\ndriver = "thermal.gy_mcu90640"\nport = "sim:"\nfault = "flip=0.9"\n'
    )
    refused, clock = tmp_path / "state" / "refused.txt", Clock()
    async with started("run", cwd=tmp_path), asyncio.timeout(PATIENCE):
        while not refused.exists() or " < " not in refused.read_text():
            await clock.sleep(0.05)
        done = await asyncio.to_thread(diagnosed, tmp_path)
    assert done.returncode == 0, done.stderr
    text = packed(tmp_path)["refused.txt"]
    assert re.match(r"# thermal-1: [a-z]+.*Z, \d+ within a minute\n", text)
    assert any(line.sign == "<" and line.packet is not None and line.packet.data for line in parse(text))
    assert refused.stat().st_mode & 0o777 == 0o600
    assert not refused.with_name("refused.txt.new").exists()


def test_among_bytes_there_are_zeros_in_the_place_of_what_is_secret(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "refused.txt").write_text(f"0.00 < 02 {SERIAL.encode().hex(' ')} 03\n")
    (tmp_path / "devicehub.toml").write_text(
        '[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n'
        f'[[device]]\nid = "t"\ndriver = "trace.aci_pids3"\nport = "/dev/none"\nserial = "{SERIAL}"\n'
    )
    assert diagnosed(tmp_path).returncode == 0
    (line,) = parse(packed(tmp_path)["refused.txt"])
    assert line.packet == Packet(b"\x02" + bytes(len(SERIAL)) + b"\x03")
