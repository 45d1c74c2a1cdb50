"""What a hub keeps holds personal data: nobody else may read it, whatever the umask. And how it says that it begins."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.real.test_cli import ROOT, environment

pytestmark = pytest.mark.real

CONFIG = """
[hub]
site = "s"
node = "n"
exercise = true
state = "deep/state"
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"
"""


def modes(folder: Path) -> dict[str, int]:
    """Of files and folders; a symbolic link has none of its own."""
    found = {str(path.relative_to(folder)): path.lstat().st_mode for path in folder.rglob("*")}
    return {name: stat.S_IMODE(mode) for name, mode in found.items() if not stat.S_ISLNK(mode)}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Files that do not say otherwise are for everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_nobody_else_can_read_what_a_hub_keeps(tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(CONFIG)
    with subprocess.Popen(
        [sys.executable, "-m", "devicehub", "run"],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as hub:  # fmt: skip
        assert hub.stderr is not None
        try:
            while "will publish below devicehub-sim/v1/s/n/ to 127.0.0.1:" not in (line := hub.stderr.readline()):
                assert line, "the hub ended"
            hub.send_signal(signal.SIGTERM)
            assert hub.wait(timeout=PATIENCE) == 0
        finally:
            hub.kill()
    kept = modes(tmp_path / "deep")
    assert any(name.endswith(".sqlite") for name in kept)
    assert {name: oct(mode) for name, mode in kept.items() if mode & 0o077} == {}
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


@pytest.mark.usefixtures("open_umask")
def test_nobody_else_can_read_what_the_demonstration_keeps(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "devicehub", "demo", "--for", "30"],
        cwd=tmp_path, env=environment() | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        try:
            assert demo.stdout.readline()
            kept = modes(tmp_path)
            demo.send_signal(signal.SIGTERM)
            demo.communicate(timeout=PATIENCE)
        finally:
            demo.kill()
    assert any("journal" in name for name in kept)
    assert {name: oct(mode) for name, mode in kept.items() if mode & 0o077} == {}


def test_a_scan_without_bluetooth_prints_the_rest_and_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devicehub", "devices", "scan", "--ble", "0.2", "--json"],
        cwd=ROOT, env=environment() | {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 69
    assert done.stdout.startswith("[")
    assert done.stderr.startswith("devicehub: Bluetooth was not listened to: ")
    assert done.stderr.count("\n") == 1
