"""What a broker refuses is known within a second, as state and as figure, and holds nothing else up for five.

Real Mosquitto for what it refuses itself: by its access list, for size, for a missing subscriber. A scripted broker for
every code that a PUBACK may have, most of which Mosquitto never sends (MQTT Version 5.0, 3.4.2.1).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from devicehub.model.message import Kind
from tests.real.hearing import Ears, Heard, hearing
from tests.real.hub_process import HubProcess, started
from tests.real.mosquitto import Mosquitto, mosquitto
from tests.real.mqtt_ends import settings
from tests.real.scripted_broker import Published, ScriptedBroker, scripted_broker
from tests.real.workstation import PREFIX, workstation
from tests.torture.arrivals import inversions, missing, numbered

pytestmark = pytest.mark.real

KNOWN_S = 1.0
HELD_UP_S = 5.0
REFUSED = "vapour-1"
FOR_GOOD = {"unspecified": 0x80, "implementation": 0x83, "not-authorized": 0x87, "topic-name": 0x90, "format": 0x99}
UNHEARD = 0x10
BUSY = {"quota": 0x97, "in-use": 0x91}
ACL = f"""
topic read $SYS/#
topic readwrite {PREFIX}/status
topic readwrite {PREFIX}/health
topic readwrite #
topic deny {PREFIX}/reading/{REFUSED}/#
topic deny {PREFIX}/reading/{REFUSED}
"""
SMALLEST = 1500
AWAY = "broker is away"
PATCHED = "import sys\n{change}\nfrom devicehub.cli.main import main\nsys.exit(main(sys.argv[1:]))"
DEAF = """from devicehub.publish.exchange import Exchange
settle = Exchange._settle
Exchange._settle = lambda self, mid, code, reason: settle(self, mid, 0, "")"""
IMPATIENT = """from devicehub.publish import reasons
from devicehub.model.errors import DeliveryError
reasons.DeliveryBusyError = DeliveryError"""
DULL = "from devicehub.publish import client\nclient._UNHEARD = -1"
HEEDLESS = """from devicehub.publish.client import Client
Client._obstacle = lambda self, out, properties: \"\""""


def changed(change: str) -> tuple[str, ...]:
    """What starts a hub with something broken in it on purpose."""
    return ("-c", PATCHED.format(change=change))


@asynccontextmanager
async def listened(
    folder: Path, broker: Mosquitto, program: Sequence[str] = ("-m", "devicehub")
) -> AsyncIterator[tuple[HubProcess, Ears]]:
    """A hub at that broker, heard from its first message."""
    async with (
        workstation(folder, broker),
        hearing(settings(broker)) as ears,
        started("run", cwd=folder, program=program) as hub,
    ):
        yield hub, ears


async def known(ears: Ears) -> None:
    """Refusals are told as figure and as state, within a second. Raises `TimeoutError`."""
    await ears.until(lambda: figure(ears, "refused") > 0 and delivery(ears) == "refused", KNOWN_S)


def figure(ears: Ears, name: str) -> float:
    """The newest figure of that name in the hub's health; 0 where it said nothing yet."""
    health = ears.of(Kind.HEALTH)
    value = health[-1].data[name] if health else 0
    assert isinstance(value, int | float)
    return value


def delivery(ears: Ears) -> str:
    """What the hub's status says of delivery."""
    status = ears.of(Kind.STATUS)
    return str(status[-1].data.get("delivery", "")) if status else ""


def longest_pause(heard: Sequence[Heard]) -> float:
    """Seconds between two messages at most."""
    moments = [one.at for one in heard]
    return max((after - before for before, after in pairwise(moments)), default=0.0)


async def test_a_branch_that_the_access_list_forbids_is_known_within_a_second_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    async with mosquitto(tmp_path, acl=ACL) as broker, listened(tmp_path, broker) as (hub, ears):
        await hub.says(f"reading/{REFUSED}")
        await known(ears)
        await ears.until(lambda: figure(ears, "quarantined") > 0, KNOWN_S + 1)
        await ears.until(lambda: len(ears.of(Kind.READING)) > 20)
        gaps = [gap for gap in ears.of(Kind.GAP) if gap.data["reason"] == "refused"]
    others = [one for one in ears.of(Kind.READING) if REFUSED not in one.place]
    assert len(others) == len(ears.of(Kind.READING))
    print(
        f"access list: N = {figure(ears, 'refused'):.0f} refused, the others never waited {longest_pause(others):.1f} s"
    )
    assert longest_pause(others) < HELD_UP_S
    assert gaps, "the numbers of what was refused are told"


