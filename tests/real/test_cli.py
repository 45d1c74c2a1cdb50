"""The command line as a process: exit codes, one-line errors, output that programs can read, and its start."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
HUB = '[hub]\nsite = "s"\nnode = "n"\n'
HEAVY = ("numpy", "pydantic", "msgspec", "asyncio", "serial", "usb", "bleak", "aiomqtt", "ssl")


def devicehub(*words: str, cwd: Path = ROOT, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "devicehub", *words],
        input=stdin, cwd=cwd, env=environment(), capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DEVICEHUB_CONFIG"}
    return kept | {"PYTHONPATH": str(ROOT)}


def one_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The error: one line on stderr, nothing on stdout, no traceback."""
    text = done.stderr.decode()
    assert done.stdout == b"", done.stdout
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("words", [(), ("drivers",), ("config",), ("devices",), ("drivers", "decode"), ("watch",)])
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    script = f"import sys\nfrom devicehub.cli.main import main\ntry:\n    main({[*words, '--help']!r})\nfinally:\n"
    script += "    print(sorted(sys.modules), file=sys.stderr)\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("usage: devicehub")
    assert not [name for name in HEAVY if f"'{name}'" in done.stderr]


def test_help_costs_little_more_than_an_empty_python() -> None:
    """A ratio of processor time, because a machine under load says nothing in seconds."""

    def cost(*words: str) -> float:
        best = float("inf")
        for _ in range(7):
            before = os.times()
            subprocess.run([sys.executable, *words], cwd=ROOT, env=environment(), capture_output=True, check=True)
            after = os.times()
            best = min(
                best, after.children_user + after.children_system - before.children_user - before.children_system
            )
        return best

    empty = cost("-c", "import argparse, importlib, pathlib, traceback, importlib.metadata")
    assert cost("-m", "devicehub", "--help") < 3 * max(empty, 0.02)


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("nothing",), 2, "unknown command"),
        (("config", "chek"), 2, "did you mean 'check'?"),
        (("run", "--confg", "x"), 2, "unrecognized arguments"),
        (("watch", "--for", "-1"), 2, "number of seconds"),
        (("watch", "--for", "soon"), 2, "'soon' is not a number of seconds"),
        (("watch", "--count", "0"), 2, "from 1"),
        (("watch", "a/#/b"), 2, "'a/#/b' is not a topic filter"),
        (("watch", "--broker", "mqtt://u:p@x"), 2, "mqtt.password"),
        (("replay", "x", "--driver", "y", "--speed", "0"), 2, "must be a number above 0"),
        (("replay", "README.md", "--driver", "nope"), 2, "unknown driver"),
        (("replay", "README.md", "--driver", "radiation.atom_fast"), 65, "README.md:3"),
        (("replay", sys.executable, "--driver", "radiation.atom_fast"), 65, "not a transcript"),
        (("drivers", "decode", "radiation.atom_fast", "--option", "rate=1", "00"), 2, "no option 'rate'"),
        (("drivers", "decode", "radiation.atom_fast", "--port", "x", "00"), 2, "70bc767e"),
        (("drivers", "decode", "thermal.gy_mcu90640", "--port", "x", "00"), 2, "has no ports"),
        (("drivers", "decode", "thermal.seek_compact", "--port", "out:81", "00"), 2, "in:EP"),
        (("drivers", "decode", "radiation.atom_fast", "--as", "transcript", "--file", sys.executable), 65, ":1: "),
        (("tls", "init", "x", "--days", "0"), 2, "from 1 to 3650"),
        (("tls", "init", "/proc/x/y"), 73, "/proc/x/y: "),
        (("tls", "init", "x", "--node", "UPPER"), 2, "node 'UPPER'"),
        (("config", "init", "config/demo.toml"), 73, "left alone"),
        (("config", "init", "/proc/x"), 73, "/proc/x: "),
        (("config", "check", "config"), 66, "Is a directory"),
        (("config", "check", "a.toml", "--config", "b.toml"), 2, "not both"),
        (("record", "nope", "x.txt", "--config", "config/demo.toml"), 2, "no device 'nope'"),
        (("drivers", "show", "radiation.atomfast"), 2, "did you mean 'radiation.atom_fast'?"),
        (("drivers", "decode", "radiation.atom_fast", "--file", "no-such-file"), 66, "No such file"),
        (("drivers", "decode", "radiation.atom_fast", "--file", "."), 66, "Is a directory"),
        (("drivers", "decode", "radiation.atom_fast", "0g"), 65, "hexadecimal"),
        (("replay", "no-such-file", "--driver", "radiation.atom_fast"), 66, "No such file"),
        (("devices", "show", "x", "--config", "config/devicehub.toml"), 2, "no device 'x'"),
    ],
)
def test_an_error_is_one_line_and_a_code(words: tuple[str, ...], code: int, text: str) -> None:
    done = devicehub(*words)
    assert text in one_line(done)
    assert done.returncode == code


