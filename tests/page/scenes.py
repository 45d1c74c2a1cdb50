"""The scene on which each view is looked at and of which the pictures for the guides are."""

import os

from devicehub.config.resources import shipped
from tests.page.browsing import Visit
from tests.page.cameras import HOT, WARM, thermal

REFRESH = os.environ.get("DEVICEHUB_REFRESH_IMAGES", "")
"""Not empty: the pictures that are stale are taken anew; `all`: every one."""
VIEWS = {
    "overview": ".tile",
    "alarms": "section[aria-labelledby=alarms-standing]",
    "inspections": "section[aria-labelledby=inspection-checked] td",
    "devices/trace-1": "section[aria-labelledby=device-facts] dd",
    "journal": "tbody tr",
    "setup": "section[aria-labelledby=setup-rules] td",
    "wall": ".wall-images .imager",
}
BEGUN = {"inspections": ".desk form button"}
CAMERA_AND_TRACE = f"""{thermal(HOT if REFRESH else WARM, priority="medium")}
[[device]]
id = "trace-1"
driver = "trace.ims_reference"
port = "sim:"
mobility = {{ library = "{shipped("substances")}/training.toml" }}

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"

[[limit]]
device = "gamma-1"
channel = "dose-rate"
high = 0.01
priority = "high"

[[desk]]
id = "desk-1"
devices = ["gamma-1", "thermal-1"]
"""


async def inspected(visit: Visit) -> None:
    """The desk was checked before the shift, and an inspection is open there."""
    await visit.page.locator("#issuer").fill("op-1147")
    await visit.page.locator("#issuer").press("Enter")
    await visit.page.get_by_role("button", name="Check before the shift").click()
    await visit.sees(".preflight a")
    await visit.page.locator(".desk form button").first.click()


async def examined(visit: Visit) -> None:
    """The doctor was asked and hardware looked for, and the broker has brought a message back."""
    for panel in ("examination", "hardware", "broker"):
        await visit.page.locator(f"section[aria-labelledby=setup-{panel}] button").first.press("Enter")
    await visit.sees("section[aria-labelledby=setup-examination] [role=status]", "checks: ")
    await visit.sees("section[aria-labelledby=setup-hardware] p", "page.setup is not true")
    await visit.sees("section[aria-labelledby=setup-broker] [role=status]", "came back in")


async def watched(visit: Visit) -> None:
    """What passes over the link is shown."""
    await visit.page.locator("section[aria-labelledby=device-raw] button").press("Enter")
    await visit.sees(".raw-made code")


async def compared(visit: Visit) -> None:
    """An image is kept."""
    await visit.sees(".imager:not(.stale) .image-caption", "hottest")
    await visit.page.get_by_role("button", name="Compare").press("Enter")
    await visit.sees(".kept figcaption", "Kept at")


async def raised(visit: Visit) -> None:
    """The alarm of the camera is shown, with the image on which it came."""
    await visit.page.locator("section[aria-labelledby=alarms-standing] a", has_text="thermal-1").press("Enter")
    await visit.page.locator(".exposure canvas").wait_for()


BEFORE = {
    "overview": compared,
    "alarms": raised,
    "inspections": inspected,
    "devices/trace-1": watched,
    "setup": examined,
}
