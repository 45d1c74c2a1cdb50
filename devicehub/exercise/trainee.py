"""A trainee who does what the scenario expects, no more and no less: for CI, and to see a scenario through."""

import json
from typing import Final

from devicehub.clock import Clock
from devicehub.exercise.facts import fact
from devicehub.exercise.judge import COMMAND, RAISED
from devicehub.exercise.marks import TYPE, Word, mark
from devicehub.exercise.schema import Expect, Scenario, seconds
from devicehub.exercise.timed import Fact
from devicehub.hub import Hub
from devicehub.model.command import CommandState
from devicehub.model.instant import instant
from devicehub.publish.port import Incoming, Outgoing
from devicehub.publish.topics import Topics
from devicehub.view import View

ISSUER: Final = "automatic-trainee"
REACTION: Final = 2.0
RETRY: Final = 5.0
DEADLINE: Final = 30.0


class Trainee:
    """Looks at what a page looks at and answers by commands, as a page does."""

    def __init__(self, scenario: Scenario, hub: Hub, topics: Topics, clock: Clock) -> None:
        self._steps = scenario.at
        self._expected: list[Expect] = []
        self._commands: set[str] = set()
        self._hub = hub
        self._topics = topics
        self._clock = clock
        self._number = 0

    async def watch(self, view: View) -> None:
        """Answer whatever is raised, for ever."""
        with view.watched() as (_, watcher):
            while True:
                for out in (await watcher.news()).messages:
                    if not out.retain and out.payload:
                        await self._heed(out)

    async def _heed(self, out: Outgoing) -> None:
        """Of a step that happens it is known what is expected; an alarm is answered by what was expected first."""
        if out.type.endswith(TYPE):
            event = fact(out.payload)
            found = mark(event.word, event.data)
            if found is not None and found.word is Word.STEP and (expect := self._steps[found.step].expect) is not None:
                await self._expect(expect)
        elif out.type.endswith(f".{COMMAND}"):
            await self._insist(fact(out.payload))
        elif out.type.endswith(RAISED) and (expect := self._next(fact(out.payload).subject)) is not None:
            await self._answer(expect)

    async def _expect(self, expect: Expect) -> None:
        """Remember it; a command is given at once."""
        self._expected.append(expect)
        if expect.command:
            self._commands.add(expect.command)
            await self._clock.sleep(REACTION)
            self._give(expect.command)

    async def _insist(self, event: Fact) -> None:
        """A command that the device did not take is given again."""
        state = event.data.get("state")
        if event.subject not in self._commands or state == CommandState.ACCEPTED:
            return
        if state == CommandState.DONE:
            self._commands.remove(event.subject)
            return
        await self._clock.sleep(RETRY)
        self._give(event.subject)

    def _next(self, alarm: str) -> Expect | None:
        """The first expectation of that alarm that was not answered yet."""
        found = next((one for one in self._expected if one.alarm == alarm), None)
        if found is not None:
            self._expected.remove(found)
        return found

    async def _answer(self, expect: Expect) -> None:
        if expect.ack_within is not None or expect.disposition:
            limit = REACTION if expect.ack_within is None else seconds(expect.ack_within) / 2
            await self._clock.sleep(min(REACTION, limit))
            self._act("ack", expect.alarm)
        if expect.disposition:
            await self._clock.sleep(REACTION)
            self._act("confirm", expect.alarm, disposition=expect.disposition[0].value)

    def _act(self, verb: str, alarm: str, **args: str) -> None:
        device, _, point = alarm.partition("/")
        self._give(f"hub/{verb}", device=device, point=point, **args)

    def _give(self, command: str, **args: str) -> None:
        """A command: target/verb."""
        self._number += 1
        body = {
            "id": f"trainee-{self._number}",
            "issuer": ISSUER,
            "deadline": instant(self._clock.utc() + DEADLINE),
            "args": args,
        }
        topic = f"{self._topics.prefix}/cmd/{command}"
        self._hub.command(Incoming(topic, json.dumps(body).encode(), retain=False))
