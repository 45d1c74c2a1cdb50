"""The commands of README.md that are ours, and those of contribute-a-capture.md, change-a-configuration.md and send-a-command.md are executed."""

import asyncio
import re
from pathlib import Path

import pytest

from devicehub.model.message import Kind
from tests.architecture.test_every_command import commands
from tests.guides import Block
from tests.real.following import command, follow
from tests.real.hearing import hearing
from tests.real.hub_process import ROOT, started, until
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.real.workstation import workstation
from tests.system.checkout import Checkout

pytestmark = pytest.mark.real

GUIDES = ROOT / "docs" / "guides"
NO_SUCH_DEVICE = re.compile(r"record (?:\"?ble:|C0:|usb:)")
"""In the place of which there is none here: `tests/real` has recordings of both kinds, with a device."""
THERMAL = """\
[hub]
site = "s"
node = "n"
exercise = true
state = "state"

[mqtt]
url = "mqtt://{host}:{port}"

[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
port = "sim:"
control = true

[[limit]]
device = "thermal-1"
channel = "image.max"
high = -40.0
name = "max-high"
"""


async def done(line: str, folder: Path, says: str = "", word: str = "shows") -> None:
    await asyncio.to_thread(follow, Block("sh", word, says, line), folder)


async def test_the_readme_goes_from_a_capture_and_an_empty_folder_to_a_running_hub(tmp_path: Path) -> None:
    command(tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    run = [line for line in commands(ROOT / "README.md") if line.startswith("devicehub ")]
    assert run.pop() == "devicehub run"
    for line in run:
        await done(line, tmp_path)
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    async with started("run", cwd=tmp_path, environment=environment) as hub:
        await hub.says("will publish below devicehub/v1/")


async def test_a_capture_is_contributed_as_the_guide_says(tmp_path: Path) -> None:
    command(tmp_path)
    *lines, suite = commands(GUIDES / "contribute-a-capture.md")
    async with mosquitto(tmp_path) as broker, workstation(tmp_path, broker):
        for line in lines:
            shorter = re.sub(r"--for \d+", "--for 3", line).replace("/dev/ttyUSB0", str(tmp_path / "tty2"))
            await done(shorter, tmp_path, word="fails" if NO_SUCH_DEVICE.search(line) else "shows")
    assert (tmp_path / "first-sweep.expected").read_text()
    assert (tmp_path / "unknown.txt").exists()
    (driver,) = re.findall(r"--driver (\S+) --expect", "\n".join(lines))
    corpus = tmp_path / "captures" / driver
    corpus.mkdir(parents=True)
    for name in ("first-sweep.txt", "first-sweep.expected"):
        (tmp_path / name).rename(corpus / name)
    copy = Checkout(tmp_path / "checkout")
    (tmp_path / "captures").rename(copy.folder / "captures")
    copy.follow(Block("sh", "", "", suite))


async def test_a_hangup_makes_a_running_hub_read_its_configuration(tmp_path: Path) -> None:
    command(tmp_path)
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        (tmp_path / "devicehub.toml").write_text(THERMAL.format(host=broker.host, port=broker.port))
        async with started("run", cwd=tmp_path):
            await ears.first(Kind.EVENT, "device-ready")
            for line in commands(GUIDES / "change-a-configuration.md"):
                here = line.replace("/etc/devicehub/", f"{tmp_path}/").replace(
                    "/var/lib/devicehub/", f"{tmp_path}/state/"
                )
                await done(here, tmp_path)
            await ears.first(Kind.EVENT, "hub-reloaded")


async def test_the_commands_of_the_guide_are_carried_out(tmp_path: Path) -> None:
    command(tmp_path)
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        (tmp_path / "devicehub.toml").write_text(THERMAL.format(host=broker.host, port=broker.port))
        async with started("run", cwd=tmp_path):
            await ears.first(Kind.ALARM, "thermal-1/max-high")
            for line in commands(GUIDES / "send-a-command.md"):
                await done(line, tmp_path, "done")
            await until(lambda: ears.of(Kind.EVENT, "alarm-acked"))
