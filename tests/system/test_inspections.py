"""Inspections of a whole hub: a scan, a button or a command opens one, everything carries its id, and no kill hides one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from devicehub.hub import Revision, Upkeep
from devicehub.model.alarm import Condition, Limit
from devicehub.model.inspection import InspectionDesk
from devicehub.publish.memory import MemoryBroker
from tests.system.house import Furniture, House, decoded, house, journalled, named
from tests.system.requester import Body, Requester, records, requester

SCANNER, VAPOUR, CAMERA, GAMMA = "scanner.hid_pos", "trace.aci_pids3", "endoscope.useeplus", "radiation.atom_fast"
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
DESK = InspectionDesk("desk-1", (named(SCANNER), named(VAPOUR), named(CAMERA)), 60.0, scans=("document",))
LIMIT = Limit("voc-high", named(VAPOUR), "voc", Condition.HIGH, 20.0, hysteresis=2.0)
OWN = "low"  # what the vapour detector itself calls its alarm
EVERY = (SCANNER, VAPOUR, CAMERA, GAMMA)


class Checkpoint:
    """A desk and a gamma detector beside it, in one run of the hub after the other."""

    def __init__(self, state: Path, drivers: Sequence[str] = EVERY) -> None:
        self.state, self.drivers = state, drivers
        self.broker = MemoryBroker()
        self.desks: Sequence[InspectionDesk] = (DESK,)
        self.runs = 0

    @asynccontextmanager
    async def run(self) -> AsyncIterator[tuple[House, Requester]]:
        self.runs += 1
        furniture = Furniture(
            desks=self.desks,
            limits=(LIMIT,) if VAPOUR in self.drivers else (),
            demo=False,
            slow_images=False,
            reread=self.reread,
        )
        boot = f"boot-{self.runs}"
        async with house(self.state, self.drivers, furniture, broker=self.broker, boot=boot) as running:
            self.running = running
            async with requester(running) as people:
                await running.clock.sleep(5)
                yield running, people

    async def reread(self) -> Revision:
        plan = self.running.hub._plan
        return Revision(
            setting=replace(plan.setting, desks=self.desks), upkeep=Upkeep(), info=plan.info(), stopped=(),
            restarted=(), posts=(), take=lambda: None, summary="other desks",
        )  # fmt: skip

    async def does(self, driver: str, verb: str, **values: float | str) -> None:
        self.running.ports[named(driver)].simulator.do(verb, **values)
        await self.running.clock.sleep(3)

    def told(self, word: str) -> list[Body]:
        bodies = [body for body in journalled(self.broker) if body["type"] == f"io.devicehub.inspection.{word}"]
        return [cast("Body", body["data"]) for body in bodies]

    def retained(self) -> list[Body]:
        return [
            cast("Body", decoded(out)["data"])
            for topic, out in self.broker.retained.items()
            if topic.endswith("/inspection/desk-1") and out.payload
        ]

    def carrying(self, inspection: object) -> set[str]:
        """Kinds and devices of what carries an id."""
        bodies = [decoded(out) for _, out in self.broker.log if out.payload]
        found = [body for body in bodies if body.get("inspection") == inspection]
        return {f"{str(body['type']).removeprefix('io.devicehub.')} {body['subject']}" for body in found}


async def test_a_document_opens_an_inspection_that_tells_at_its_end_what_was_found(state: Path) -> None:
    here, place = Checkpoint(state), {"device": named(VAPOUR), "point": "voc-high"}
    async with here.run() as (running, people):
        await here.does(SCANNER, "scan", symbology="]Q0", data=TD3)
        (opened,) = here.told("opened")
        name = opened["inspection"]
        assert [one["inspection"] for one in here.retained()] == [name]
        await here.does(VAPOUR, "vapour", ppm=60.0)
        await here.does(CAMERA, "press", seconds=0.2)
        await running.clock.sleep(20)
        await people.ask("hub/ack", args=place)
        await people.ask("hub/confirm", args={**place, "disposition": "innocent.known-cause"})
        (_, done) = await people.ask("hub/close-inspection", args={"inspection": name}, reason="let go")
        assert done["result"] == {"inspection": name, "desk": "desk-1", "outcome": "alarm"}
        assert here.retained() == []
        await here.does(VAPOUR, "vapour", ppm=0.0)
    (ended,) = here.told("ended")
    assert (ended["reason"], ended["closed_by"], ended["note"]) == ("closed", "op-1147", "let go")
    checked = {str(one["device"]): one for one in cast("list[Body]", ended["checked"])}
    assert set(checked) == {named(SCANNER), named(VAPOUR), named(CAMERA)}
    alarms = {str(one["point"]): one for one in cast("list[dict[str, Body]]", ended["alarms"])}
    assert set(alarms) == {"voc-high", OWN}
    disposition = alarms["voc-high"]["disposition"]
    assert (disposition["code"], disposition["by"]) == ("innocent.known-cause", "op-1147")
    (image,) = cast("list[Body]", ended["images"])
    assert (state / "evidence-exercise" / str(image["dataref"])).is_file()
    carrying = here.carrying(name)
    assert {f"scan {named(SCANNER)}", f"capture {named(CAMERA)}", f"reading {named(VAPOUR)}/voc"} <= carrying
    assert {f"alarm.{word} {named(VAPOUR)}/voc-high" for word in ("raised", "acked", "confirmed")} <= carrying
    assert not [one for one in carrying if named(GAMMA) in one], "it belongs to no desk"
    assert ("close-inspection", "done") in [(one["verb"], one["state"]) for one in records(here.broker)]
    everything = b"".join(out.payload for _, out in here.broker.log)
    assert b"ERIKSSON" not in everything
    assert b"L898902C3" not in everything


async def test_a_button_opens_one_that_ends_by_itself(state: Path) -> None:
    here = Checkpoint(state, [CAMERA])
    here.desks = [InspectionDesk("desk-1", (named(CAMERA),), 30.0, buttons=("snapshot",))]
    async with here.run() as (running, _):
        await here.does(CAMERA, "press", seconds=0.2)
        await running.clock.sleep(40)
        (ended,) = here.told("ended")
        assert (ended["how"], ended["reason"], ended["duration_s"]) == ("button", "timed-out", 30.0)
        assert ended["ended"] == ended["until"]
        assert len(cast("list[Body]", ended["images"])) == 1, "of the press that opened it"


async def test_one_that_a_kill_interrupts_is_ended_at_the_next_start_with_what_is_known(state: Path) -> None:
    here = Checkpoint(state, [VAPOUR])
    async with here.run() as (running, people):
        (_, done) = await people.ask("hub/open-inspection", args={"reference": "CASE-17"})
        await here.does(VAPOUR, "vapour", ppm=60.0)
        await running.clock.sleep(20)
        await running.kill()
    name = cast("Body", done["result"])["inspection"]
    assert [one["inspection"] for one in here.retained()] == [name], "as the broker still has it"
    async with here.run():
        (ended,) = here.told("ended")
        assert here.retained() == []
    assert (ended["inspection"], ended["reference"], ended["reason"]) == (name, "CASE-17", "interrupted")
    assert "ended" not in ended, "nobody knows when"
    assert {str(one["point"]) for one in cast("list[Body]", ended["alarms"])} == {"voc-high", OWN}
    assert ended["outcome"] == "alarm"
    (checked,) = cast("list[dict[str, int]]", ended["checked"])
    assert checked["values"] > 5
    assert len(here.told("opened")) == 1, "it does not go on"


async def test_the_hub_s_end_ends_it_and_leaves_nothing_for_the_next_run(state: Path) -> None:
    here = Checkpoint(state, [VAPOUR])
    async with here.run() as (_, people):
        await people.ask("hub/open-inspection")
    assert [one["reason"] for one in here.told("ended")] == ["hub-ended"]
    async with here.run():
        assert len(here.told("ended")) == 1
    assert here.retained() == []


async def test_a_desk_that_is_configured_away_ends_it_and_a_command_says_what_is_there(state: Path) -> None:
    here = Checkpoint(state, [VAPOUR])
    async with here.run() as (running, people):
        await people.ask("hub/open-inspection", args={"desk": "desk-1"})
        (*_, refused) = await people.ask("hub/open-inspection", args={"desk": "desk-2"})
        assert (refused["state"], refused["why"]) == ("rejected", "no desk 'desk-2'; there is desk-1")
        here.desks = ()
        assert await running.hub.reload() == "other desks"
        await running.clock.sleep(2)
        assert [one["reason"] for one in here.told("ended")] == ["removed"]
        (*_, refused) = await people.ask("hub/close-inspection")
        assert refused["why"] == "no [[desk]] is configured"
