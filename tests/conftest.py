"""Every asyncio test runs in virtual time, unless it is marked `real` or `vm`."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from tests.programs import needed
from tests.proving import VARIABLE, Proving
from tests.samples import ABSENT
from tests.virtual_loop import VirtualTimeLoop

TRIED = (
    "tests/drivers/test_any_bytes.py",
    "tests/torture/",
    "tests/real/test_access.py",
    "tests/real/test_vectors.py",
    "tests/unit/alarm/test_engine_agrees.py",
    "tests/system/test_alarm_kills.py",
)

# A busy machine is no counter-example: what is to be quick is measured in benchmarks/. CI tries the same every time.
settings.register_profile("patient", settings.get_profile("ci" if "CI" in os.environ else "default"), deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """A site keeps captures of its own devices, which are no part of this repository."""
    parser.addoption("--corpus", type=Path, metavar="FOLDER", help="captures in folders named after their drivers")


def pytest_configure(config: pytest.Config) -> None:
    """Where it is asked for, and not in each of several workers: what the run proved is written down.

    A shell without job control has what it starts in the background ignore interrupts, and so would what tests start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if VARIABLE in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Proving(Path(os.environ[VARIABLE])))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes is begun first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if any(item.get_closest_marker(name) is not None for name in ("real", "vm")):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualTimeLoop}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a test `needs` is looked for before anything is set up for it."""
    for mark in item.iter_markers("needs"):
        needed(*mark.args)


def pytest_collection_finish() -> None:
    """What thousands of collected tests take is not looked through again by every collection of garbage."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How often was tried what the tests of `TRIED` claim: zero failures in N trials say no more than N does.

    Nor do tests that were not run for want of the samples.
    """
    tried: list[str] = []
    for report in terminalreporter.getreports("passed"):
        if report.nodeid.startswith(TRIED):
            said = [line for name, text in report.sections if "stdout" in name for line in text.splitlines()]
            tried += [f"{report.nodeid.split('::')[-1]}: {line}" for line in said if _figures(line)]
    if tried:
        terminalreporter.section("trials")
        terminalreporter.write_line("\n".join(tried))
    absent = [report for report in terminalreporter.getreports("skipped") if ABSENT in str(report.longrepr)]
    if absent:
        terminalreporter.write_line(f"SAMPLES ABSENT: {len(absent)} tests not run", yellow=True)


def _figures(line: str) -> bool:
    """Not what a process said on its standard error, which the tests repeat."""
    return any(map(str.isdigit, line)) and not line.startswith(("{", "will publish", "stores ", "the broker"))
