"""A device that raises, talks garbage, hangs or vanishes mid-frame: the others do not notice, and it is told once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from devicehub.publish.port import Outgoing
from tests.system.bad_devices import SICK, WELL, BadDevice, Trouble, driver
from tests.system.house import Furniture, House, decoded, gapless, house, journalled, named
from tests.system.seen import breaches
from tests.virtual_loop import VirtualTimeLoop

GOOD = ("radiation.atom_fast", "trace.ims_reference", "thermal.gy_mcu90640", "scanner.zebra_ssi")
HALF_AN_HOUR = 1800.0

Body = Mapping[str, object]


async def _lived(state: Path, troubles: tuple[Trouble, ...]) -> House:
    devices = [BadDevice(trouble) for trouble in troubles]
    furniture = Furniture(
        posts=[device.post() for device in devices], drivers={str(trouble): driver() for trouble in troubles}
    )
    async with house(state, GOOD, furniture, seed=3) as running:
        lives = [asyncio.create_task(device.live()) for device in devices]
        await running.clock.sleep(HALF_AN_HOUR)
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
    return running


def _live(state: Path, *troubles: Trouble) -> House:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_lived(state, troubles))


@dataclass(frozen=True)
class Houses:
    """The same half hour with the bad devices and without."""

    mixed: House
    peaceful: House


@pytest.fixture(scope="module")
def houses(memory: Path) -> Houses:
    return Houses(_live(memory / "mixed", *Trouble), _live(memory / "peaceful"))


HOUSE = frozenset({"alarm", "event", "first_out"})
"""What depends on what else goes on: ids by chance, and whether an alarm was the first of several."""


def said(running: House, device: str) -> list[object]:
    """Everything durable that a device said, in the journal's order, without what is about the whole house."""
    own = [body for body in journalled(running.broker) if str(body.get("subject", "")).split("/")[0] == device]
    own.sort(key=lambda body: cast("int", body["position"]))
    return [(body["type"], body["time"], body.get("subject"), _plain(body["data"])) for body in own]


def _plain(data: object) -> object:
    return {name: value for name, value in data.items() if name not in HOUSE} if isinstance(data, dict) else data


def seconds(running: House, device: str, kind: str) -> list[tuple[float, Body]]:
    """Messages of one kind of one device on the board, with the second they came."""
    return [
        (at, cast("Body", decoded(out)["data"]))
        for at, out in running.broker.log
        if out.topic.endswith(f"/{kind}/{device}") and out.payload
    ]


def events(running: House, device: str) -> list[tuple[str, str]]:
    """What was told of a device's coming and going, in order, with its reason."""
    found = []
    for body in journalled(running.broker):
        data = cast("Body", body["data"])
        if str(body["type"]).startswith("io.devicehub.device.") and data.get("device") == device:
            found.append((str(body["type"]).rpartition(".")[2], str(data.get("why", ""))))
    return found


@pytest.mark.parametrize("name", GOOD)
def test_a_good_device_says_exactly_what_it_says_without_the_bad_ones(houses: Houses, name: str) -> None:
    with_them, without = said(houses.mixed, named(name)), said(houses.peaceful, named(name))
    assert len(without) > 20
    assert with_them == without


@pytest.mark.parametrize("name", GOOD)
def test_a_good_device_is_ready_once_and_never_lost(houses: Houses, name: str) -> None:
    assert [what for what, _ in events(houses.mixed, named(name)) if what != "trigger"] == ["ready"]


@pytest.mark.parametrize(
    ("trouble", "what", "why"),
    [
        (Trouble.RAISES, "faulted", "ZeroDivisionError: a bug in the driver"),
        (Trouble.HANGS, "lost", "it stopped answering"),
        (Trouble.VANISHES, "lost", "unplugged in the middle of a frame"),
    ],
)
def test_a_bad_device_is_told_once_when_it_goes_and_once_when_it_is_back(
    houses: Houses, trouble: Trouble, what: str, why: str
) -> None:
    assert events(houses.mixed, trouble) == [("ready", ""), (what, why), ("ready", "")]
    states = [(at, data["state"]) for at, data in seconds(houses.mixed, trouble, "device")]
    (gone,) = [at for at, state in states if state == what]
    assert SICK <= gone <= SICK + 1
    assert WELL <= states[-1][0] <= WELL + 120
    assert states[-1][1] == "ready"


@pytest.mark.parametrize("trouble", Trouble)
def test_a_bad_device_detects_nothing_meanwhile_and_everything_afterwards(houses: Houses, trouble: Trouble) -> None:
    told = [
        (at, cast("list[Body]", data["capabilities"])[0]["level"])
        for at, data in seconds(houses.mixed, trouble, "capability")
    ]
    assert [level for _, level in told] == ["none", "none", "full", "none", "full"], "away, silent, well, sick, well"
    lost, back = told[-2][0], told[-1][0]
    assert SICK <= lost <= SICK + 15
    assert WELL <= back <= WELL + 120


def test_what_was_wrong_is_counted_by_its_reason(houses: Houses) -> None:
    last = {trouble: seconds(houses.mixed, trouble, "device")[-1][1] for trouble in Trouble}
    assert last[Trouble.VANISHES]["losses"] == 1
    errors = cast("dict[str, int]", last[Trouble.GARBAGE]["errors"])
    assert errors["garbage"] + errors["overflow"] > 5 * (WELL - SICK)
    assert events(houses.mixed, Trouble.GARBAGE) == [("ready", "")], "a link that carries garbage is not lost"


def test_garbage_is_told_once_a_second_at_most(houses: Houses) -> None:
    at = [moment for moment, _ in seconds(houses.mixed, Trouble.GARBAGE, "device")]
    assert len(at) <= WELL - SICK + 5


def test_the_hub_itself_ran_from_beginning_to_end_without_a_gap(houses: Houses) -> None:
    bodies = journalled(houses.mixed.broker)
    assert gapless(bodies)
    gaps = [cast("Body", body["data"]) for body in bodies if body["type"] == "io.devicehub.gap"]
    assert {gap["stream"] for gap in gaps} == set(Trouble), "only the bad devices have any"
    assert bodies[-1]["type"] == "io.devicehub.hub.stopped"


def test_a_message_that_breaks_the_contract_would_be_seen(houses: Houses) -> None:
    """The houses above hold every message against the contract; that this notices is shown here."""
    good = next(out for _, out in houses.mixed.broker.log if b'"io.devicehub.reading"' in out.payload)
    bad = Outgoing(good.topic, good.payload.replace(b'"unit":', b'"units":'), 1, False, None, good.type, "", "")  # noqa: FBT003 - as in `Outgoing`
    assert breaches([good]) == []
    assert breaches([bad]) != []
