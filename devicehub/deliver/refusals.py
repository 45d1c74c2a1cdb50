"""What the broker refuses: one line in the log per branch of the tree, however much of it is refused."""

import logging

from devicehub.publish.port import Outgoing

_log = logging.getLogger(__name__)

QUIET = 60.0
_DEPTH = 5  # root and version, site, node, kind


class Refusals:
    """Branches that the broker refuses at the moment."""

    def __init__(self) -> None:
        self._branches: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._branches)

    def refused(self, out: Outgoing, why: str, now: float) -> None:
        """The broker said no at monotonic second `now`: logged, unless the branch is known to be refused."""
        place = _branch(out.topic)
        if place not in self._branches:
            _log.error("%s refused: %s; more of %s is only counted", out.topic, why, place)
        self._branches[place] = now

    def taken(self, out: Outgoing, now: float) -> None:
        """The broker said yes: a branch that it refused nothing of for a minute is logged again when it does."""
        place = _branch(out.topic) if self._branches else ""
        if place in self._branches and now - self._branches[place] >= QUIET:
            del self._branches[place]
            _log.info("%s is taken again", place)


def _branch(topic: str) -> str:
    """A topic down to its kind: what an access list allows or forbids as a whole."""
    return "/".join(topic.split("/", _DEPTH)[:_DEPTH])
