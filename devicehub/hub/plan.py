"""What a hub is made of, and what of it a reload may change."""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from devicehub.collect.refusals import Quarantine
from devicehub.collect.supervisor import Post
from devicehub.commands.verbs import HubVerb
from devicehub.core import Setting
from devicehub.journal.store import GIB
from devicehub.model.errors import ConfigError
from devicehub.model.payload import InfoData, RulesData
from devicehub.model.rulebook import LimitWish
from devicehub.publish.envelope import Encoder
from devicehub.publish.port import Connect
from devicehub.publish.topics import Topics
from devicehub.taps import Taps
from devicehub.transport.progress import Progress
from devicehub.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """Seconds between two health messages; days and bytes that the journal keeps at most."""

    health_every: float = 10.0
    keep_days: float = 30.0
    journal_limit: int = 4 * GIB


@dataclass(frozen=True, slots=True)
class RulesChange:
    """Rules that were not in force before. `remember`: once it is durable that they are, which `data` tells."""

    data: RulesData
    remember: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A configuration that was read again and is valid, against the one that runs.

    `stopped`: devices that are no longer to run. `restarted`: those that are to run otherwise than before. `posts`:
    of devices to be started. `take` is called once, when nothing stands against it any more: what is read after that
    is held against this one. `summary`: what changed, for people.
    """

    setting: Setting
    upkeep: Upkeep
    info: InfoData
    stopped: Sequence[str]
    restarted: Sequence[str]
    posts: Sequence[Post]
    take: Callable[[], None]
    summary: str
    rules: RulesChange | None = None


Reread = Callable[[], Awaitable[Revision]]
"""Reads the configuration again. Raises `ConfigError` for one that cannot be used, or not without a restart."""


Undo = Callable[[], Awaitable[None]]
"""Puts back what was changed."""

Amend = Callable[[LimitWish], Awaitable[Undo]]
"""Changes a limit where it is configured; it takes effect with the next `Reread`. Raises `ConfigError`."""


async def nothing_to_change(wish: LimitWish) -> Undo:
    """For a hub whose limits stand in no file. Raises `ConfigError`."""
    raise ConfigError(f"no rule file holds the limit of {wish.device}/{wish.point}")


async def nothing_to_read() -> Revision:
    """For a hub that no file configures. Raises `ConfigError`."""
    raise ConfigError("no file configures this hub: there is nothing to read again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a hub is made of. `info` without run-time facts; `state`: folder of journal and evidence.

    `progress`: where links look how far what their devices said is durable. `own_broker`: the broker is a child of
    this hub. `view`: who is shown all that is published, if there is a page; `taps`: what passes over the
    links, for whoever asks. `quarantine`: what devices sent and was refused. `verbs`: what the hub can be told
    beside its own.
    """

    setting: Setting
    posts: Sequence[Post]
    connect: Connect
    topics: Topics
    encoder: Encoder
    boot: str
    info: Callable[[], InfoData]
    state: Path
    executor: Executor | None = None
    evidence_executor: Executor | None = None
    progress: Progress = field(default_factory=Progress)
    upkeep: Upkeep = field(default_factory=Upkeep)
    reread: Reread = nothing_to_read
    amend: Amend = nothing_to_change
    window: int = 100
    own_broker: bool = False
    view: View | None = None
    taps: Taps | None = None
    quarantine: Quarantine = field(default_factory=Quarantine)
    verbs: Sequence[HubVerb] = ()
    rules: RulesChange | None = None
