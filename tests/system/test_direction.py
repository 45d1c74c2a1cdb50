"""An instructor leads a whole hub in virtual time: by commands, judged, answered and on record as any other."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from devicehub.config.resources import shipped
from devicehub.exercise.facts import journal_facts
from devicehub.exercise.load import load_scenario
from devicehub.exercise.trainee import Trainee
from devicehub.model.instant import instant
from devicehub.publish.port import Incoming
from devicehub.view import View, Watcher
from tests.system.rehearsal import Rehearsed, rehearse

NIGHT = "green-border-night"
Answer = tuple[str, str]


class Lead(Trainee):
    """Answers as a trainee does, and does meanwhile what the test's `act` says."""

    act: Callable[["Lead"], Awaitable[None]]
    watcher: Watcher

    async def watch(self, view: View) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(super().watch(view))
            with view.watched() as (_, self.watcher):
                await type(self).act(self)

    async def after(self, pause: float, verb: str, **args: object) -> Answer:
        """Wait, give a command, and wait for its last word: state and why."""
        await self._clock.sleep(pause)
        self._number += 1
        name = f"lead-{self._number}"
        body = {"id": name, "issuer": "instructor-1", "deadline": instant(self._clock.utc() + 30), "args": args}
        topic = f"{self._topics.prefix}/cmd/hub/exercise-{verb}"
        self._hub.command(Incoming(topic, json.dumps(body).encode(), retain=False))
        while True:
            for out in (await self.watcher.news()).messages:
                if "/res/" not in out.topic:
                    continue
                data = cast(dict[str, str], json.loads(out.payload)["data"])
                if data["command"] == name and data["state"] != "accepted":
                    return data["state"], data.get("why", "")


def led(state: Path, act: Callable[[Lead], Awaitable[None]], name: str = NIGHT) -> Rehearsed:
    """That scenario, played to its end under an instructor."""
    instructor = type("Instructor", (Lead,), {"act": act})
    return rehearse(load_scenario(shipped("scenarios") / f"{name}.toml"), state, trainee=instructor)


def test_a_pause_of_minutes_costs_the_trainee_nothing(state: Path) -> None:
    told: list[Answer] = []

    async def act(lead: Lead) -> None:
        told.append(await lead.after(10, "pause"))
        told.append(await lead.after(5, "pause"))
        told.append(await lead.after(300, "resume"))
        told.append(await lead.after(1, "resume"))

    done = led(state / "s", act)
    assert told == [
        ("done", ""),
        ("rejected", "the exercise is paused already"),
        ("done", ""),
        ("rejected", "the exercise is running"),
    ]
    assert done.score.percent == 100.0
    assert [one.mark.word.value for one in done.score.interventions] == ["pauses", "resumes"]
    facts = journal_facts(state / "s")
    assert facts[-1].at - facts[0].at > 80 + 300
    audited = [one.data["issuer"] for one in facts if one.word == "command" and one.data["verb"] == "exercise-pause"]
    assert set(audited) == {"instructor-1"}


def test_an_inject_raises_an_alarm_and_is_undone_by_itself(state: Path) -> None:
    hot = json.dumps({"x": 16, "y": 12, "dk": 30})

    async def act(lead: Lead) -> None:
        await lead.after(8, "inject", do="hotspot", device="thermal-1", values=hot, seconds=3)

    done = led(state / "s", act)
    facts = journal_facts(state / "s")
    raised = sorted({one.at - facts[0].at for one in facts if one.word == "alarm.raised"})
    assert 8 < raised[0] < 11
    assert 20 < raised[1] < 25, "it went away, and came again with the scenario's own"
    assert done.score.findings[0].why == "thermal-1/image-max-high was raised"
    assert done.score.interventions[0].mark.injected.values == {"x": 16, "y": 12, "dk": 30}


def test_what_cannot_be_injected_is_refused_and_said(state: Path) -> None:
    told: list[Answer] = []

    async def act(lead: Lead) -> None:
        wrong: list[dict[str, object]] = [
            {"do": "explode", "device": "thermal-1"},
            {"do": "hotspot", "device": "camera"},
            {"do": "hotspot", "device": "thermal-1", "values": '{"x": 1}'},
            {"do": "rate", "device": "thermal-1", "values": "hz=2"},
            {"do": "ambient", "device": "thermal-1", "values": '{"celsius": 3}', "seconds": 3},
            {"do": "end"},
        ]
        told.extend([await lead.after(1, "inject", **given) for given in wrong])
        told.append(await lead.after(1, "speed", speed=4))

    done = led(state / "s", act)
    assert done.score.percent == 100.0
    assert {state for state, _ in told} == {"rejected"}
    for (_, why), expected in zip(
        told,
        [
            "no verb 'explode'",
            "no such device",
            "needs 'y'",
            "JSON is malformed",
            "does not end by itself",
            "'end' stands in a scenario alone",
            "no pace",
        ],
        strict=True,
    ):
        assert expected in why


def test_an_end_by_the_instructor_leaves_what_was_not_played_failed(state: Path) -> None:
    async def act(lead: Lead) -> None:
        await lead.after(30, "end")

    done = led(state / "s", act)
    assert [one.why for one in done.score.findings] == ["", "", "the step never happened"]


@pytest.mark.parametrize("name", ["clock-jump"])
def test_what_is_said_by_the_instructor_goes_to_everybody(state: Path, name: str) -> None:
    async def act(lead: Lead) -> None:
        await lead.after(2, "inject", do="say", values=json.dumps({"text": "Look again."}))

    done = led(state / "s", act, name)
    assert done.score.percent == 100.0
    assert done.score.interventions[0].mark.injected.do == "say"