async def test_a_hub_that_does_not_look_at_the_code_of_an_acknowledgement_is_caught(tmp_path: Path) -> None:
    """The sabotage: every PUBACK is taken for a yes, as most clients do. It believes that all is delivered."""
    async with mosquitto(tmp_path, acl=ACL) as broker, listened(tmp_path, broker, changed(DEAF)) as (_, ears):
        await ears.until(lambda: len(ears.of(Kind.READING)) > 20)
        with pytest.raises(TimeoutError):
            await known(ears)
        assert delivery(ears) == "broker-acked"
    assert not [one for one in ears.of(Kind.READING) if REFUSED in one.place]


async def test_a_message_that_is_larger_than_the_broker_takes_is_known_and_holds_nothing_up(tmp_path: Path) -> None:
    """Mosquitto says the size in its CONNACK; what is larger never leaves the hub."""
    extra = (f"max_packet_size {SMALLEST}",)
    async with mosquitto(tmp_path, extra=extra) as broker, listened(tmp_path, broker) as (hub, ears):
        await hub.says("maximum packet size")
        await known(ears)
        await ears.until(lambda: len(ears.of(Kind.READING)) > 10)
        assert not [line for line in hub.errors if AWAY in line]
    pause = longest_pause(ears.of(Kind.READING))
    print(f"oversize: N = {figure(ears, 'refused'):.0f} refused, the readings never waited {pause:.1f} s")
    assert longest_pause(ears.of(Kind.READING)) < HELD_UP_S


async def test_a_hub_that_sends_what_is_too_large_all_the_same_is_caught(tmp_path: Path) -> None:
    """The sabotage: the size in the CONNACK is not looked at. The broker hangs up again and again, and nothing passes."""
    extra = (f"max_packet_size {SMALLEST}",)
    async with mosquitto(tmp_path, extra=extra) as broker, listened(tmp_path, broker, changed(HEEDLESS)) as (hub, ears):
        await hub.says(AWAY)
        with pytest.raises(TimeoutError):
            await known(ears)


def deserted(ears: Ears) -> bool:
    """Whether it is told, as figure and as state, that nobody is subscribed."""
    status = ears.of(Kind.STATUS)
    return figure(ears, "unheard") > 0 and bool(status) and status[-1].data.get("unheard") is True


@asynccontextmanager
async def hardly_heard(
    folder: Path, program: Sequence[str] = ("-m", "devicehub")
) -> AsyncIterator[tuple[HubProcess, Ears]]:
    """A hub of which nobody hears anything but how it is."""
    async with mosquitto(folder) as broker, workstation(folder, broker):
        only = [f"{PREFIX}/{kind}" for kind in (Kind.HEALTH, Kind.STATUS)]
        async with (
            hearing(settings(broker), filters=only) as ears,
            started("run", cwd=folder, program=program) as hub,
        ):
            yield hub, ears


async def test_that_nobody_subscribed_is_known_and_is_no_refusal(tmp_path: Path) -> None:
    async with hardly_heard(tmp_path) as (_, ears):
        await ears.until(lambda: deserted(ears))
        assert (figure(ears, "refused"), delivery(ears)) == (0, "broker-acked")
    print(f"no subscribers: N = {figure(ears, 'unheard'):.0f} messages unheard")


async def test_that_nobody_subscribed_is_known_within_a_second_of_the_answer(tmp_path: Path) -> None:
    async with at_scripted(tmp_path, Answer(UNHEARD, None)) as (_, broker):
        await broker.until(lambda: [one for one in broker.taken if f"/reading/{REFUSED}/" in one.topic])
        await broker.until(lambda: any(health["unheard"] for health in told(broker, Kind.HEALTH)), KNOWN_S)
        await broker.until(lambda: told(broker, Kind.STATUS)[-1].get("unheard"), KNOWN_S)
    assert broker.connections == 1


