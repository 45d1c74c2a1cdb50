"""A bundle for somebody elsewhere has what helps, and nothing that is secret."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.real.hub_process import ROOT

pytestmark = pytest.mark.real

SERIAL, ADDRESS, USER, PASSWORD = "SER-0815-77", "AA:BB:CC:DD:EE:FF", "hub-account", "correct horse"


def diagnosed(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "devicehub", "diagnostics", "fault.zip"]
    return subprocess.run(
        command, cwd=folder, env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


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
    with zipfile.ZipFile(tmp_path / "fault.zip") as pack:
        parts = {name.removeprefix("devicehub/"): pack.read(name).decode() for name in pack.namelist()}
    assert set(parts) == {"about.json", "configuration.toml", "findings.json", "present.json"}
    everything = "\n".join(parts.values())
    assert [one for one in (SERIAL, ADDRESS, USER, PASSWORD) if one in everything] == []
    assert 'id = "gamma-1"' in parts["configuration.toml"]
    assert "nothing listens on 127.0.0.1:1" in parts["findings.json"]
    assert (tmp_path / "fault.zip").stat().st_mode & 0o077 == 0
    assert diagnosed(tmp_path).returncode == 73, "it exists: it is left alone"
