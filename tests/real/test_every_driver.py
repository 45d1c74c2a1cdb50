"""Every driver over an edge of its own: opened as the hub opens it, and read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from devicehub.driver import BleLink, OperatorLink
from devicehub.model.reading import Sample
from devicehub.registry import driver_names, load_driver
from devicehub.wire.protocol import Step
from tests.conformance import measured
from tests.real.edges import NAMES, edge
from tests.usb_talk import talk


def _marked(name: str) -> object:
    bus = (pytest.mark.needs("dbus-daemon"),) if isinstance(load_driver(name).link, BleLink) else ()
    return pytest.param(name, marks=bus)


@pytest.mark.real
@pytest.mark.parametrize(
    "name", [_marked(name) for name in driver_names() if not isinstance(load_driver(name).link, OperatorLink)]
)
async def test_a_driver_reads_its_device(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    driver = load_driver(name)
    record_property("driver", name)
    record_property("through", NAMES[type(driver.link)])
    told: list[Sample] = []

    def enough(step: Step) -> bool:
        told.extend(measured(driver, step))
        return bool(told)

    async with edge(driver, tmp_path, monkeypatch) as transport:
        _, faults = await talk(driver.open({}), transport, until=enough)
    assert told
    assert faults == []
