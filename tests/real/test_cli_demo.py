"""`demo`, `run` and `watch` as processes: they start, say where they are, and end as they should."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import PATIENCE

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
CONFIG = """
[hub]
site = "s"
node = "n"
exercise = true
state = "state"
[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
port = "sim:"
"""


@contextmanager
def devicehub(*words: str, cwd: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    kept = {name: value for name, value in os.environ.items() if name != "DEVICEHUB_CONFIG"}
    with subprocess.Popen(
        [sys.executable, "-m", "devicehub", *words],
        cwd=cwd, env=kept | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def broker_of(process: subprocess.Popen[str]) -> int:
    """The port that the embedded broker's banner names."""
    assert process.stderr is not None
    line = process.stderr.readline()
    port = re.search(r"127\.0\.0\.1:(\d+)", line)
    assert port is not None, line
    return int(port[1])


def test_the_demonstration_shows_messages_and_ends_by_itself() -> None:
    with devicehub("demo", "--for", "3", "--json") as process:
        out, err = process.communicate(timeout=PATIENCE)
    messages = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, err
    assert "EXERCISE" in err
    assert "station.conf" not in err, "nobody sets up a broker that ends with the demonstration"
    assert {message["topic"].split("/")[0] for message in messages} == {"devicehub-sim"}
    assert any(message["payload"]["data"].get("state") == "ready" for message in messages if message["payload"])


def test_an_output_that_nobody_reads_any_more_ends_the_demonstration() -> None:
    with devicehub("demo", "--for", "600") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=PATIENCE) == 0


def test_watch_sees_what_run_publishes_and_run_ends_on_sigterm(tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(CONFIG)
    with devicehub("run", cwd=tmp_path) as hub:
        broker = f"mqtt://127.0.0.1:{broker_of(hub)}"
        with devicehub("watch", "--broker", broker, "--count", "3", "devicehub-sim/v1/s/n/reading/#") as watch:
            out, err = watch.communicate(timeout=PATIENCE)
        assert (watch.returncode, err) == (0, "")
        assert len(out.splitlines()) == 3
        assert all("gamma-1/" in line for line in out.splitlines())
        hub.send_signal(signal.SIGTERM)
        assert hub.wait(timeout=PATIENCE) == 0


def test_watch_for_a_time_ends_with_0_and_a_broker_that_goes_with_69(tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(CONFIG)
    with devicehub("run", cwd=tmp_path) as hub:
        broker = f"mqtt://127.0.0.1:{broker_of(hub)}"
        with devicehub("watch", "--broker", broker, "--for", "0.5") as brief:
            assert brief.wait(timeout=PATIENCE) == 0
        with devicehub("watch", "--broker", broker) as watch:
            assert watch.stdout is not None
            assert watch.stderr is not None
            watch.stdout.readline()
            hub.send_signal(signal.SIGTERM)
            hub.wait(timeout=PATIENCE)
            watch.stdout.read()
            assert watch.wait(timeout=PATIENCE) == 69
            said = watch.stderr.read()
            assert re.match(
                r"devicehub: the (connection to the broker ended|broker ended the connection): [^\[]+$", said
            ), said
