"""What was stored, at the page: filtered by kind, device, time and what it turned out to be, and taken away as filtered."""

import csv
import json
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.async_api import Locator

from devicehub.clock import Clock
from tests.page.browsing import Visit, needs_browser, visited
from tests.page.cameras import thermal
from tests.page.test_alarm_view import opened as seen_alarm
from tests.real.journals import event, opened

pytestmark = [pytest.mark.real, needs_browser]

STATION = f"""{thermal()}
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"
"""
KIND, DEVICE, DISPOSITION = "select[name=kind]", "select[name=device]", "select[name=disposition]"
STATION_NAMED = "select[name=named]"


async def rows(visit: Visit) -> list[list[str]]:
    """Time, what and subject of each event that is listed."""
    return [
        [await cell.inner_text() for cell in (await row.locator("td").all())[:3]]
        for row in await visit.page.locator("tbody tr").all()
    ]


async def chosen(visit: Visit, selector: str, value: str) -> list[list[str]]:
    """What is listed once a filter was set."""
    async with visit.page.expect_response(lambda answer: "/api/journal?" in answer.url):
        await visit.page.locator(selector).select_option(value)
    await visit.page.locator("tbody[aria-busy=false]").wait_for(state="attached")
    return await rows(visit)


async def taken(visit: Visit, link: Locator) -> Path:
    async with visit.page.expect_download() as download:
        await link.click()
    return Path(await (await download.value).path())


def told(file: Path) -> list[dict[str, object]]:
    """The events of a file of JSON lines."""
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_events_are_filtered_and_taken_away_as_they_are_filtered(tmp_path: Path) -> None:
    async with visited(tmp_path, STATION) as visit:
        await visit.sees(".tile[href='#/devices/gamma-1'] .state", "ready")
        await seen_alarm(visit)
        await visit.page.locator(".exposure canvas").wait_for()
        await visit.page.keyboard.press("a")
        await visit.sees("section[aria-labelledby=alarm-one] dd", "op-1147")
        await visit.page.keyboard.press("4")
        await visit.sees("section[aria-labelledby=alarm-one] dd", "Nuisance")
        await visit.page.keyboard.press("Alt+5")
        await visit.sees("tbody tr", "said what it was")
        subjects = {subject for _, _, subject in await rows(visit)}
        assert {"thermal-1", "gamma-1", "thermal-1/image-max-high"} <= subjects
        commands = [row for row in await chosen(visit, KIND, "command") if row[2] == "hub/ack"]
        assert len(commands) == 2, "taken, and done: the answers to whoever asked say nothing else"
        alarms = await chosen(visit, KIND, "alarm")
        assert [what for _, what, _ in alarms].count("alarm raised") == 1, "the state that it led to says nothing else"
        assert {what for _, what, _ in alarms} >= {"alarm raised", "acknowledged", "said what it was"}
        assert {subject for _, _, subject in alarms} <= {"thermal-1/image-max-high", ""}
        settled = await chosen(visit, DISPOSITION, "nuisance")
        assert settled[-1][1] == "said what it was"
        assert len(settled) < len(alarms)
        assert await chosen(visit, DISPOSITION, "test") == []
        await chosen(visit, DISPOSITION, "")
        assert await chosen(visit, DEVICE, "gamma-1") == []
        listed = [subject for _, _, subject in await chosen(visit, DEVICE, "thermal-1")]
        assert set(listed) == {"thermal-1/image-max-high"}
        table = csv.DictReader(
            (await taken(visit, visit.page.get_by_role("link", name="CSV"))).read_text().splitlines()
        )
        assert [json.loads(row["payload"])["subject"] for row in table][-len(listed) :] == listed
        lines = told(await taken(visit, visit.page.get_by_role("link", name="JSON lines")))
        assert {str(one["topic"]).split("/")[4] for one in lines} == {"alarm", "event"}
        assert len(lines) >= len(listed)
        await chosen(visit, KIND, "capture")
        with ZipFile(await taken(visit, visit.page.get_by_role("link", name="ZIP with images"))) as archive:
            names = archive.namelist()
            assert [name.partition("/")[0] for name in names] == ["events.jsonl", "evidence-exercise"]
            assert archive.read(names[1])


async def test_what_was_told_under_an_earlier_name_says_so_and_can_be_chosen(tmp_path: Path) -> None:
    async with opened(tmp_path / "state", "bcp-old") as journal:
        await journal.append([event(1)])
    async with visited(tmp_path, STATION) as visit:
        await visit.page.evaluate("location.hash = '#/journal'")
        await visit.sees("tbody tr", "hub started")
        then = "then bcp-old · node"
        assert [subject for _, _, subject in await rows(visit) if subject][-1] == then
        assert [subject for _, _, subject in await chosen(visit, STATION_NAMED, "earlier")] == [then]
        assert then not in {subject for _, _, subject in await chosen(visit, STATION_NAMED, "now")}


async def test_events_of_another_time_are_not_listed(tmp_path: Path) -> None:
    async with visited(tmp_path, STATION) as visit:
        await visit.page.evaluate("location.hash = '#/journal'")
        await visit.sees("tbody tr", "hub started")
        later = datetime.fromtimestamp(Clock().utc() + 3600).astimezone()
        async with visit.page.expect_response(lambda answer: "since=" in answer.url):
            await visit.page.get_by_label("Since").fill(later.strftime("%Y-%m-%dT%H:%M"))
            await visit.page.get_by_label("Since").blur()
        await visit.sees("#main [role=status]", "0 events")
        assert await rows(visit) == []
        async with visit.page.expect_response(lambda answer: "until=" in answer.url and "since=" not in answer.url):
            await visit.page.get_by_label("Since").fill("")
            await visit.page.get_by_label("Until").fill(later.strftime("%Y-%m-%dT%H:%M"))
            await visit.page.get_by_label("Until").blur()
        await visit.sees("tbody tr", "hub started")
