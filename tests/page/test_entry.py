"""What somebody enters at the page is the same, on the broker, as the command line's and a connected device's."""

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from devicehub.model.message import Kind
from tests.page.browsing import Visit, needs_browser, visited
from tests.real.hearing import Ears, hearing
from tests.real.hub_process import ROOT
from tests.real.mosquitto import mosquitto
from tests.real.mqtt_ends import settings

pytestmark = [pytest.mark.real, needs_browser]

AT_THE_PAGE, BY_COMMAND, CONNECTED, DOG = "density-1", "density-2", "density-3", "dog-1"
ENTERED = """
[[device]]
id = "%s"
driver = "screening.operator_entry"
options = { kind = "density-meter", model = "Buster K910" }
"""
OTHERS = f"""
[[device]]
id = "{CONNECTED}"
driver = "screening.vendor_csv"
folder = "exports"

[[device]]
id = "{DOG}"
driver = "screening.operator_entry"
options = {{ kind = "dog", serial = "Rex" }}
"""
LIMITED = """
[[limit]]
device = "%s"
channel = "reading"
high = 60.0
"""
STATION = "".join(
    [ENTERED % AT_THE_PAGE, ENTERED % BY_COMMAND, OTHERS]
    + [LIMITED % device for device in (AT_THE_PAGE, BY_COMMAND, CONNECTED)]
)
ENTRY = {
    "outcome": "alarm",
    "item": "left rear wheel",
    "finding": "dense filling",
    "reading": "64.2",
    "note": "second wheel is 11",
}
COLUMNS = ("item", "outcome", "finding", "reading", "note")
FORM = "section[aria-labelledby=device-commands] form"
# Who it was and when, and what names the message: not the same even of two entries of one person.
ITS_OWN = frozenset({"operator", "device_time", "alarm", "event", "raised", "returned", "letter", "first_out"})


async def fill_in(visit: Visit, device: str, entry: dict[str, str], answer: str = "done") -> None:
    """Open a device, say who it is, enter it, and see the page's answer."""
    await visit.page.evaluate(f"location.hash = '#/devices/{device}'")
    form = visit.page.locator(FORM, has_text="Enter what was found")
    await form.wait_for()
    await visit.page.locator("#issuer").fill("op-1147")
    await visit.page.locator("#issuer").press("Enter")
    for name, value in entry.items():
        field = form.locator(f"[name={name}]")
        await (field.select_option(value) if name == "outcome" else field.fill(value))
    await form.locator("button").press("Enter")
    await form.locator("[role=status]", has_text=answer).wait_for()


async def by_command(folder: Path, device: str, entry: dict[str, str]) -> None:
    """The same with `devicehub enter`."""
    words = [device, entry["outcome"]]
    words += [word for name, value in entry.items() if name != "outcome" for word in (f"--{name}", value)]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "devicehub", "enter", *words, "--issuer", "op-1147", "--config", "hub.toml",
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert await child.wait() == 0


def exported(folder: Path, entry: dict[str, str]) -> None:
    """The same as a connected device's software exports it."""
    header, row = "time,item,verdict,finding,reading,note", ["", *(entry[name] for name in COLUMNS)]
    (folder / "exports" / "one.csv").write_text(f"{header}\r\n{','.join(row)}\r\n")


def told(ears: Ears, kind: Kind, device: str) -> list[tuple[str, Any]]:
    """What was published of a device: the point below it, and what was said, without what is each message's own."""
    found = [one for one in ears.of(kind) if one.place.split("/")[0] == device]
    return [(one.place.partition("/")[2], _stripped(one.data if one.body else None, device)) for one in found]


def _stripped(content: Any, device: str) -> Any:
    if isinstance(content, dict):
        return {name: _stripped(value, device) for name, value in content.items() if name not in ITS_OWN}
    if isinstance(content, list):
        return [_stripped(one, device) for one in content]
    return content.replace(device, "DEVICE") if isinstance(content, str) else content


def points(ears: Ears, devices: Iterable[str]) -> set[str]:
    """The alarms that are up."""
    return {one.place for one in ears.of(Kind.ALARM) if one.place.split("/")[0] in devices}


async def test_an_entry_at_the_page_is_that_of_the_command_line_and_of_a_connected_device(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        config = f'{STATION}\n[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\n'
        async with visited(tmp_path, config) as visit:
            await fill_in(visit, AT_THE_PAGE, ENTRY)
            await visit.sees("#banner", f"{AT_THE_PAGE}/")
            await by_command(tmp_path, BY_COMMAND, ENTRY)
            exported(tmp_path, ENTRY)
            devices = (AT_THE_PAGE, BY_COMMAND, CONNECTED)
            expected = {f"{device}/{point}" for device in devices for point in ("found-dense-filling", "reading-high")}
            await ears.until(lambda: points(ears, devices) == expected)
            await ears.until(lambda: all(told(ears, Kind.RESULT, device) for device in devices))
            found = [f"{device}/found-dense-filling" for device in devices]
            await ears.until(lambda: all(ears.of(Kind.ALARM, one)[-1].data["state"] == "latched" for one in found))
            for kind in (Kind.READING, Kind.RESULT, Kind.ALARM):
                said = [sorted(told(ears, kind, device), key=str) for device in devices]
                assert said[0], kind
                assert said[0] == said[1] == said[2], kind
    (result,) = ears.of(Kind.RESULT, AT_THE_PAGE)
    assert (result.data["outcome"], result.data["sample_id"]) == ("alarm", "left rear wheel")
    assert (result.data["operator"], result.data["note"]) == ("op-1147", "second wheel is 11")
    (reading,) = ears.of(Kind.READING, f"{AT_THE_PAGE}/reading")
    assert reading.data["value"] == 64.2


async def test_a_dog_s_indication_is_an_alarm_and_an_entry_that_is_wrong_is_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    async with mosquitto(tmp_path) as broker, hearing(settings(broker)) as ears:
        config = f'{STATION}\n[mqtt]\nurl = "mqtt://{broker.host}:{broker.port}"\n'
        async with visited(tmp_path, config) as visit:
            wrong = {"outcome": "alarm", "reading": "12,5"}
            await fill_in(visit, AT_THE_PAGE, wrong, "must be a number with a decimal point")
            await fill_in(visit, DOG, {"outcome": "indication", "item": "driver's door"})
            await visit.sees("#banner", f"{DOG}/found")
            await ears.first(Kind.RESULT, DOG)
    assert [one.data["state"] for one in ears.of(Kind.ALARM, f"{DOG}/found")][-1] == "latched"
    (result,) = ears.of(Kind.RESULT, DOG)
    assert (result.data["outcome"], result.data["sample_id"]) == ("alarm", "driver's door")
    assert ears.of(Kind.RESULT, AT_THE_PAGE) == []
    assert points(ears, [AT_THE_PAGE]) == set()