@pytest.mark.parametrize("command", [("config", "check"), ("run",), ("devices", "list"), ("watch",)])
def test_every_command_reports_a_wrong_configuration_alike(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(HUB + "helth_s = 5\n")
    done = devicehub(*command, "--config", str(path))
    assert done.returncode == 78
    assert done.stderr.decode() == f"{path}:4:1  hub.helth_s: unknown key; did you mean 'health_s'?\n1 error\n"


def test_a_missing_configuration_says_how_to_make_one(tmp_path: Path) -> None:
    done = devicehub("run", cwd=tmp_path)
    assert done.returncode == 66
    assert b"'devicehub config init' writes one" in done.stderr


def test_a_port_that_is_missing_ends_with_69(tmp_path: Path) -> None:
    device = '[[device]]\nid = "t1"\ndriver = "thermal.gy_mcu90640"\nport = "/dev/ttyNONE9"\n'
    (tmp_path / "devicehub.toml").write_text(HUB + device)
    done = devicehub("record", "t1", "out.txt", "--for", "5", cwd=tmp_path)
    assert done.returncode == 69
    assert b"/dev/ttyNONE9" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_ends_with_77(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("00")
    path.chmod(0)
    done = devicehub("drivers", "decode", "radiation.atom_fast", "--file", str(path))
    assert done.returncode == 77
    assert "Permission denied" in one_line(done)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on: it is bound, so that nobody can take it meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_broker_that_refuses_ends_with_69(closed_port: int) -> None:
    done = devicehub("watch", "--broker", f"mqtt://127.0.0.1:{closed_port}")
    assert str(closed_port) in one_line(done)
    assert done.returncode == 69


def test_hexadecimal_comes_from_standard_input_too() -> None:
    data = b"00 06 bc bf 3e 66 13 34 3e 10 00 41 1a\n"
    for words in ((), ("-",)):
        done = devicehub("drivers", "decode", "radiation.atom_fast", *words, stdin=data)
        assert done.returncode == 0
        assert json.loads(done.stdout.splitlines()[1])["channel"] == "dose"


@pytest.mark.parametrize(
    "words",
    [
        ("version",),
        ("drivers", "list"),
        ("drivers", "show", "radiation.atom_fast"),
        ("devices", "list", "--config", "config/devicehub.toml"),
        ("devices", "scan"),
        ("config", "check", "config/devicehub.toml"),
        ("config", "show", "config/devicehub.toml", "--effective"),
        ("config", "schema"),
        ("schema",),
        ("schema", "json"),
    ],
)
def test_json_is_json_and_nothing_else(words: tuple[str, ...]) -> None:
    done = devicehub(*words, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    json.loads(done.stdout)


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "devicehub", "config", "schema"],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 0


def test_an_interrupt_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "slow.txt"
    path.write_text("0.00 < 0006bcbf3e6613343e1000411a\n600.00 < 00\n")
    with subprocess.Popen(
        [sys.executable, "-m", "devicehub", "replay", str(path), "--driver", "radiation.atom_fast"],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"0.00 = capability")
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 130
