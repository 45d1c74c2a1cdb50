"""Who remembers what happened in an exercise, from what a page is told."""

from typing import Final

from devicehub.exercise.facts import fact
from devicehub.exercise.judge import found
from devicehub.exercise.schema import Scenario
from devicehub.exercise.timed import Timed
from devicehub.publish.port import Outgoing
from devicehub.view import View

_NO_EVENTS: Final = ("reading", "frame", "state", "health")


class Witness:
    """`course`: all so far. `missed`: events that came too fast to be seen; the journal has them."""

    def __init__(self, scenario: Scenario) -> None:
        self.course = Timed(scenario)
        self.missed = 0
        self._scenario = scenario

    def met(self, step: str) -> bool:
        """Whether what is expected of the step of that id is met so far."""
        ids = [one.id for one in self._scenario.at]
        return any(one.passed and ids[one.step] == step for one in found(self._scenario, self.course))

    async def watch(self, view: View) -> None:
        """Look on, for ever."""
        with view.watched() as (_, watcher):
            while True:
                news = await watcher.news()
                self.missed += news.missed
                for out in filter(_event, news.messages):
                    self.course.add(fact(out.payload))


def _event(out: Outgoing) -> bool:
    return not out.retain and bool(out.payload) and out.type.rpartition(".")[2] not in _NO_EVENTS
