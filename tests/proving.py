"""What a run of the tests proved of each driver, written down for the table of docs/reference/real-kernel.md.

DEVICEHUB_PROVED_HERE=docs/reference/edges.json pytest tests/drivers/test_conformance.py tests/real/test_every_driver.py
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devicehub.clock import Clock

VARIABLE = "DEVICEHUB_PROVED_HERE"
TIERS = {"tests/drivers/test_conformance.py": "in process", "tests/real/test_every_driver.py": "edge"}
_DRIVER = re.compile(r"\[([a-z0-9_]+\.[a-z0-9_]+)")


class Proving:
    """A plugin: the worst outcome of each driver's tests, by tier. What was not run keeps its own date."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._failed: dict[tuple[str, str], bool] = {}
        self._through: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tier, driver = TIERS.get(report.nodeid.partition("::")[0]), _DRIVER.search(report.nodeid)
        if tier is None or driver is None or (report.when != "call" and not report.failed):
            return
        name = driver[1]
        self._failed[name, tier] = self._failed.get((name, tier), False) or report.failed
        if "through" in (facts := dict(report.user_properties)):
            self._through[name] = str(facts["through"])

    def pytest_sessionfinish(self) -> None:
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        date = datetime.fromtimestamp(Clock().utc(), UTC).date().isoformat()
        for (name, tier), failed in self._failed.items():
            fact = {"date": date, "result": "failed" if failed else "passed"}
            if tier == "edge":
                fact["through"] = self._through.get(name, "")
            known.setdefault(name, {})[tier] = fact
        self._file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
