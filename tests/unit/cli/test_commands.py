"""Commands, run in process: what they print and how they end."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # has no stubs installed
import pytest

from devicehub.cli.describe import link_lines
from devicehub.cli.main import main
from devicehub.config import Config
from devicehub.driver import BleLink, FileLink, NetworkLink, SerialLink, UsbLink, VideoLink
from devicehub.registry import driver_names, load_driver

HUB = '[hub]\nsite = "s"\nnode = "n"\n'
GAMMA = '[[device]]\nid = "gamma-1"\ndriver = "radiation.atom_fast"\n'
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEVICEHUB_CONFIG", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(words)
        except SystemExit as end:  # argparse ends so
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_drivers_are_listed(cli: Cli) -> None:
    code, out, _ = cli("drivers", "list", "--json")
    assert code == 0
    assert [driver["name"] for driver in json.loads(out)] == driver_names()
    code, out, _ = cli("drivers", "list")
    assert len(out.splitlines()) == len(driver_names()) + 1
    assert "\x1b" not in out


@pytest.mark.parametrize("name", driver_names())
def test_every_driver_can_be_shown(cli: Cli, name: str) -> None:
    code, out, _ = cli("drivers", "show", name, "--json")
    shown = json.loads(out)
    assert code == 0
    assert [channel["name"] for channel in shown["channels"]] == [one.name for one in load_driver(name).channels]
    code, out, _ = cli("drivers", "show", name)
    assert load_driver(name).title in out
    for line in link_lines(load_driver(name).link):
        assert "  {} {}\n".format(*line) in out
    match load_driver(name).link:
        case SerialLink(baud=baud):
            assert f"  baud {baud}\n" in out
        case UsbLink(ids=ids):
            assert all(str(one) in out for one in ids)
        case BleLink(notify=notify):
            assert all(one in out for one in notify)
        case VideoLink(formats=formats):
            assert f"{formats[0].fourcc} {formats[0].width}x{formats[0].height} {formats[0].fps:g} Hz" in out
        case NetworkLink(ports=ports):
            assert f"  ports {', '.join(map(str, ports))}\n" in out
        case FileLink(patterns=patterns):
            assert f"  patterns {', '.join(patterns)}\n" in out


def test_an_unknown_driver_is_one_line_with_the_nearest_name(cli: Cli) -> None:
    code, out, err = cli("drivers", "show", "radiation.atomfast")
    assert (code, out) == (2, "")
    assert err == "devicehub: unknown driver 'radiation.atomfast'; did you mean 'radiation.atom_fast'?\n"


def test_a_wrong_word_is_one_line_with_the_nearest_one(cli: Cli) -> None:
    code, _, err = cli("drivers", "lst")
    assert code == 2
    assert "did you mean 'list'?" in err
    assert err.count("\n") == 1


def test_a_published_notification_decodes_to_its_values(cli: Cli) -> None:
    code, out, err = cli("drivers", "decode", "radiation.atom_fast", "00 06 bc bf 3e 66 13 34 3e 10 00 41 1a")
    capability, *samples = [json.loads(line) for line in out.splitlines()]
    assert (code, err, capability) == (0, "", {"capability": "gamma", "level": "full"})
    assert {sample["channel"]: sample["value"] for sample in samples} == {
        "dose": pytest.approx(0.374481, rel=1e-5),
        "dose-rate": pytest.approx(0.175855, rel=1e-5),
        "count-rate": 8.0,
        "battery": 65,
        "temperature": 26,
    }


def test_bytes_that_only_give_faults_end_with_65(cli: Cli) -> None:
    code, out, _ = cli("drivers", "decode", "radiation.atom_fast", "00*12")
    assert code == 65
    assert json.loads(out) == {"fault": "length", "detail": "12 bytes instead of 13"}


def test_bytes_that_give_nothing_end_with_65_and_a_word(cli: Cli) -> None:
    code, out, err = cli("drivers", "decode", "thermal.gy_mcu90640", "5a")
    assert (code, out) == (65, "")
    assert "finds nothing in 1 bytes" in err


def test_a_capture_may_be_hexadecimal_transcript_or_raw(cli: Cli, tmp_path: Path) -> None:
    data = bytes.fromhex("0006bcbf3e6613343e1000411a")
    (tmp_path / "raw.bin").write_bytes(data)
    (tmp_path / "hex.txt").write_text(data.hex(":"))
    (tmp_path / "transcript.txt").write_text(f"0.00 < {data.hex()}\n")
    decoded = [
        cli("drivers", "decode", "radiation.atom_fast", "--file", name)
        for name in ("raw.bin", "hex.txt", "transcript.txt")
    ]
    assert decoded[0][0] == 0
    assert decoded[0] == decoded[1] == decoded[2]


def test_what_is_no_hexadecimal_ends_with_65(cli: Cli) -> None:
    code, out, err = cli("drivers", "decode", "radiation.atom_fast", "xyz")
    assert (code, out) == (65, "")
    assert err == "devicehub: hexadecimal bytes: line 1: 'xyz' is not pairs of hexadecimal digits\n"


def test_a_missing_capture_ends_with_66(cli: Cli) -> None:
    code, _, err = cli("drivers", "decode", "radiation.atom_fast", "--file", "none")
    assert (code, err) == (66, "devicehub: none: No such file or directory\n")


def test_options_reach_the_driver_and_wrong_ones_are_refused(cli: Cli) -> None:
    code, _, err = cli("drivers", "decode", "radiation.atom_fast", "--option", "rate=1", "00")
    assert (code, err) == (2, "devicehub: --option: driver radiation.atom_fast has no option 'rate'\n")


def test_a_configuration_is_checked_with_places(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_text(HUB + "helth_s = 5\nexercise = 1\n")
    code, out, err = cli("config", "check")
    assert (code, out) == (78, "")
    assert err == (
        "devicehub.toml:4:1  hub.helth_s: unknown key; did you mean 'health_s'?\n"
        "devicehub.toml:5:1  hub.exercise = 1: must be true or false\n"
        "2 errors\n"
    )
    code, out, _ = cli("config", "check", "--json")
    assert code == 78
    assert [(one["line"], one["column"]) for one in json.loads(out)["problems"]] == [(4, 1), (5, 1)]


def test_init_writes_a_valid_configuration_once(cli: Cli, tmp_path: Path) -> None:
    assert cli("config", "init")[0] == 0
    assert cli("config", "check")[0] == 0
    (tmp_path / "devicehub.toml").write_text("mine")
    code, _, err = cli("config", "init")
    assert (code, err) == (73, "devicehub: devicehub.toml exists; it is left alone\n")
    assert (tmp_path / "devicehub.toml").read_text() == "mine"


def test_init_writes_to_standard_output_for_a_dash(cli: Cli, tmp_path: Path) -> None:
    code, out, _ = cli("config", "init", "-")
    assert code == 0
    assert list(tmp_path.iterdir()) == []
    cli("config", "init")
    assert out == (tmp_path / "devicehub.toml").read_text()


def test_a_valid_configuration_is_counted(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_text(HUB + GAMMA + '[[limit]]\ndevice = "gamma-1"\nchannel = "dose"\nhigh = 1\n')
    assert cli("config", "check")[1] == "devicehub.toml: valid; 1 device, 1 limit, embedded broker\n"
    path.write_text(HUB)
    assert cli("config", "check")[1] == "devicehub.toml: valid; 0 devices, 0 limits, embedded broker\n"
    path.write_text(HUB + '[mqtt]\nurl = "mqtts://b"\nca = "none.pem"\n')
    assert cli("config", "check")[0] == 78
    assert cli("config", "show")[0] == 0


def test_the_effective_configuration_is_shown_as_toml_that_reads_back(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_text(HUB + '[mqtt]\nurl = "mqtt://b"\nusername = "u"\npassword = { environment = "P" }\n' + GAMMA)
    code, out, _ = cli("config", "show", "--effective")
    assert code == 0
    shown = tomllib.loads(out)
    assert Config.model_validate(shown) == Config.model_validate(tomllib.loads(path.read_text()))
    assert shown["mqtt"]["keepalive_s"] == 5
    code, out, _ = cli("config", "show")
    assert tomllib.loads(out) == tomllib.loads(path.read_text())
    code, out, _ = cli("config", "show", "--json")
    assert json.loads(out) == tomllib.loads(path.read_text())


def test_the_schema_of_the_configuration_accepts_what_ships(cli: Cli) -> None:
    _, out, _ = cli("config", "schema")
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    cli("config", "init")
    jsonschema.validate(tomllib.loads(Path("devicehub.toml").read_text()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"hub": {"site": "S", "node": "n"}}, schema)


def test_the_contract_is_printed(cli: Cli) -> None:
    assert json.loads(cli("schema")[1])["asyncapi"].startswith("3.")
    assert "reading" in json.loads(cli("schema", "json")[1])


def test_devices_are_listed_and_shown_without_touching_them(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(HUB + GAMMA + 'address = "AA:BB:CC:DD:EE:FF"\n')
    code, out, _ = cli("devices", "list", "--json")
    assert code == 0
    assert json.loads(out) == [
        {"id": "gamma-1", "driver": "radiation.atom_fast", "where": "AA:BB:CC:DD:EE:FF", "enabled": True}
    ]
    code, out, _ = cli("devices", "show", "gamma-1", "--offline", "--json")
    assert code == 0
    assert json.loads(out)["link"] == "not tried"
    code, _, err = cli("devices", "show", "gama-1")
    assert (code, err) == (2, "devicehub: no device 'gama-1'; did you mean 'gamma-1'?\n")


def test_a_missing_port_ends_with_69_and_is_shown(cli: Cli, tmp_path: Path) -> None:
    device = '[[device]]\nid = "t1"\ndriver = "thermal.gy_mcu90640"\nport = "/dev/ttyNONE9"\n'
    (tmp_path / "devicehub.toml").write_text(HUB + device)
    code, out, _ = cli("devices", "show", "t1", "--json")
    assert code == 69
    assert "ttyNONE9" in json.loads(out)["link"]
    code, _, err = cli("record", "t1", "out.txt", "--for", "1")
    assert code == 69
    assert "ttyNONE9" in err
    assert "Traceback" not in err


def test_a_transcript_is_replayed_in_its_own_time(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0.00 < 0006bcbf3e6613343e1000411a\n0.50 < 00\n")
    code, out, _ = cli("replay", "a.txt", "--driver", "radiation.atom_fast", "--speed", "100", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert lines[1] == {
        "at": 0.0,
        "channel": "dose",
        "kind": "measurement",
        "value": pytest.approx(0.374481, rel=1e-5),
        "unit": "mSv",
        "quality": "good",
    }
    assert lines[-1] == {"at": 0.5, "fault": "length", "detail": "1 bytes instead of 13"}


def test_a_broken_transcript_names_its_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0.00 < 00\n0.50 < 0\n")
    code, _, err = cli("replay", "a.txt", "--driver", "radiation.atom_fast")
    assert code == 65
    assert err.startswith("devicehub: a.txt:2: ")


def test_watch_needs_an_address_of_an_embedded_broker(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "devicehub.toml").write_text(HUB)
    code, _, err = cli("watch")
    assert code == 69
    assert "--broker" in err
    assert cli("watch", "--broker", "http://x")[0] == 2
    assert cli("watch", "--broker", "mqtt://x:99999")[0] == 2


def test_the_version_is_printed(cli: Cli) -> None:
    from devicehub import __version__

    assert cli("version")[1] == f"devicehub {__version__}\n"
    assert json.loads(cli("version", "--json")[1])["devicehub"] == __version__
    assert cli("--version")[1] == f"devicehub {__version__}\n"


def test_the_list_of_drivers_says_what_the_tests_of_each_rest_on(cli: Cli) -> None:
    told = {one["name"]: one["evidence"] for one in json.loads(cli("drivers", "list", "--json")[1])}
    assert told == {name: load_driver(name).evidence for name in driver_names()}
    assert re.search("scanner.hid_pos +usb +byte-tested +Access-IS", cli("drivers", "list")[1])
