"""An exercise at the page's server: what is the instructor's takes a token of his own."""

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from devicehub.publish.port import Outgoing
from tests.real.test_page_server import TOPICS, news, site

pytestmark = pytest.mark.real


@dataclass
class Lesson:
    """An exercise as the page sees it."""

    over: bool = False
    verbs: frozenset[str] = frozenset({"exercise-pause"})

    def told(self, *, instructor: bool) -> bytes:
        return json.dumps({"instructor": instructor}).encode()

    def readable(self, *, instructor: bool) -> bool:
        return instructor or self.over

    def report(self, language: str) -> str:
        return f"<style>td{{color:red}}</style><p lang={language}>"


async def test_what_is_the_instructors_takes_the_instructors_token(tmp_path: Path) -> None:
    lesson = Lesson()
    async with site(tmp_path, lesson) as one:
        leader = {"Cookie": f"devicehub={one.instructor.rpartition('=')[2]}"}
        assert one.instructor != one.address
        assert (await one.asks("/api/training", one.known))[2] == b'{"instructor": false}'
        assert (await one.asks("/api/training", leader))[2] == b'{"instructor": true}'
        assert (await one.asks("/api/training", {"Cookie": "devicehub="}))[0] == 403
        body = b'{"target":"hub","verb":"exercise-pause","issuer":"op"}'
        asked = {"Origin": f"http://{one.host}"}
        assert (await one.asks("/api/command", one.known | asked, "POST", body))[0] == 403
        assert one.commands == []
        assert (await one.asks("/api/command", leader | asked, "POST", body))[0] == 202
        assert (await one.asks("/training/report", one.known))[0] == 403
        lesson.over = True
        status, head, report = await one.asks("/training/report?language=sq", one.known)
        assert (status, report) == (200, b"<style>td{color:red}</style><p lang=sq>")
        digest = base64.b64encode(hashlib.sha256(b"td{color:red}").digest()).decode()
        assert f"content-security-policy: default-src 'none'; style-src 'sha256-{digest}';" in head


async def test_a_trainee_is_not_told_what_the_instructor_does(tmp_path: Path) -> None:
    told = [
        Outgoing(f"{TOPICS.prefix}/{topic}", b"{}", 1, retain=False, expiry=None, type=kind, id="i", subject=subject)
        for topic, kind, subject in (
            ("event/hub-exercise", "io.devicehub.hub.exercise", ""),
            ("event/command", "io.devicehub.command", "hub/exercise-pause"),
            ("res/hub/exercise-pause", "io.devicehub.command.done", "hub/exercise-pause"),
            ("event/alarm-raised", "io.devicehub.alarm.raised", "cam/hot"),
        )
    ]
    async with site(tmp_path, Lesson()) as one:
        leader = f"devicehub={one.instructor.rpartition('=')[2]}"
        async with one.socket("/ws/news") as trainee, one.socket("/ws/news", Cookie=leader) as instructor:
            assert [json.loads(await each.recv())["messages"] for each in (trainee, instructor)] == [[], []]
            one.view.extend(told)
            assert len(cast(list[object], (await news(trainee))["messages"])) == 1
            assert len(cast(list[object], (await news(instructor))["messages"])) == 4


async def test_a_hub_without_an_exercise_says_so(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        assert one.instructor == ""
        assert (await one.asks("/api/training", one.known))[2] == b"null"
        assert (await one.asks("/training/report", one.known))[0] == 404
        assert (await one.asks("/", {"Cookie": "devicehub="}))[0] == 403
