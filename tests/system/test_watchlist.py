"""A document on the watch list before a real scanner driver: a detection that nobody overlooks and that names nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from devicehub.core.scans import Publish, ScanPolicy
from devicehub.core.watchlist import POINT, WatchList, entry
from devicehub.hub import Revision, Upkeep
from devicehub.publish.memory import MemoryBroker
from tests.system.house import Furniture, House, decoded, house, journalled, named
from tests.system.requester import requester

DRIVER = "scanner.hid_pos"
SCANNER = named(DRIVER)
KEY = b"k" * 32
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
PERSONAL = (b"ERIKSSON", b"L898902C3", entry(TD3, KEY).hex().encode())
Body = dict[str, object]


def policy(*texts: str) -> ScanPolicy:
    return ScanPolicy(Publish.HASH, KEY, WatchList.of("stolen", [entry(text, KEY) for text in texts]))


class Lane:
    """A scanner that reads what a test wants, in one run of the hub after the other."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.broker = MemoryBroker()
        self.scans = policy("UTO L898902C3")
        self.runs = 0

    @asynccontextmanager
    async def run(self) -> AsyncIterator[House]:
        self.runs += 1
        furniture = Furniture(scans=self.scans, demo=False, reread=self.reread)
        async with house(self.state, [DRIVER], furniture, broker=self.broker, boot=f"boot-{self.runs}") as running:
            self.running = running
            await running.clock.sleep(2)
            yield running

    async def reread(self) -> Revision:
        plan = self.running.hub._plan
        return Revision(
            setting=replace(plan.setting, scans=self.scans), upkeep=Upkeep(), info=plan.info(), stopped=(),
            restarted=(), posts=(), take=lambda: None, summary="another list",
        )  # fmt: skip

    async def scan(self, text: str) -> None:
        self.running.ports[SCANNER].simulator.do("scan", symbology="]Q0", data=text)
        await self.running.clock.sleep(2)

    def alarms(self) -> list[str]:
        """What happened at the scanner's point, each once."""
        return [
            str(body["type"]).removeprefix("io.devicehub.alarm.")
            for body in {str(body["id"]): body for body in journalled(self.broker)}.values()
            if body.get("subject") == f"{SCANNER}/{POINT}" and str(body["type"]).startswith("io.devicehub.alarm.")
        ]

    def standing(self) -> list[Body]:
        """As a subscriber that comes now sees it."""
        topic = f"/alarm/{SCANNER}/{POINT}"
        return [
            cast("Body", decoded(out)["data"]) for name, out in self.broker.retained.items() if name.endswith(topic)
        ]


async def test_a_hit_is_a_detection_that_outlives_a_kill_and_is_closed_by_people_alone(state: Path) -> None:
    lane = Lane(state)
    async with lane.run() as running:
        await lane.scan("TICKET-1")
        assert lane.alarms() == []
        await lane.scan(TD3)
        assert lane.alarms() == ["raised", "returned"]
        (stands,) = lane.standing()
        assert (stands["category"], stands["condition"], stands["state"]) == ("threat", "listed", "latched")
        assert stands["message"] == {"key": "alarm.listed", "args": {"device": SCANNER, "text": "stolen"}}
        assert stands["rules_digest"] == (lane.scans.watch.rules if lane.scans.watch else "")
        await running.kill()
    async with lane.run() as running:
        assert lane.alarms() == ["raised", "returned"], "not announced again"
        async with requester(running) as people:
            there = {"device": SCANNER, "point": POINT}
            (*_, shelved) = await people.ask("hub/shelve", args={**there, "seconds": 60, "why": "busy"})
            assert str(shelved["why"]).startswith("highly-managed")
            await people.ask("hub/ack", args=there)
            (*_, closed) = await people.ask("hub/confirm", args={**there, "disposition": "innocent.known-cause"})
            assert closed["state"] == "done"
    assert lane.alarms()[-2:] == ["confirmed", "cleared"]
    assert lane.standing() == []
    said = b"".join(out.payload for _, out in lane.broker.log)
    assert [one for one in PERSONAL if one in said] == []


async def test_another_list_counts_from_the_reload_on_and_the_scanner_does_not_notice(state: Path) -> None:
    lane = Lane(state)
    async with lane.run() as running:
        lane.scans = policy("TICKET-1")
        assert await running.hub.reload() == "another list"
        await lane.scan(TD3)
        assert lane.alarms() == []
        await lane.scan("TICKET-1")
        assert lane.alarms() == ["raised", "returned"]
        lane.scans = ScanPolicy(Publish.HASH, KEY)
        await running.hub.reload()
        assert len(lane.standing()) == 1, "a detection is not closed by a configuration"
        await lane.scan("TICKET-1")
        assert lane.alarms() == ["raised", "returned"]
        assert [body["type"] for body in journalled(lane.broker)].count("io.devicehub.device.ready") == 1


async def test_a_burst_of_hits_is_one_alarm(state: Path) -> None:
    lane = Lane(state)
    async with lane.run():
        await asyncio.gather(*(lane.scan(TD3) for _ in range(20)))
        (stands,) = lane.standing()
        assert stands["activations"] == lane.alarms().count("raised") > 1
