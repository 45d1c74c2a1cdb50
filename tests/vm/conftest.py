"""Tests in `inside` run in a machine, one for all of them, and are reported here as if they had run here."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devicehub.clock import Clock, since_boot
from tests.torture.shim import MORE
from tests.vm.compiled import compile_for, script_of
from tests.vm.kernel import Kernel, UnavailableError
from tests.vm.machine import Machine, MachineError, Task

INSIDE = "DEVICEHUB_REPORTS" in os.environ
FOLDER = Path(__file__).with_name("inside")
TEST_PATIENCE = 300.0 * MORE  # the first includes all imports, on an emulated processor
END_PATIENCE = 20.0
WARM = ("usb.backend.libusb1", "pyudev", "serial", "bleak", "dbus_fast.aio", "devicehub.app", "devicehub.cli.run")
VISIT = pytest.StashKey["Visit"]()


class Visit:
    """One start of the machine for all tests of a run."""

    def __init__(self, session: pytest.Session) -> None:
        self._config = session.config
        self._asked = [item.nodeid for item in session.items if FOLDER in item.path.parents]
        self._machine: Machine | None = None
        self._waiting: dict[str, list[pytest.TestReport]] = {}
        self._proved: dict[str, tuple[str, str]] = {}
        self._outcome, self._why = "", ""
        self._begun = since_boot()

    def start(self) -> None:
        """Does not raise: what went wrong is told by every report."""
        if hasattr(self._config, "workerinput"):
            self._outcome, self._why = "skipped", "one machine for all tests: run 'pytest -m vm tests/vm' without -n"
            return
        folder = pytest.TempPathFactory.from_config(self._config, _ispytest=True).mktemp("machine")
        try:
            kernel = Kernel.found()
            script = script_of(kernel, _compile(folder), "suite.sh", TORTURE=MORE, IN_CI=os.environ.get("CI", ""))
            self._machine = Machine.boot(kernel, folder, Task(script, "\n".join(self._asked)))
        except UnavailableError as error:
            self._outcome, self._why = "skipped", f"NO REAL KERNEL: {error}"
        except MachineError as error:
            self._outcome, self._why = "failed", str(error)

    def reports(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        """What came of it; a failure when the machine tells nothing."""
        if self._machine is None:
            skipped = (str(item.path), 0, f"Skipped: {self._why}")
            yield _report(item, self._outcome, skipped if self._outcome == "skipped" else self._why)
            return
        while not any(report.when == "teardown" for report in self._waiting.get(item.nodeid, ())):
            line = self._machine.hear(TEST_PATIENCE)
            if line is None:
                yield _report(item, "failed", f"the machine tells nothing any more\n{self._machine.tail()}")
                return
            report = self._config.hook.pytest_report_from_serializable(config=self._config, data=json.loads(line))
            if report.failed:
                report.sections.append(("console of the machine", self._machine.tail()))
            self._waiting.setdefault(report.nodeid, []).append(report)
        reports = self._waiting.pop(item.nodeid)
        self._note(reports)
        yield from reports

    def _note(self, reports: list[pytest.TestReport]) -> None:
        """A driver's test names the driver and what it was read through."""
        facts = dict(fact for report in reports for fact in report.user_properties)
        if "driver" in facts:
            outcome = "failed" if any(report.failed for report in reports) else "passed"
            self._proved[str(facts["driver"])] = (outcome, str(facts["through"]))

    def summary(self) -> str:
        """What ran where, and how long it took with the start."""
        if self._machine is None:
            return self._why
        return (
            f"{len(self._asked)} tests in a machine ({self._machine.accelerator}), {since_boot() - self._begun:.0f} s"
        )

    def close(self) -> None:
        """It ends by itself after its last test."""
        if self._machine is not None and not self._machine.ended(END_PATIENCE):
            self._machine.kill()
        if self._proved and "DEVICEHUB_PROVED" in os.environ:
            _prove(Path(os.environ["DEVICEHUB_PROVED"]), self._proved)


def _prove(file: Path, proved: dict[str, tuple[str, str]]) -> None:
    """Write down what was run; what was not keeps its own date."""
    known = json.loads(file.read_text()) if file.exists() else {}
    date = datetime.fromtimestamp(Clock().utc(), UTC).date().isoformat()
    kernel = Kernel.found().version
    for driver, (result, through) in proved.items():
        known[driver] = {"date": date, "kernel": kernel, "result": result, "through": through}
    file.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def _report(item: pytest.Item, outcome: str, why: object) -> pytest.TestReport:
    return pytest.TestReport(item.nodeid, item.location, dict(item.keywords), outcome, why, "setup")  # type: ignore[arg-type]


def _compile(folder: Path) -> Path:
    lines = [f"import compileall, pytest, {', '.join(WARM)}"]
    lines += [f"compileall.compile_dir('{one}', quiet=1)" for one in ("devicehub", "drivers", "simulators")]
    lines.append(f"pytest.main(['-q', '--collect-only', '-p', 'no:cacheprovider', '{FOLDER}'])")
    return compile_for(folder, "\n".join(lines))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    if INSIDE or FOLDER not in item.path.parents:
        return None
    config = item.config
    if VISIT not in config.stash:
        config.stash[VISIT] = Visit(item.session)
        config.stash[VISIT].start()
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in config.stash[VISIT].reports(item):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if VISIT in config.stash:
        terminalreporter.write_line(config.stash[VISIT].summary())


def pytest_sessionfinish(session: pytest.Session) -> None:
    if VISIT in session.config.stash:
        session.config.stash[VISIT].close()
