"""A whole hub in the machine: `devicehub run` as a process on a real Mosquitto, and a subscriber to all that it says."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from devicehub.clock import since_boot
from devicehub.model.message import Kind
from drivers.trace.aci_pids3 import encode
from simulators.trace.aci_pids3 import AciPids3
from tests.real.hearing import Ears, hearing, taken
from tests.real.hub_process import HubProcess, started
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings
from tests.vm.gadget import Gadget
from tests.vm.sockets import Plugged, Sockets

READY, LOST = "ready", "lost"
STARTING = 90.0
LINES = 20
TOPICS = [f"devicehub/v1/s/n/{kind}/#" for kind in (Kind.EVENT, Kind.READING, Kind.SCAN)]
CONFIGURATION = """
[hub]
site = "s"
node = "n"
state = "state"
[mqtt]
url = "mqtt://{broker.host}:{broker.port}"
{devices}
{limits}
"""
DEVICES = """
id = "vapour", driver = "trace.aci_pids3", usb = "1209:0002", serial = "A-1"
id = "restarting", driver = "trace.aci_pids3", usb = "1209:0002", serial = "R-1"
id = "counter", driver = "radiation.gq_gmc", usb = "10c4:ea60", serial = "C-1"
id = "scanner", driver = "scanner.hid_pos"
id = "gamma", driver = "radiation.radiacode_usb", port = "1-3"
id = "left", driver = "radiation.radiacode_usb", port = "1-11"
id = "right", driver = "radiation.radiacode_usb", port = "1-12"
"""
LIMITS = """
[[limit]]
device = "vapour"
channel = "voc"
high = 20.0
hysteresis = 2.0
"""


def _tables(devices: str) -> str:
    lines = [line.replace(", ", "\n") for line in devices.strip().splitlines()]
    return "".join(f"[[device]]\n{line}\n" for line in lines)


@dataclass
class Workplace:
    """The hub, what was heard of it, and the sockets of its computer."""

    sockets: Sockets
    ears: Ears
    hub: HubProcess

    def told(self, device: str) -> list[str]:
        """What was told of a device's coming and going, in order."""
        words = (str(one.data.get("what")) for one in self.ears.of(Kind.EVENT) if one.data.get("device") == device)
        return [word for word in words if word in {READY, LOST}]

    async def until_told(self, device: str, words: list[str], since: int = 0) -> None:
        """Wait until exactly that was told of a device after its first `since` words."""
        try:
            await self.ears.until(lambda: len(self.told(device)) >= since + len(words))
        except TimeoutError:
            raise AssertionError("\n".join([*self.hub.errors[-LINES:], *self._waits()])) from None
        assert self.told(device)[since:] == words

    def _waits(self) -> list[str]:
        """Where in the kernel each thread of the hub waits."""
        tasks = Path(f"/proc/{self.hub.pid}/task").iterdir()
        return [f"{(task / 'comm').read_text().strip()} in {(task / 'wchan').read_text()}" for task in tasks]

    async def plugged(self, device: str, gadget: Gadget, port: int) -> tuple[Plugged, float]:
        """Plug it in and wait until it is ready; how many seconds that took."""
        known, begun = len(self.told(device)), since_boot()
        plugged = self.sockets.plug(gadget, port)
        await self.until_told(device, [READY], known)
        return plugged, since_boot() - begun

    async def yanked(self, device: str, plugged: Plugged) -> float:
        """Yank it and wait until it is lost; how many seconds that took."""
        known, begun = len(self.told(device)), since_boot()
        self.sockets.unplug(plugged)
        await self.until_told(device, [LOST], known)
        return since_boot() - begun

    async def more_readings(self, device: str, count: int = 2) -> None:
        """Wait until it is read so often more."""

        def read() -> int:
            return sum(one.place.split("/")[0] == device for one in self.ears.of(Kind.READING))

        known = read()
        await self.ears.until(lambda: read() >= known + count)


def detector() -> AciPids3:
    """A vapour detector whose lamp has been lit for long."""
    one = AciPids3(Random(1))
    one.on_bytes(encode("pids.start"))
    one.advance(60.0)
    return one


@asynccontextmanager
async def workplace(folder: Path, devices: str = DEVICES, limits: str = LIMITS) -> AsyncIterator[Workplace]:
    """Nothing is plugged in at first."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto(folder))
        # What a test does of its own takes longer here than a broker waits for a client by default.
        patient = replace(settings(broker), keepalive=600)
        ears = await stack.enter_async_context(hearing(patient, Ears(understand=taken), TOPICS))
        text = CONFIGURATION.format(broker=broker, devices=_tables(devices), limits=limits)
        (folder / "devicehub.toml").write_text(text)
        sockets = stack.enter_context(Sockets())
        hub = await stack.enter_async_context(started("run", cwd=folder))
        await hub.says("will publish below", STARTING)
        yield Workplace(sockets, ears, hub)
