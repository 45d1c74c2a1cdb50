"""A house whose configuration a test rewrites while its devices talk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from devicehub.collect.supervisor import Post
from devicehub.core import Setting
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.driver import Driver
from devicehub.hub.plan import Revision, RulesChange, Upkeep
from devicehub.model.alarm import Limit
from devicehub.model.errors import ConfigError
from devicehub.model.payload import InfoData
from tests.system.bad_devices import driver
from tests.system.house import RULES, Furniture, House, decoded, house
from tests.unit.links import Socket

EVERY = 0.05
FRESH_RULES = "sha256:" + "1" * 64
Data = dict[str, object]


@dataclass
class Talker:
    """A device that counts aloud, twenty times a second, for as long as somebody has its link open."""

    socket: Socket = field(default_factory=Socket)
    said: int = 0
    retired: int = 0
    driver: Driver = field(default_factory=driver)

    def post(self, name: str) -> Post:
        self.socket.trouble = None
        return Post(name, self.socket.open, lambda: driver().open({}), retire=self.retire)

    async def retire(self) -> None:
        self.retired += 1

    def count(self) -> None:
        if len(self.socket.opened) > self.socket.closed:
            self.socket.say(b"%d\n" % self.said)
            self.said += 1


@dataclass
class Street:
    """What is written in the configuration, and the house that runs by it."""

    devices: dict[str, Talker]
    limits: Sequence[Limit] = ()
    upkeep: Upkeep = field(default_factory=Upkeep)
    batch: bool = False
    rules: str = RULES
    change: RulesChange | None = None
    trouble: ConfigError | None = None
    rereads: int = 0
    taken: dict[str, Talker] = field(default_factory=dict)
    house: House | None = None

    async def reread(self) -> Revision:
        """The configuration as it is written now, against the one that was taken last."""
        self.rereads += 1
        assert self.house is not None
        await self.house.clock.sleep(0.2)
        if self.trouble is not None:
            raise self.trouble
        devices, before = dict(self.devices), dict(self.taken)
        changed = [name for name in devices if name in before and devices[name] is not before[name]]
        starting = [name for name in devices if name not in before or name in changed]
        drivers = {name: talker.driver for name, talker in devices.items()}

        def take() -> None:
            self.taken = devices

        return Revision(
            setting=Setting(
                devices=drivers,
                limits=self.limits,
                scans=ScanPolicy(Publish.HASH, b"k"),
                rules_digest=self.rules,
                batch_readings=self.batch,
                ids=self.house.clock.ulid,
            ),
            upkeep=self.upkeep,
            info=InfoData("0", "b", self.rules, 1, (), tuple(devices), "virtual", "2026-01-01T00:00:00.000Z"),
            stopped=[name for name in before if name not in devices],
            restarted=changed,
            posts=[devices[name].post(name) for name in starting],
            take=take,
            summary="what a test wrote",
            rules=self.change,
        )

    async def reload(self) -> str:
        assert self.house is not None
        return await self.house.hub.reload()

    def data(self, kind: str, place: str = "") -> list[Data]:
        """The payloads of a kind and place, each event once, in the order of its first arrival."""
        assert self.house is not None
        found: dict[str, Data] = {}
        for _, out in self.house.broker.log:
            rest = out.topic.split("/")[4:]
            if rest[0] == kind and "/".join(rest[1:]).startswith(place) and out.payload:
                body = decoded(out)
                found.setdefault(str(body["id"]), body)
        return [cast(Data, body["data"]) for body in found.values()]

    def values(self, device: str) -> list[int]:
        """What a device counted, as it was published."""
        return [int(cast(float, data["value"])) for data in self.data("reading", f"{device}/")]

    def retained(self, kind: str, device: str) -> list[Data]:
        assert self.house is not None
        return [
            cast(Data, decoded(out)["data"])
            for topic, out in self.house.broker.retained.items()
            if topic.split("/")[4:6] == [kind, device] and out.payload
        ]


@asynccontextmanager
async def street(state: Path, *names: str, limits: Sequence[Limit] = ()) -> AsyncIterator[Street]:
    """Run a house of talkers; they stop talking before it ends, so that all that they said is heard."""
    street = Street({name: Talker() for name in names}, limits)
    street.taken = dict(street.devices)
    furniture = Furniture(
        limits=limits,
        posts=[talker.post(name) for name, talker in street.devices.items()],
        drivers={name: talker.driver for name, talker in street.devices.items()},
        reread=street.reread,
    )
    async with house(state, (), furniture) as running:
        street.house = running
        talking = asyncio.create_task(_talk(street))
        await running.clock.sleep(1)
        try:
            yield street
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            await running.clock.sleep(1)


async def _talk(street: Street) -> None:
    assert street.house is not None
    while True:
        for talker in {**street.taken, **street.devices}.values():
            talker.count()
        await street.house.clock.sleep(EVERY)


def renewed(talker: Talker, other: Driver | None = None) -> Talker:
    """The same device as it is configured anew: it counts on."""
    return Talker(said=talker.said, driver=other or replace(talker.driver))
