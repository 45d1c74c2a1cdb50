"""What the command line loads before it knows what is wanted of it."""

import os
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

pytestmark = pytest.mark.real

HEAVY = frozenset(
    {"asyncio", "numpy", "pydantic", "msgspec", "serial", "usb", "bleak", "dbus_fast", "aiomqtt", "paho", "pyudev"}
    | {"sqlite3", "amqtt", "drivers", "simulators", "devicehub.app", "devicehub.config", "devicehub.registry"}
)


def _imported(*arguments: str) -> set[str]:
    return _loaded("-m", "devicehub", *arguments)


def _loaded(*words: str) -> set[str]:
    command = [sys.executable, "-X", "importtime", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize("arguments", [("--help",), ("devices", "--help"), ("run", "--help"), ("version",)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    imported = _imported(*arguments)
    assert "devicehub.cli.parser" in imported
    assert imported & HEAVY == set()


def test_listing_drivers_opens_no_link() -> None:
    """The declarations are data: no transport and no event loop behind them."""
    imported = _imported("drivers", "list")
    assert "devicehub.registry" in imported
    assert imported & {"asyncio", "serial", "usb.core", "bleak", "aiomqtt", "sqlite3"} == set()


@pytest.mark.parametrize("command", ["watch", "send", "alarms_list", "mqtt_clean", "consume", "enter"])
def test_what_only_speaks_to_the_broker_loads_no_hub(command: str) -> None:
    """Somebody waits for it at a prompt: the hub takes longer to load than all else together."""
    imported = _loaded("-c", f"import devicehub.cli.{command}")
    assert f"devicehub.cli.{command}" in imported
    assert imported & {"devicehub.app", "devicehub.configured", "devicehub.hub", "devicehub.core"} == set()
