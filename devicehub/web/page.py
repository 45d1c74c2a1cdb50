"""What the page is made of: what it shows of a running hub, and what it may have done there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devicehub.clock import Clock
from devicehub.evidence import evidence_folder
from devicehub.model.rulebook import RuleBook
from devicehub.publish.port import Incoming
from devicehub.publish.topics import Topics
from devicehub.taps import Taps
from devicehub.view import View
from devicehub.web.commissioning import Commissioning
from devicehub.web.training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`command` takes a command as if it came over MQTT; `rules`: those in force. `taps`: what passes over the links.

    `training`: the exercise that is played, whose instructor has a token of his own. `commissioning`: how the station
    is set up, where a file configures it; `remark`: has what was done there become an event. `connected`: to the
    broker, now. `printed`: the event of a preflight as a page that prints, in a language; raises `ValueError`.
    """

    view: View
    taps: Taps
    topics: Topics
    command: Callable[[Incoming], None]
    state: Path
    port: int
    clock: Clock
    rules: Callable[[], RuleBook]
    remark: Callable[[str, str], None]
    connected: Callable[[], bool]
    printed: Callable[[bytes, str], str]
    training: Training | None = None
    commissioning: Commissioning | None = None

    @property
    def evidence(self) -> Path:
        """The folder of kept images, real or simulated as the hub is."""
        return evidence_folder(self.state, exercise=self.topics.exercise)

    @property
    def taken(self) -> str:
        """How a file of events is called that is taken away, without its ending: whether it is simulated."""
        return "journal-exercise" if self.topics.exercise else "journal"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.state / "journal.sqlite"
