"""A configuration read again while devices talk: whom it does not concern notices nothing, whom it does comes back."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from devicehub.hub.plan import Upkeep
from devicehub.model.alarm import AlarmCategory, Condition, Limit
from devicehub.model.errors import ConfigError
from tests.system.bad_devices import driver
from tests.system.street import FRESH_RULES, Street, Talker, renewed, street

HIGH = Limit("value-high", "a", "value", Condition.HIGH, 10.0, category=AlarmCategory.DEVICE)


def events(here: Street, word: str) -> list[str]:
    """Why the hub said that."""
    return [str(data.get("why", "")) for data in here.data("event", word)]


async def test_those_it_does_not_concern_lose_nothing_and_hear_nothing_of_it(state: Path) -> None:
    random = Random(7)
    async with street(state, "a", "b", "c") as here:
        assert here.house is not None
        for round_ in range(20):
            match random.choice(["add", "remove", "change"]):
                case "add":
                    here.devices[f"n{round_}"] = Talker()
                case "remove":
                    here.devices.pop(random.choice([*here.devices][2:] or ["none"]), None)
                case _:
                    name = random.choice([*here.devices][2:] or ["c"])
                    here.devices[name] = Talker()
            await here.reload()
            await here.house.clock.sleep(random.uniform(0, 1))
    for name in ("a", "b"):
        talker = here.devices[name]
        assert here.values(name) == list(range(talker.said)), "each number once, in order"
        assert len(talker.socket.opened) == 1
        assert talker.retired == 0
    assert [data["device"] for data in here.data("event", "device-offline")].count("a") == 0
    assert not here.data("gap", "a")
    assert len(here.data("event", "hub-reloaded")) == 20


async def test_many_reloads_leave_no_task_and_no_account_behind(state: Path) -> None:
    async with street(state, "a", "b") as here:
        assert here.house is not None
        counts = []
        for round_ in range(50):
            here.devices["b"] = renewed(here.devices["b"])
            here.devices.pop(f"n{round_ - 1}", None)
            here.devices[f"n{round_}"] = Talker()
            await here.reload()
            await here.house.clock.sleep(1)
            counts.append((len(asyncio.all_tasks()), len(here.house.hub._pipe._accounts)))
    assert set(counts[2:]) == {counts[2]}


async def test_their_readings_are_not_late(state: Path) -> None:
    """A device beside one whose link takes its time to close is heard at once."""
    async with street(state, "a", "b") as here:
        assert here.house is not None
        clock = here.house.clock

        async def slowly() -> None:
            await clock.sleep(1.5)

        here.devices["b"].socket.opened[-1].close = slowly  # type: ignore[method-assign]  # of this one link
        del here.devices["b"]
        before = clock.monotonic()
        await here.reload()
        assert clock.monotonic() - before > 1.5, "the link was as slow to close as it should be"
        arrivals = [at for at, out in here.house.broker.log if "/reading/a/" in out.topic]
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    assert max(gaps) < 0.2


async def test_a_removed_device_is_heard_to_the_end_and_then_nothing_is_retained_of_it(state: Path) -> None:
    async with street(state, "a", "b") as here:
        assert here.house is not None
        gone = here.devices.pop("b")
        assert here.retained("describe", "b")
        gone.socket.say(b"4711\n")
        await asyncio.sleep(0)  # noqa: TID251 - the session reads it, and nothing more
        await here.reload()
        await here.house.clock.sleep(3)
        assert 4711 in here.values("b")
        assert [kind for kind in ("describe", "device", "capability", "state") if here.retained(kind, "b")] == []
        assert (gone.socket.closed, gone.retired) == (len(gone.socket.opened), 1)
    assert events(here, "device-offline") == ["it is no longer configured"]


async def test_an_added_device_is_described_and_heard(state: Path) -> None:
    async with street(state, "a") as here:
        assert here.house is not None
        here.devices["new"] = Talker()
        await here.reload()
        await here.house.clock.sleep(2)
        assert here.retained("describe", "new")
        assert here.retained("capability", "new")[0]["capabilities"] == [{"name": "vapour", "level": "full"}]
    assert here.values("new") == list(range(here.devices["new"].said))


async def test_a_changed_device_goes_with_a_reason_and_comes_back_under_another_driver(state: Path) -> None:
    other = replace(driver(), name="trace.other", title="Another one")
    async with street(state, "a", "b") as here:
        assert here.house is not None
        old = here.devices["b"]
        here.devices["b"] = renewed(old, other)
        await here.reload()
        await here.house.clock.sleep(2)
        assert here.retained("describe", "b")[0]["title"] == "Another one"
        assert here.retained("device", "b")[0]["state"] == "ready"
    assert events(here, "device-offline") == ["its configuration was changed"]
    assert [data["device"] for data in here.data("event", "device-ready")] == ["a", "b", "b"]
    assert here.values("b")[-1] == here.devices["b"].said - 1
    assert [data["reason"] for data in here.data("gap", "b") if "until" in data] == ["disconnected"]


async def test_an_alarm_under_a_limit_that_stays_stands_on_under_its_name(state: Path) -> None:
    async with street(state, "a", "b", limits=[HIGH]) as here:
        assert here.house is not None
        (alarm,) = here.retained("alarm", "a")
        here.limits = [replace_limit(HIGH, 12.0), replace_limit(HIGH, 1e9, name="never")]
        here.devices["b"] = renewed(here.devices["b"])
        await here.reload()
        await here.house.clock.sleep(2)
        (still,) = here.retained("alarm", "a")
        assert still["alarm"] == alarm["alarm"]
    assert len(here.data("event", "alarm-raised")) == 1
    assert not here.data("event", "alarm-cleared")


def replace_limit(limit: Limit, value: float, name: str = "") -> Limit:
    return Limit(name or limit.name, limit.device, limit.channel, limit.condition, value, category=limit.category)


async def test_a_limit_that_goes_ends_the_condition_of_its_alarm_and_says_why(state: Path) -> None:
    """What nobody has acknowledged stays to be seen, and counts as returned."""
    async with street(state, "a", limits=[HIGH]) as here:
        assert here.house is not None
        assert here.retained("alarm", "a")
        here.limits = ()
        await here.reload()
        await here.house.clock.sleep(1)
        (left,) = here.retained("alarm", "a")
        assert left["state"] == "rtn-unack"
    (returned,) = here.data("event", "alarm-returned")
    assert returned["why"] == "its limit or device is no longer configured"


async def test_a_new_limit_judges_from_then_on_by_the_new_rules(state: Path) -> None:
    async with street(state, "a") as here:
        assert here.house is not None
        here.limits, here.rules = [HIGH], FRESH_RULES
        await here.reload()
        await here.house.clock.sleep(1)
        (alarm,) = here.retained("alarm", "a")
        assert alarm["rules_digest"] == FRESH_RULES
        (info,) = [one for one in here.data("info") if one["config_digest"] == FRESH_RULES]
        assert info["devices"] == ["a"]
    readings = here.data("reading", "a/")
    assert "limits" not in readings[0]
    assert readings[-1]["limits"] == {"high": 10.0}


async def test_a_bad_one_changes_nothing_and_says_what_is_wrong(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with street(state, "a", limits=[HIGH]) as here:
        assert here.house is not None
        here.devices.pop("a")
        here.limits, here.upkeep = (), Upkeep(health_every=1.0)
        healths = len(here.data("health"))
        here.trouble = ConfigError("\n".join(f"f.toml:{line}:1  mistake {line}" for line in range(1, 9)))
        with pytest.raises(ConfigError, match="mistake 8"):
            await here.reload()
        await here.house.clock.sleep(5)
        talker = here.taken["a"]
        assert here.retained("alarm", "a")
        assert len(here.data("health")) == healths
    assert here.values("a") == list(range(talker.said))
    assert not here.data("event", "hub-reloaded")
    (why,) = events(here, "hub-reload-failed")
    assert why.splitlines() == [*(f"f.toml:{line}:1  mistake {line}" for line in range(1, 6)), "and 3 more"]
    assert caplog.text.count("configuration not taken") == 8


async def test_a_good_one_after_a_bad_one_is_taken(state: Path) -> None:
    async with street(state, "a") as here:
        here.trouble = ConfigError("f.toml:1:1  not yet")
        with pytest.raises(ConfigError):
            await here.reload()
        here.trouble = None
        here.devices["b"] = Talker()
        assert await here.reload() == "what a test wrote"
        assert here.house is not None
        await here.house.clock.sleep(1)
    assert here.values("b")


async def test_several_at_once_are_made_one_after_the_other(state: Path) -> None:
    async with street(state, "a", "b") as here:
        assert here.house is not None
        waiting = []
        for _ in range(5):
            here.devices["b"] = renewed(here.devices["b"])
            waiting.append(here.house.hub.reload())
        assert await asyncio.gather(*waiting) == ["what a test wrote"] * 5
        await here.house.clock.sleep(2)
    assert here.rereads == 5
    assert len(here.data("event", "hub-reloaded")) == 5
    assert events(here, "device-offline") == ["its configuration was changed"], "the last one written, once"
    assert here.values("a") == list(range(here.devices["a"].said))


async def test_who_asked_and_left_stops_nothing(state: Path) -> None:
    async with street(state, "a") as here:
        assert here.house is not None
        here.devices["b"] = Talker()
        answer = here.house.hub.reload()
        await here.house.clock.sleep(0.1)
        answer.cancel()
        await here.house.clock.sleep(3)
    assert here.values("b")


async def test_the_pace_of_health_changes_at_once(state: Path) -> None:
    async with street(state, "a") as here:
        assert here.house is not None
        here.upkeep = Upkeep(health_every=1.0)
        await here.house.clock.sleep(1.2)
        before = len(here.data("health"))
        await here.reload()
        await here.house.clock.sleep(5.5)
        assert len(here.data("health")) == before + 5
        here.upkeep = Upkeep(health_every=3600.0)
        await here.reload()
        await here.house.clock.sleep(60)
        assert len(here.data("health")) <= before + 6


async def test_readings_go_in_batches_from_then_on(state: Path) -> None:
    async with street(state, "a") as here:
        assert here.house is not None
        here.batch = True
        await here.reload()
        await here.house.clock.sleep(1)
        batched = [out for _, out in here.house.broker.log if out.topic.endswith("/reading/a")]
    assert batched


async def test_a_hub_that_ends_meanwhile_says_so_to_whoever_asked(state: Path) -> None:
    async with street(state, "a") as here:
        assert here.house is not None
        answer, late = here.house.hub.reload(), here.house.hub.reload()
        await here.house.clock.sleep(0.1)
        await here.house.end()
        after = here.house.hub.reload()
        for one in (answer, late, after):
            with pytest.raises(ConfigError, match="stopping"):
                await one


async def test_a_device_that_was_added_is_known_to_the_next_run(state: Path) -> None:
    """Its states are deleted at the broker, should it be gone from the configuration by then."""
    async with street(state, "a") as here:
        here.devices["b"] = Talker()
        await here.reload()
        assert here.house is not None
        former = here.house.hub._journal
    async with street(state, "a") as here:
        assert here.house is not None
        assert here.house.hub._journal is not former
        assert here.house.hub._journal.former == ("b",)
