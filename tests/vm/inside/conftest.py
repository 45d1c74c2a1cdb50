"""In the machine: every report goes out over its port as soon as there is one."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.reports import pytest_report_to_serializable

from tests.vm.sockets import Sockets

LINES = 40
PORT = os.environ.get("DEVICEHUB_REPORTS", "")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if PORT and report.failed:
        log = subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout.splitlines()
        report.sections.append(("log of the kernel", "\n".join(log[-LINES:])))
    if PORT:
        with Path(PORT).open("wb") as port:
            port.write(json.dumps(pytest_report_to_serializable(report)).encode() + b"\n")


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    with Sockets() as sockets:
        yield sockets
