"""Who remembers what happened in an exercise, from what a page is told."""

from typing import Final

from devicehub.exercise.facts import fact
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

    async def watch(self, view: View) -> None:
        """Look on, for ever."""
        with view.watched() as (_, watcher):
            while True:
                found = await watcher.news()
                self.missed += found.missed
                for out in filter(_event, found.messages):
                    self.course.add(fact(out.payload))


def _event(out: Outgoing) -> bool:
    return not out.retain and bool(out.payload) and out.type.rpartition(".")[2] not in _NO_EVENTS
