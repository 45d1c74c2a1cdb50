"""A broker that answers no more and closes nothing: a half-open connection, a process that stands still.

Issue: noticed within 8 s, back within 2 s after it returns, nothing lost.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.model.message import Kind
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import HubProcess, started, until
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import settings
from tests.real.tcp_relay import TcpRelay, tcp_relay
from tests.real.workstation import workstation
from tests.torture.arrivals import inversions, missing, numbered, repeated, times

pytestmark = pytest.mark.real

NOTICED_S = 8.0
BACK_S = 2.0
TRIALS = 5
LONGEST_S = 6.0
AWAY, CONNECTED = "broker is away", "broker connected"

# The client as its libraries make it: a long keepalive, no timeout of the kernel, no deadline for an answer.
UNGUARDED = """
import sys
from devicehub.deliver import stage
from devicehub.publish import client, settings
client._socket_options = lambda keepalive: []
settings.BrokerSettings.__init__.__kwdefaults__["acknowledge_timeout"] = 3600.0
stage.DEADLINE = 3600.0
from devicehub.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass
class Scene:
    """A hub that reaches its broker through a relay, and a listener that does not."""

    hub: HubProcess
    broker: Mosquitto
    relay: TcpRelay
    ears: Ears

    def said(self, words: str) -> int:
        return sum(words in line for line in self.hub.errors)

    async def says_again(self, words: str, seconds: float) -> float:
        """Wait for one line more with these words; the seconds it took."""
        before, since = self.said(words), asyncio.get_running_loop().time()
        await until(lambda: self.said(words) > before, seconds)
        return asyncio.get_running_loop().time() - since

    async def hears_more(self, count: int) -> None:
        """Wait until so many readings more have arrived."""
        before = len(self.ears.of(Kind.READING))
        await self.ears.until(lambda: len(self.ears.of(Kind.READING)) >= before + count)


@dataclass(frozen=True)
class Fault:
    """How a broker goes away without a word, and how it comes back."""

    name: str
    begin: Callable[[Scene], None]
    end: Callable[[Scene], None]


FAULTS = [
    Fault("half-open", lambda scene: scene.relay.silence(), lambda scene: scene.relay.heal()),
    Fault("SIGSTOP", lambda scene: scene.broker.freeze(), lambda scene: scene.broker.thaw()),
]


@asynccontextmanager
async def scene(
    folder: Path, *, keepalive: int = 5, program: Sequence[str] = ("-m", "devicehub")
) -> AsyncIterator[Scene]:
    """A hub under way: connected, delivering, heard."""
    async with mosquitto(folder) as broker, tcp_relay(broker.port) as relay, workstation(folder, broker):
        config = folder / "devicehub.toml"
        here = f'url = "mqtt://{broker.host}:{broker.port}"'
        assert here in config.read_text()
        there = f'url = "mqtt://{broker.host}:{relay.port}"\nkeepalive_s = {keepalive}'
        config.write_text(config.read_text().replace(here, there))
        patient = replace(settings(broker), keepalive=600)
        async with hearing(patient) as ears, started("run", cwd=folder, program=program) as hub:
            at = Scene(hub, broker, relay, ears)
            await at.hears_more(3)
            yield at


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_dead_peer_is_noticed_and_one_that_returns_is_found_again(tmp_path: Path, fault: Fault) -> None:
    noticed: list[float] = []
    back: list[float] = []
    clock = Clock(seed=len(fault.name))
    async with scene(tmp_path) as at:
        for _ in range(times(TRIALS)):
            waiting = asyncio.create_task(at.says_again(AWAY, NOTICED_S))
            fault.begin(at)
            noticed.append(await waiting)
            await clock.sleep(clock.jitter(LONGEST_S))  # so that it returns while an attempt hangs, and between two
            returning = asyncio.create_task(at.says_again(CONNECTED, BACK_S))
            fault.end(at)
            back.append(await returning)
            await at.hears_more(3)
        assert await at.hub.ends(signal.SIGTERM) == 0
        await at.ears.until(lambda: at.ears.of(Kind.EVENT, "hub-stopped"))
    numbers = numbered(at.ears.heard)
    print(
        f"{fault.name}: N = {len(noticed)}, noticed after at most {max(noticed):.1f} s, back after at most "
        f"{max(back):.2f} s, {sum(map(len, numbers.values()))} events, {missing(numbers)} lost, "
        f"{inversions(numbers)} inversions, {repeated(at.ears.heard)} repetitions"
    )
    assert (missing(numbers), inversions(numbers)) == (0, 0)
    assert at.relay.connections >= times(TRIALS) + 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_client_without_its_guards_does_not_notice(tmp_path: Path, fault: Fault) -> None:
    """The sabotage: what the test above asks for is not what the libraries do by themselves."""
    async with scene(tmp_path, keepalive=60, program=("-c", UNGUARDED)) as at:
        waiting = asyncio.create_task(at.says_again(AWAY, NOTICED_S))
        fault.begin(at)
        with pytest.raises(TimeoutError):
            await waiting
        fault.end(at)
