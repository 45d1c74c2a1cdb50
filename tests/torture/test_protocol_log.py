"""A rough run, and what it leaves in Mosquitto's log: no violation of the protocol, and no payload against the contract.

Kills, outages and resets, refusals of a branch and for size, commands and receipts, right ones and wrong ones. Every
payload is held against the published JSON Schema by `jsonschema` as it arrives (`hearing`).
"""

import asyncio
import json
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from devicehub.model.message import Kind
from devicehub.publish.mqtt import connect
from devicehub.publish.settings import BrokerSettings
from tests.patience import PATIENCE
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import HubProcess, started
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import message, settings
from tests.real.tcp_relay import TcpRelay, tcp_relay
from tests.real.workstation import PREFIX, Workstation, workstation
from tests.torture.arrivals import inversions, missing, numbered, repeated, times

pytestmark = pytest.mark.real

ROUNDS = 6
KINDS = [f"{PREFIX}/{kind}/#" for kind in Kind]
ACL = f"topic readwrite #\ntopic deny {PREFIX}/reading/vapour-3/#\n"
VIOLATION = re.compile(
    r"protocol error|malformed|invalid (packet|publish|topic|subscription|utf)|bad (packet|socket)|corrupt"
    r"|oversize|out of memory|receive maximum exceeded|topic alias",
    re.IGNORECASE,
)
# Mosquitto 2.0 says this of a client whose PUBACK it could not send, and the test resets the hub's connections. A
# computer that lacks memory says it of the other clients as well.
RESET = re.compile(r"Client devicehub-s-n disconnected due to out of memory\.$")
COMMANDS: Sequence[Mapping[str, object] | bytes] = (
    {"id": "c-%d", "issuer": "test", "deadline": 5.0},
    b"{",
    b"\xff\xfe",
    b"[" * 100,
)


@dataclass
class Rough:
    """The parts of the run that a round may touch."""

    hub: HubProcess
    broker: Mosquitto
    relay: TcpRelay
    station: Workstation
    ears: Ears
    direct: BrokerSettings

    async def round(self, number: int) -> None:
        """One of everything: talk, break, come back."""
        await self._talk(number)
        match number % 3:
            case 0:
                self.relay.reset()
            case 1:
                self.relay.silence()
                await self.hub.says("does not answer")
                self.relay.heal()
            case _:
                self.station.vapour(50.0 if number % 2 else 1.0)
                self.relay.bytes_per_second = 20_000.0
        before = len(self.ears.of(Kind.READING))
        await self.ears.until(lambda: len(self.ears.of(Kind.READING)) > before + 3)
        self.relay.bytes_per_second = None

    async def _talk(self, number: int) -> None:
        """Commands and receipts as others send them, good and bad."""
        async with connect(self.direct) as publisher:
            for command in COMMANDS:
                body = (
                    command if isinstance(command, bytes) else json.dumps(command).replace("%d", str(number)).encode()
                )
                await publisher.submit(message(f"{PREFIX}/cmd/hub/identify", body))
            for receipt in (b'{"epoch":"none","received":{"events":1}}', b"{", b'{"received":[]}'):
                await publisher.submit(message(f"{PREFIX}/receipt/rough", receipt, retain=True))


def violations(log: Path) -> list[str]:
    """Lines of Mosquitto's log that speak of a violation."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if VIOLATION.search(line) and not RESET.search(line)]


async def test_a_rough_run_leaves_no_violation_of_the_protocol_and_no_payload_against_the_contract(
    tmp_path: Path,
) -> None:
    ears, rounds = Ears(), times(ROUNDS)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto(tmp_path, acl=ACL, extra=("max_packet_size 4096",)))
        relay = await stack.enter_async_context(tcp_relay(broker.port))
        station = await stack.enter_async_context(workstation(tmp_path, broker))
        config = tmp_path / "devicehub.toml"
        config.write_text(config.read_text().replace(f":{broker.port}", f":{relay.port}"))
        direct = replace(settings(broker), keepalive=600)
        await stack.enter_async_context(hearing(direct, ears, KINDS))
        for run in range(2):
            async with started("run", cwd=tmp_path) as hub:
                rough = Rough(hub, broker, relay, station, ears, direct)
                await hub.says("broker connected")
                for number in range(rounds):
                    await rough.round(number)
                assert await hub.ends(signal.SIGTERM if run else signal.SIGKILL) == (0 if run else -signal.SIGKILL)
        await ears.until(lambda: ears.of(Kind.EVENT, "hub-stopped"))
    log = tmp_path / "mosquitto.log"
    numbers = numbered(ears.heard)
    told = sum(last - first + 1 for gap in ears.of(Kind.GAP) for first, last in gap.data.get("ranges", []))
    packets = sum(
        line.split(": ", 1)[-1].startswith("Received") for line in log.read_text(errors="replace").splitlines()
    )
    print(
        f"N = {packets} packets and {len(ears.heard)} payloads in {2 * rounds} rounds, {len(violations(log))} violations; "
        f"{sum(map(len, numbers.values()))} events, {missing(numbers)} not there of which {told} were told as refused, "
        f"{inversions(numbers)} inversions, {repeated(ears.heard)} repetitions"
    )
    assert violations(log) == []
    assert packets > 500
    assert missing(numbers) <= told
    assert ears.of(Kind.RES), "commands were answered"


async def test_a_client_that_breaks_the_rules_is_seen_in_the_log(tmp_path: Path) -> None:
    """The sabotage: malformed packets of several kinds, each in a connection of its own."""
    opened = bytes.fromhex("10 10 0004 4d515454 05 02 003c 00 0003 616263")
    broken = [
        opened + bytes.fromhex("30 05 0003 23 2f 23"),  # a topic with wildcards
        opened + bytes.fromhex("82 03 0001 00"),  # a subscription to nothing
        opened + bytes.fromhex("36 05 0001 61 0001"),  # quality of service 3
        opened + opened,  # a second CONNECT
    ]
    async with mosquitto(tmp_path) as broker:
        for packets in broken:
            before = len(violations(tmp_path / "mosquitto.log"))
            reader, writer = await asyncio.open_connection(broker.host, broker.port)
            writer.write(packets)
            async with asyncio.timeout(PATIENCE):
                while await reader.read(100):
                    pass
            writer.close()
            assert len(violations(tmp_path / "mosquitto.log")) > before, packets.hex()
