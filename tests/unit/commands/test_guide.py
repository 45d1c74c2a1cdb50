"""The guide says what the code does: its example is a command, its verbs are the hub's, its numbers are the limits."""

import re
from datetime import datetime
from pathlib import Path

from devicehub.commands.desk import RUNNING_MOST
from devicehub.commands.line import MOST
from devicehub.commands.pace import BURST, PER_SECOND
from devicehub.commands.request import FURTHEST, LIMIT, Request, read
from devicehub.hub.declared import COMMANDS
from devicehub.publish.port import Incoming
from devicehub.publish.topics import Topics

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "send-a-command.md").read_text(encoding="utf-8")


def test_the_example_is_a_command() -> None:
    found = re.search(r"<!-- request -->\n```json\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    topics = Topics("bcp-north", "lane1", exercise=False)
    message = Incoming(f"{topics.prefix}/cmd/thermal-1/set-emissivity", found[1].encode(), retain=False)
    request = read(message, topics, datetime.fromisoformat("2026-11-24T09:14:07Z").timestamp())
    assert isinstance(request, Request)
    assert (request.args, request.reason) == ({"emissivity": 0.9}, "plastic suitcase")


def test_the_verbs_are_those_of_the_hub_and_the_arguments_are_theirs() -> None:
    found = re.search(r"<!-- verbs -->\n(.*?)<!-- end -->", GUIDE, re.DOTALL)
    assert found is not None
    rows = [row.split("|")[1:-1] for row in found[1].splitlines()[2:]]
    told = {verb: row[2] for row in rows for verb in re.findall(r"`([^`]+)`", row[0])}
    assert set(told) == {command.verb for command in COMMANDS}
    known = {option.name for command in COMMANDS for option in command.options}
    assert {name for text in told.values() for name in re.findall(r"`([^`]+)`", text)} <= known


def test_the_numbers_are_the_limits() -> None:
    assert (MOST, RUNNING_MOST, BURST, PER_SECOND, LIMIT, FURTHEST) == (8, 32, 50, 10, 8 * 1024, 3600)
    for words in ("Eight commands", "32 for the hub", "ten a second", "burst of 50", "8 KiB", "at most an hour"):
        assert words in GUIDE
