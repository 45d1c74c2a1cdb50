"""An exercise at the page: an instructor leads it by keyboard, a trainee answers, both see of it what is theirs."""

from pathlib import Path

import pytest

from tests.page.browsing import Visit, exercised, needs_browser

pytestmark = [pytest.mark.real, needs_browser]

SCENARIO = """
[scenario]
id = "lesson"
title = { en = "Lesson", sq = "Mësim", sr-Latn = "Čas", sr-Cyrl = "Час" }

[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"

[[limit]]
device = "thermal-1"
channel = "image.max"
high = 33.0
priority = "high"

[[at]]
t = "00:02"
do = "say"
text = { en = "A van from the north.", sq = "Një furgon nga veriu.", sr-Latn = "Kombi sa severa.", sr-Cyrl = "Комби" }

[[at]]
t = "00:04"
do = "hotspot"
device = "thermal-1"
x = 16
y = 12
dk = 20.0
for = "20s"
expect = { alarm = "thermal-1/image-max-high", within = "8s", ack_within = "60s", disposition = ["nuisance"], points = 10 }

[[at]]
t = "20:00"
do = "hotspot"
device = "thermal-1"
x = 8
y = 12
dk = 30.0
expect = { alarm = "thermal-1/image-max-high", within = "8s", points = 30 }

[[at]]
t = "21:00"
do = "end"
"""
STATUS = """() => fetch("/api/command", { method: "POST", headers: { "content-type": "application/json" },
  body: JSON.stringify({ target: "hub", verb: "exercise-end", issuer: "op-1147" }) }).then((answer) => answer.status)"""


async def named(visit: Visit, name: str) -> None:
    """Say who works here, as the page asks for it."""
    await visit.page.locator("#issuer").fill(name)
    await visit.page.keyboard.press("Enter")


async def answered(trainee: Visit) -> None:
    """Acknowledge the alarm that stands and say that it was a nuisance."""
    await trainee.sees("#banner", "thermal-1/image-max-high")
    await trainee.page.keyboard.press("Alt+2")
    await trainee.sees("section[aria-labelledby=alarm-one]", "thermal-1/image-max-high")
    await named(trainee, "op-1147")
    await trainee.page.keyboard.press("a")
    await trainee.sees("section[aria-labelledby=alarm-one] dd", "op-1147")
    await trainee.page.keyboard.press("4")
    await trainee.sees("section[aria-labelledby=alarm-one] dd", "Nuisance")


HEAD = "section[aria-labelledby=training-exercise] p"
ROW = "section[aria-labelledby=training-course] tbody tr"
SCORE = ".big[role=status]"


async def led(instructor: Visit, trainee: Visit) -> None:
    """A pause, a cable that comes out by its key, something said, another speed."""
    await instructor.page.keyboard.press("p")
    await instructor.sees(HEAD, "PAUSED")
    await trainee.page.evaluate("location.hash = '#/overview'")
    await instructor.page.keyboard.press("3")
    await trainee.sees(".tile", "LOST")
    assert "to come" in await instructor.sees(f"{ROW}:nth-child(4)")
    await instructor.page.locator("[name=text]").fill("Look again.")
    await instructor.page.keyboard.press("Enter")
    await trainee.sees("#told", "Look again.")
    await instructor.page.locator("label select:not([name])").select_option("4")
    await instructor.sees(HEAD, "00:0")
    await instructor.sees(HEAD, "\N{MULTIPLICATION SIGN}4")


async def kept_out(trainee: Visit) -> None:
    """Nothing of what is to come is shown, and nothing that the instructor may do is done."""
    await trainee.page.evaluate("location.hash = '#/training'")
    await trainee.sees("section[aria-labelledby=training-said] li", "Look again.")
    assert await trainee.page.locator("section[aria-labelledby=training-course]").is_hidden()
    assert await trainee.page.locator("section[aria-labelledby=training-direct]").count() == 0
    assert await trainee.page.evaluate(STATUS) == 403
    assert await trainee.page.evaluate("fetch('/training/report').then((answer) => answer.status)") == 403
    assert all("403" in complaint for complaint in trainee.complaints)
    trainee.complaints.clear()


async def printed(instructor: Visit) -> str:
    """The report, in its own style."""
    async with instructor.page.expect_popup() as opened:
        await instructor.page.get_by_role("link", name="Report to print").click()
    report = await opened.value
    assert await report.evaluate("getComputedStyle(document.querySelector('td')).borderTopStyle") == "solid"
    return await report.inner_text("body")


async def test_an_instructor_leads_and_a_trainee_is_scored(tmp_path: Path) -> None:
    (tmp_path / "lesson.toml").write_text(SCENARIO)
    async with exercised(tmp_path, "lesson.toml", "--held", "--stay") as (trainee, instructor):
        await instructor.sees(HEAD, "PAUSED \N{MIDDLE DOT} 00:00 / 21:00")
        await named(instructor, "instructor-1")
        await instructor.page.keyboard.press("r")
        await instructor.sees(HEAD, "under way")
        await trainee.sees("#told", "A van from the north.")
        await trainee.page.locator("#language").select_option("sq")
        await trainee.sees("#told", "Një furgon nga veriu.")
        await trainee.page.locator("#language").select_option("en")
        await answered(trainee)
        await instructor.sees(f"{ROW}:nth-child(2)", "met")
        assert "10 of 40 points" in await instructor.sees(SCORE)
        await led(instructor, trainee)
        await kept_out(trainee)
        await instructor.page.get_by_role("button", name="End the exercise").press("Enter")
        dialog = instructor.page.get_by_role("dialog", name="Is the exercise over now, for everybody?")
        await dialog.get_by_role("button", name="End the exercise").press("Enter")
        await instructor.sees(HEAD, "over")
        await instructor.sees(SCORE, "NOT PASSED")
        await trainee.sees("section[aria-labelledby=training-course] .big", "10 of 40 points")
        assert "NOT PASSED" in await printed(instructor)
        await instructor.page.get_by_role("button", name="Close page and hub").click()
        assert await instructor.hub.ends() == 0
        trainee.complaints.clear()  # the hub is gone, and pages say so
        instructor.complaints.clear()
