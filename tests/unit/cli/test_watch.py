"""`devicehub watch`: which filters are filters, where the broker is, and what of a message is shown."""

import json
import os
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from devicehub.cli.exits import CommandError
from devicehub.cli.main import main
from devicehub.cli.marked import sgr
from devicehub.cli.watch import Shown, checked, clipped, settings_of
from devicehub.publish.mqtt import Incoming

ALARM = "devicehub/v1/s/n/alarm/gamma-1/dose-high"
HUB = '[hub]\nsite = "s"\nnode = "n"\nstate = "state"\n'


def incoming(topic: str, *, retain: bool = False) -> Incoming:
    envelope = {
        "time": "2026-01-01T10:11:12.345Z",
        "type": "io.devicehub.alarm",
        "subject": "gamma-1",
        "data": {"a": 1},
    }
    return Incoming(topic, json.dumps(envelope).encode(), retain)


@pytest.mark.parametrize("text", ["#", "a/#", "/", "+", "a/+/b", "+/+", "a//b", "$share/g/a/#", "a b"])
def test_a_filter_of_the_standard_is_taken(text: str) -> None:
    assert checked(text) == text


@pytest.mark.parametrize("text", ["", "a/#/b", "a#", "#/a", "a+", "a/b+/c", "a\0b", "x" * 65536, "a/##"])
def test_anything_else_is_a_wrong_command_line(text: str) -> None:
    with pytest.raises(CommandError, match="is not a topic filter") as caught:
        checked(text)
    assert caught.value.code == 2
    assert len(str(caught.value)) < 300


def test_an_alarm_is_shown_once() -> None:
    usual, asked = Shown(), Shown(every_alarm=True)
    assert usual.line(incoming(ALARM)) == ""
    assert usual.line(incoming(ALARM, retain=True)).startswith("10:11:12.345  alarm")
    assert usual.line(incoming(ALARM.replace("/alarm/gamma-1/dose-high", "/event/alarm"))) != ""
    assert usual.line(incoming("elsewhere")) != ""
    assert asked.line(incoming(ALARM)) == usual.line(incoming(ALARM, retain=True))


def test_programs_get_every_message() -> None:
    assert json.loads(Shown(as_json=True).line(incoming(ALARM)))["topic"] == ALARM


def test_a_line_is_clipped_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clipped("x" * 100) == "x" * 100
    master, slave = os.openpty()
    monkeypatch.setenv("COLUMNS", "20")
    with os.fdopen(slave, "w") as terminal, os.fdopen(master):
        monkeypatch.setattr(sys, "stdout", terminal)
        lines = clipped("x" * 100), clipped("y" * 20)
    assert lines == ("x" * 19 + "…", "y" * 20)


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("alarm.raised", {"state": "unack-active", "priority": "critical", "category": "threat"}, "1;31"),
        ("alarm.raised", {"state": "unack-active", "priority": "high", "category": "threat"}, "31"),
        ("alarm.raised", {"state": "unack-active", "priority": "critical", "category": "device"}, "35"),
        ("alarm.cleared", {"state": "normal", "priority": "critical", "category": "threat"}, ""),
        ("alarm.statistics", {"rate": 1}, ""),
        ("device.lost", {"what": "lost"}, "35"),
        ("device", {"state": "ready"}, ""),
        ("lane", {"state": "blind"}, "35"),
        ("lane", {"state": "no-alarm"}, ""),
        ("gap", {"reason": "silent"}, "35"),
        ("reading", {"value": 1.0, "quality": "bad"}, "2"),
        ("reading", {"value": 1.0, "quality": "good"}, ""),
    ],
)
def test_colour_is_for_what_is_abnormal_and_a_fault_has_not_that_of_a_detection(
    kind: str, data: dict[str, object], code: str
) -> None:
    assert sgr({"type": f"io.devicehub.{kind}", "data": data}) == code


def test_a_line_is_painted_on_a_terminal_that_wants_it_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Incoming("t", json.dumps({"type": "io.devicehub.gap", "data": {}}).encode(), retain=False)
    assert "\x1b" not in Shown().line(lost)
    master, slave = os.openpty()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(slave, "w") as terminal, os.fdopen(master):
        monkeypatch.setattr(sys, "stdout", terminal)
        assert Shown().line(lost).startswith("\x1b[35m")
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in Shown().line(lost)


def given(path: Path) -> Namespace:
    return Namespace(broker=None, config=path)


def test_an_embedded_broker_is_found_where_the_hub_wrote_its_address(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(HUB)
    with pytest.raises(CommandError, match="no hub runs with it") as caught:
        settings_of(given(path))
    assert caught.value.code == 69
    (tmp_path / "state" / "broker").mkdir(parents=True)
    (tmp_path / "state" / "broker" / "address").touch()
    with pytest.raises(CommandError, match="no hub runs with it"):
        settings_of(given(path))
    (tmp_path / "state" / "broker" / "address").write_text("mqtt://127.0.0.1:40123\n")
    settings = settings_of(given(path))
    assert (settings.host, settings.port) == ("127.0.0.1", 40123)


def test_a_configured_broker_is_used(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(HUB + '[mqtt]\nurl = "mqtt://broker:1884"\n')
    settings = settings_of(given(path))
    assert (settings.host, settings.port, settings.identifier) == ("broker", 1884, "")


def test_no_password_of_an_address_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for address in ("mqtt://u:hunter2@b", "http://u:hunter2@b", "mqtt://u:hunter2@b:99999"):
        assert main(["watch", "--broker", address]) == 2
        assert "hunter2" not in capsys.readouterr().err
