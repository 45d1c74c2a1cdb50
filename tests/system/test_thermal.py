"""A thermal camera that looks at a vehicle's wall: what is warm is an alarm once it has been seen long enough."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import cast

from devicehub.collect.supervisor import Post
from devicehub.config.models import Config
from devicehub.config.points import alarm_points, thermal_rules
from devicehub.registry import load_driver, load_simulator
from devicehub.transport.simulated import SimulatedPort
from tests.system.house import Furniture, House, decoded, house, journalled, virtual_clock
from tests.system.requester import requester

NAME = "thermal.infiray_p2pro"
CONFIG = Config.model_validate(
    {
        "hub": {"site": "s", "node": "n"},
        "region": [
            {"device": "cam", "name": "panel", "rectangle": [80, 40, 120, 120]},
            {"device": "cam", "name": "roof", "rectangle": [80, 4, 120, 24]},
        ],
        "thermal": [
            {
                "device": "cam",
                "channel": "temperature",
                "name": "panel-warm",
                "delta": 4.0,
                "region": "panel",
                "reference": "roof",
                "area_px": 20,
            }
        ],
    }
)
HZ = 5.0
Body = dict[str, object]


class Wall:
    """The camera and what it is aimed at. A frame every 0.2 s; six of the last nine have to show it."""

    def __init__(self, running: House, port: SimulatedPort) -> None:
        self.running = running
        self.port = port

    async def look(self, frames: int) -> None:
        await self.running.clock.sleep(frames / HZ)

    def spot(self, kelvin: float) -> None:
        """Something behind the panel, so much warmer than it."""
        self.port.simulator.do("hotspot", x=128, y=96, dk=kelvin)

    def events(self) -> list[str]:
        return [
            str(body["type"]).removeprefix("io.devicehub.alarm.")
            for body in journalled(self.running.broker)
            if body.get("subject") == "cam/panel-warm" and "revision" in cast("Body", body["data"])
        ]

    def alarm(self) -> Body | None:
        """What a late subscriber sees."""
        found = [out for topic, out in self.running.broker.retained.items() if topic.endswith("/alarm/cam/panel-warm")]
        return cast("Body", decoded(found[0])["data"]) if found and found[0].payload else None

    def frames(self) -> list[Body]:
        log = self.running.broker.log
        return [cast("Body", decoded(out)["data"]) for _, out in log if out.topic.endswith("/frame/cam")]


@asynccontextmanager
async def wall(state: Path) -> AsyncIterator[Wall]:
    driver, clock = load_driver(NAME), virtual_clock(1, asyncio.get_running_loop())
    port = SimulatedPort(driver.link, lambda: load_simulator(NAME)(Random(1)), clock, tick=0.05)
    port.simulator.do("rate", hz=HZ)
    furniture = Furniture(
        limits=alarm_points(CONFIG),
        thermal=thermal_rules(CONFIG),
        posts=[Post("cam", port.open, partial(driver.open, {}), driver.quiet)],
        drivers={"cam": driver},
    )
    async with house(state, (), furniture) as running:
        one = Wall(running, port)
        await one.look(15)
        assert one.events() == []
        yield one
        port.unplug()


async def test_a_warm_spot_is_an_alarm_after_enough_frames_and_stays_until_it_is_closed(tmp_path: Path) -> None:
    async with wall(tmp_path) as one:
        one.spot(9.0)
        await one.look(4)
        assert one.events() == []
        await one.look(6)
        assert one.events() == ["raised"]
        alarm = one.alarm()
        assert alarm is not None
        assert (alarm["condition"], alarm["limit"], alarm["unit"]) == ("high", 4.0, "K")
        assert 4.0 < cast(float, alarm["value"]) < 9.5
        one.spot(0.0)
        await one.look(10)
        assert one.events() == ["raised", "returned"]
        alarm = one.alarm()
        assert alarm is not None, "a threat stays until somebody has closed it"
        assert alarm["state"] == "latched"
        async with requester(one.running) as client:
            await client.ask("hub/ack", args={"device": "cam", "point": "panel-warm"})
            wanted = {"device": "cam", "point": "panel-warm", "disposition": "innocent.known-cause"}
            await client.ask("hub/confirm", args=wanted)
        assert one.events() == ["raised", "returned", "acked", "confirmed", "cleared"]
        assert one.alarm() is None


async def test_the_frame_on_which_it_came_is_evidence_and_each_names_the_one_before(tmp_path: Path) -> None:
    async with wall(tmp_path) as one:
        one.spot(9.0)
        await one.look(20)
        (raised,) = [body for body in journalled(one.running.broker) if body["type"] == "io.devicehub.alarm.raised"]
        (kept,) = [body for body in journalled(one.running.broker) if body["type"] == "io.devicehub.capture"]
        bodies = [decoded(out) for _, out in one.running.broker.log if out.topic.endswith("/frame/cam")]
        (frame,) = [cast("Body", body["data"]) for body in bodies if body["id"] == raised["causationid"]]
        data = cast("Body", kept["data"])
        assert (data["trigger"], data["digest"]) == ("alarm", frame["digest"])
        assert (kept["causationid"], kept["time"]) == (raised["id"], raised["time"])
        assert data["alarm"] == kept["correlationid"] == cast("Body", raised["data"])["alarm"]
        assert (tmp_path / "evidence-exercise" / str(data["dataref"])).stat().st_size == data["size"]


async def test_frames_of_a_closed_shutter_do_not_raise_it(tmp_path: Path) -> None:
    """Four frames show the spot and then the picture stands still: that is not seeing it for longer."""
    async with wall(tmp_path) as one:
        one.spot(9.0)
        await one.look(4)
        one.port.simulator.do("fault", kind="freeze")
        before = len(one.frames())
        await one.look(20)
        frozen = one.frames()[before:]
        assert one.events() == []
        assert len(frozen) > 9
        reasons = {str(cast("Body", frame["unjudged"])["panel-warm"]) for frame in frozen[1:]}
        assert reasons == {"frozen", "shutter"}


async def test_frames_of_a_closed_shutter_do_not_end_it(tmp_path: Path) -> None:
    """The picture stands still at a moment without the spot; the alarm stands on."""
    async with wall(tmp_path) as one:
        one.spot(9.0)
        await one.look(10)
        assert one.events() == ["raised"]
        one.spot(0.0)
        await one.look(2)
        one.port.simulator.do("fault", kind="freeze")
        await one.look(40)
        assert one.events() == ["raised"]
        alarm = one.alarm()
        assert alarm is not None
        assert alarm["state"] == "unack-active"


async def test_a_frame_names_the_spot_that_the_rule_is_about(tmp_path: Path) -> None:
    async with wall(tmp_path) as one:
        one.spot(12.0)
        await one.look(5)
        (region,) = cast("list[Body]", one.frames()[-1]["regions"])
        left, top, width, height = cast("list[int]", region["bbox"])
        assert region["id"] == "panel-warm"
        assert left < 128 < left + width
        assert top < 96 < top + height
        assert abs(cast(float, region["x"]) - 128.5) < 2
        assert abs(cast(float, region["y"]) - 96.5) < 2
        assert 20 <= cast(int, region["area_px"]) < width * height
        assert 10.0 < cast(float, region["delta"]) < 14.0
