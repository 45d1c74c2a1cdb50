"""What the hub itself can be told: a port at which each of its parts registers its own acts."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from devicehub.commands.request import Request
from devicehub.driver import Command, Options
from devicehub.model.command import CommandState
from devicehub.model.errors import DeviceHubError

Result = Mapping[str, str | int | float | bool | None]


class CommandError(DeviceHubError):
    """A command was not carried out; the text is the `why` of its answer.

    `state`: FAILED, or REJECTED for one that was not begun because of what it asks.
    """

    def __init__(self, why: str, state: CommandState = CommandState.FAILED) -> None:
        super().__init__(why)
        self.state = state


Act = Callable[[Options, Request], Awaitable[Result]]
"""Carries a command out: arguments checked and with defaults, and who asked when and why. Gives its result.

Raises `CommandError`; any other exception is a bug, is answered as failed and logged. It is not cancelled when it takes
longer than the command's `timeout`: it goes on, and the command has ended as `timeout`.
"""


class HubVerb(NamedTuple):
    """A declared command of the hub and what carries it out."""

    command: Command
    act: Act


class Verbs:
    """The commands of target `hub`, by verb."""

    def __init__(self) -> None:
        self._verbs: dict[str, HubVerb] = {}

    def add(self, command: Command, act: Act) -> None:
        """Register a verb. Raises `ValueError` for one that is there already: that is a bug."""
        if command.verb in self._verbs:
            raise ValueError(f"the hub's verb '{command.verb}' is registered twice")
        self._verbs[command.verb] = HubVerb(command, act)

    def find(self, verb: str) -> HubVerb | None:
        """The verb of that name."""
        return self._verbs.get(verb)

    def commands(self) -> tuple[Command, ...]:
        """All declarations, in the order of their verbs."""
        return tuple(self._verbs[verb].command for verb in sorted(self._verbs))