async def test_a_hub_that_takes_unheard_for_heard_is_caught(tmp_path: Path) -> None:
    """The sabotage: the code for no subscribers is one of success, and is taken for just that."""
    async with hardly_heard(tmp_path, changed(DULL)) as (hub, ears):
        await hub.says("vapour-3 is ready")
        health = len(ears.of(Kind.HEALTH))
        await ears.until(lambda: len(ears.of(Kind.HEALTH)) > health)
        assert not deserted(ears)


class Answer:
    """`code` for the first so many readings of one device, None for all of them; success for everything else."""

    def __init__(self, code: int, times: int | None) -> None:
        self._code = code
        self._left = times

    def __call__(self, one: Published) -> int:
        if f"/reading/{REFUSED}/" not in one.topic or self._left == 0:
            return 0
        if self._left is not None:
            self._left -= 1
        return self._code


@asynccontextmanager
async def at_scripted(
    folder: Path, answer: Answer, program: Sequence[str] = ("-m", "devicehub")
) -> AsyncIterator[tuple[HubProcess, ScriptedBroker]]:
    """A hub at a broker that answers so."""
    async with scripted_broker(answer) as broker, mosquitto(folder) as elsewhere, workstation(folder, elsewhere):
        config = folder / "devicehub.toml"
        config.write_text(config.read_text().replace(f":{elsewhere.port}", f":{broker.port}"))
        async with started("run", cwd=folder, program=program) as hub:
            yield hub, broker


def told(broker: ScriptedBroker, kind: Kind) -> list[dict[str, object]]:
    """The `data` of what came of that kind."""
    return [json.loads(one.payload)["data"] for one in broker.taken if one.topic.split("/")[4] == kind and one.payload]


def others(broker: ScriptedBroker) -> list[Published]:
    return [one for one in broker.taken if "/reading/" in one.topic and f"/{REFUSED}/" not in one.topic]


@pytest.mark.parametrize("code", [*FOR_GOOD.values(), *BUSY.values()], ids=[*FOR_GOOD, *BUSY])
async def test_a_code_that_mosquitto_never_sends_is_known_within_a_second_and_holds_nothing_up(
    tmp_path: Path, code: int
) -> None:
    async with at_scripted(tmp_path, Answer(code, None)) as (_, broker):
        await broker.until(lambda: broker.refused)
        since = asyncio.get_running_loop().time()
        await broker.until(lambda: any(health["refused"] for health in told(broker, Kind.HEALTH)), KNOWN_S)
        await broker.until(lambda: told(broker, Kind.STATUS)[-1]["delivery"] == "refused", KNOWN_S)
        await broker.until(lambda: len([one for one in others(broker) if one.at > since]) > 12)
    moments = [one.at for one in others(broker)]
    pause = max(after - before for before, after in pairwise(moments))
    print(f"0x{code:02x}: N = {len(broker.refused)} refused, the others never waited {pause:.1f} s")
    assert pause < HELD_UP_S
    assert broker.connections == 1, "a refusal ends no connection"


@pytest.mark.parametrize("code", BUSY.values(), ids=BUSY)
async def test_what_a_broker_is_too_busy_for_is_taken_later_by_itself_and_nothing_is_lost(
    tmp_path: Path, code: int
) -> None:
    async with at_scripted(tmp_path, Answer(code, 3)) as (_, broker):
        await broker.until(lambda: len(broker.refused) == 3)
        refused = {json.loads(one.payload)["id"] for one in broker.refused}

        def taken() -> set[str]:
            return {json.loads(one.payload)["id"] for one in broker.taken if one.payload}

        await broker.until(lambda: refused <= taken())
    assert broker.connections == 1


async def test_a_hub_that_treats_a_quota_as_a_broken_connection_is_caught(tmp_path: Path) -> None:
    """The sabotage: the retry of a busy broker by a new connection, as most clients do, does not pass the tests above."""
    async with at_scripted(tmp_path, Answer(0x97, None), program=changed(IMPATIENT)) as (_, broker):
        await broker.until(lambda: len(broker.refused) > 2)
    assert broker.connections > 1


def test_the_numbers_of_this_module_count_what_they_say() -> None:
    """A ledger with a hole and an inversion is one that is caught."""

    def heard(number: int) -> Heard:
        return Heard("t", Kind.READING, "", {"sequence": str(number), "id": str(number)}, retain=False, at=0.0)

    numbers = numbered([heard(1), heard(2), heard(2), heard(5), heard(4)])
    assert (missing(numbers), inversions(numbers)) == (1, 1)
