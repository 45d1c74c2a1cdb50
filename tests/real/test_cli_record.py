"""`record` and `devices show` on simulated devices behind real pseudo-terminals, as processes."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devicehub.record import parse, run_transcript
from devicehub.registry import load_driver
from tests.conformance import recorded_packets
from tests.patience import PATIENCE
from tests.real.serial_ends import Line
from tests.unit.devicefile.files import write

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
DRIVERS = {
    "thermal": "thermal.gy_mcu90640",
    "trace": "trace.ims_reference",
    "gamma": "radiation.atom_fast",
    "vapour": "trace.aci_pids3",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    devices = "".join(
        f'[[device]]\nid = "{device}"\ndriver = "{name}"\nport = "sim:"\n' for device, name in DRIVERS.items()
    )
    (tmp_path / "devicehub.toml").write_text('[hub]\nsite = "s"\nnode = "n"\nexercise = true\n' + devices)
    return tmp_path


def devicehub(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "DEVICEHUB_CONFIG"}
    return subprocess.run(
        [sys.executable, "-m", "devicehub", *words],
        cwd=folder, env=kept | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("device", DRIVERS)
def test_a_recording_replays_exactly(folder: Path, device: str) -> None:
    done = devicehub(folder, "record", device, "out.txt", "--for", "4", "--json")
    assert done.returncode == 0, done.stderr
    lines = parse((folder / "out.txt").read_text())
    replayed = run_transcript(load_driver(DRIVERS[device]).open({}), lines)
    assert [str(line) for line in replayed] == [str(line) for line in lines]
    assert json.loads(done.stdout)["samples"] == sum(line.sign == "=" for line in lines) > 0


def test_a_recording_never_overwrites(folder: Path) -> None:
    (folder / "out.txt").write_text("mine")
    done = devicehub(folder, "record", "gamma", "out.txt", "--for", "1")
    assert (done.returncode, done.stdout) == (73, "")
    assert done.stderr == "devicehub: out.txt exists; it is left alone\n"
    assert (folder / "out.txt").read_text() == "mine"


def test_nobody_else_can_read_a_recording_and_none_is_left_of_a_device_that_is_absent(folder: Path) -> None:
    devicehub(folder, "record", "gamma", "out.txt", "--for", "1")
    assert stat.S_IMODE((folder / "out.txt").stat().st_mode) == 0o600
    config = folder / "devicehub.toml"
    config.write_text(
        '[hub]\nsite = "s"\nnode = "n"\n[[device]]\nid = "t"\ndriver = "thermal.gy_mcu90640"\nport = "/dev/ttyNONE9"\n'
    )
    done = devicehub(folder, "record", "t", "absent.txt", "--for", "1")
    assert (done.returncode, done.stdout) == (69, "")
    assert not (folder / "absent.txt").exists()


def test_a_recording_decodes_to_the_samples_that_were_seen(folder: Path) -> None:
    devicehub(folder, "record", "gamma", "out.txt", "--for", "5")
    done = devicehub(folder, "drivers", "decode", "radiation.atom_fast", "--file", "out.txt")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    channels = {one["channel"] for one in said if "channel" in one}
    assert channels == {channel.name for channel in load_driver("radiation.atom_fast").channels}


def test_a_device_that_can_be_opened_is_shown_as_opened(folder: Path) -> None:
    done = devicehub(folder, "devices", "show", "thermal", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["link"].startswith("opened: ")


def test_a_recording_without_the_serial_number_replays_exactly_and_says_so(folder: Path) -> None:
    done = devicehub(folder, "record", "vapour", "out.txt", "--for", "3", "--redact")
    assert done.returncode == 0, done.stderr
    text = (folder / "out.txt").read_text()
    assert "# Redacted: 1 values; 0 frames more are refused for it." in text
    assert re.search(r"# Device vapour, driver trace.aci_pids3, simulated, recorded \S+\.$", text, re.MULTILINE)
    assert re.search("serial='[X0]+'", text)
    lines = parse(text)
    replayed = run_transcript(load_driver("trace.aci_pids3").open({}), lines)
    assert [str(line) for line in replayed] == [str(line) for line in lines]


def listened_to(folder: Path, said: bytes, seconds: str) -> list[dict[str, object]]:
    """The candidates for what says `said` on a bare terminal; nothing is written to it."""
    line = Line()
    words = ["record", line.path, "out.txt", "--for", seconds, "--baud", "115200", "--json"]
    started = subprocess.Popen(
        [sys.executable, "-m", "devicehub", *words],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
    )  # fmt: skip
    while not ((folder / "out.txt").exists() and "Unknown" in (folder / "out.txt").read_text()):
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(0.05)
    os.write(line.master, said)
    out, _ = started.communicate(timeout=PATIENCE)
    os.set_blocking(line.master, False)
    with pytest.raises(BlockingIOError):
        os.read(line.master, 1)
    line.close()
    found: list[dict[str, object]] = json.loads(out)["candidates"]
    return found


def test_an_unknown_device_is_listened_to_and_told_with_the_drivers_that_may_fit(folder: Path) -> None:
    frames = b"".join(packet.data for packet in recorded_packets("thermal.gy_mcu90640"))
    best = listened_to(folder, frames[:4000], "4")[0]
    assert best["driver"] == "thermal.gy_mcu90640"
    text = (folder / "out.txt").read_text()
    assert f"# May be thermal.gy_mcu90640 ({best['score']:.1f}: {best['why']})." in text
    assert b"".join(one.packet.data for one in parse(text) if one.packet is not None) == frames[:4000]


def test_a_device_file_of_the_site_may_fit_an_unknown_device_too(folder: Path) -> None:
    config = folder / "devicehub.toml"
    config.write_text(config.read_text().replace("[hub]\n", '[hub]\ndevice_files = "own"\n'))
    write(folder / "own")
    best = listened_to(folder, bytes.fromhex("03 01 32 36") * 5, "1")[0]
    assert (best["driver"], best["why"]) == ("trace.probe", "5 samples and 0 faults in its bytes")


def test_an_unknown_device_cannot_be_redacted(folder: Path) -> None:
    done = devicehub(folder, "record", "/dev/ttyNONE9", "out.txt", "--redact")
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a driver" in done.stderr
