"""What a wrong configuration is told: exact lines, each with its place."""

from pathlib import Path

import pytest

from devicehub.config import ConfigProblems, load_config

HUB = '[hub]\nsite = "merdare"\nnode = "ws-1"\n'
GAMMA = '[[device]]\nid = "gamma-1"\ndriver = "radiation.atom_fast"\n'
THERMAL = '[[device]]\nid = "thermal-1"\ndriver = "thermal.gy_mcu90640"\nport = "/dev/ttyUSB0"\n'
SIM = HUB + "exercise = true\n" + GAMMA + 'port = "sim:"\n'

SYNTAX = [
    ("[hub", "1:5  not valid TOML: expected ']' at the end of a table declaration"),
    ("[hub]\nsite merdare\n", "2:6  not valid TOML: expected '=' after a key in a key/value pair"),
    ('[hub]\nsite = "merdare\n', "2:16  not valid TOML: illegal character '\\n'"),
    ("[hub]\nsite = \n", "2:8  not valid TOML: invalid value"),
    ('[hub]\nsite = "a"\nsite = "b"\n', "3:11  not valid TOML: cannot overwrite a value"),
    ("[hub]\n[hub]\n", "2:5  not valid TOML: cannot declare ('hub',) twice"),
    ("a = [1,", "1:8  not valid TOML: invalid value"),
    ("a = " + "[" * 5000, "1:1  nested too deeply"),
    ("a = " + "1" * 5000, "1:1  not valid TOML: exceeds the limit (4300 digits) for integer string conversion"),
]

VALUES = [
    ("", "1:1  hub: missing; add [hub] with site and node"),
    ("[hub]\n", "1:2  hub.node: missing; This workstation within the site; a topic segment"),
    (
        HUB + "[mtqq]\n",
        "4:2  mtqq: unknown key; did you mean 'mqtt'?",
    ),
    (HUB + "[quux]\n", "4:2  quux: unknown key"),
    (HUB + "exercize = true\n", "4:1  hub.exercize: unknown key; did you mean 'exercise'?"),
    (HUB + "exercise = 1\n", "4:1  hub.exercise = 1: must be true or false"),
    (HUB + "health_s = 0\n", "4:1  hub.health_s = 0: must be at least 1"),
    (HUB + "health_s = 4000\n", "4:1  hub.health_s = 4000: must be at most 3600"),
    (HUB + "health_s = nan\n", "4:1  hub.health_s = nan: must be a finite number"),
    (HUB + 'health_s = "10"\n', '4:1  hub.health_s = "10": must be a number'),
    (
        HUB + 'readings = "batched"\n',
        "4:1  hub.readings = \"batched\": must be 'single' or 'batch'; did you mean 'batch'?",
    ),
    (HUB + "state = 3\n", "4:1  hub.state = 3: must be a path in quotes"),
    (
        '[hub]\nsite = "Merdarë"\nnode = "ws-1"\n',
        "2:1  hub.site = \"Merdarë\": must be 1 to 64 characters of a-z, 0-9 and '-'",
    ),
    ('[hub]\nsite = 7\nnode = "ws-1"\n', "2:1  hub.site = 7: must be text in quotes"),
    ("hub = 1\n", "1:1  hub = 1: must be a table [hub]"),
    ("schema_version = 2\n" + HUB, "1:1  schema_version = 2: must be 1"),
    (HUB + "[mqtt]\nbroker = 1883\n", "5:1  mqtt.broker: unknown key"),
    (
        HUB + '[mqtt]\nurl = "http://broker"\n',
        '5:1  mqtt.url = "http://broker": must be mqtt://host[:port] or mqtts://host[:port]',
    ),
    (
        HUB + '[mqtt]\nurl = "mqtt://u:hunter2@x"\n',
        "5:1  mqtt.url: must not hold user name and password: they belong in mqtt.username and mqtt.password",
    ),
    (
        HUB + '[mqtt]\nprotocol = "4"\n',
        "5:1  mqtt.protocol = \"4\": must be 'auto', '5' or '3.1.1'",
    ),
    (HUB + "[mqtt]\nprotocol = 5\n", "5:1  mqtt.protocol = 5: must be 'auto', '5' or '3.1.1'; did you mean '5'?"),
    (HUB + "[mqtt]\nwindow = 1.5\n", "5:1  mqtt.window = 1.5: must be a whole number"),
    (HUB + "[mqtt]\nwindow = 0\n", "5:1  mqtt.window = 0: must be at least 1"),
    (HUB + "mqtt.window = 0\n", "4:1  hub.mqtt: unknown key"),
    (HUB + "[journal]\ngib = 0\n", "5:1  journal.gib = 0: must be greater than 0"),
    (HUB + "[journal]\ndays = 2030-01-01\n", "5:1  journal.days = 2030-01-01: must be a whole number"),
    (HUB + '[scan]\npublish = "plain"\n', "5:1  scan.publish = \"plain\": must be 'off', 'hash' or 'text'"),
    (HUB + "[device]\nid = 'a'\n", "4:2  device = a table: must be an array of tables, written with double brackets"),
    (HUB + "device = [1]\n", "4:1  hub.device: unknown key; did you mean 'device_files'?"),
    ("device = [1]\n" + HUB, "1:11  device[0] = 1: must be a table"),
    (
        HUB + '[[device]]\nid = "a"\n',
        "4:3  device[0].driver: missing; FAMILY.MAKER_MODEL; see 'devicehub drivers list'",
    ),
    (HUB + GAMMA + "drivr = 4\n", "7:1  device[0].drivr: unknown key; did you mean 'driver'?"),
    (HUB + GAMMA + "options = 3\n", "7:1  device[0].options = 3: must be a table"),
    (
        HUB + GAMMA + "options = { rate = [1] }\n",
        "7:13  device[0].options.rate = an array: must be text, a number below 2**63, true or false",
    ),
    (
        HUB + GAMMA + 'usb = "10C4:EA60"\n',
        '7:1  device[0].usb = "10C4:EA60": must be vendor:product in lower-case hexadecimal, as "10c4:ea60"',
    ),
    (
        HUB + GAMMA + f'port = "{"x" * 1025}"\n',
        f'7:1  device[0].port = "{"x" * 56}...": must be at most 1024 characters',
    ),
    (
        HUB + GAMMA + '[[limit]]\ndevice = "gamma-1"\nchannel = "A b"\nhigh = 1\n',
        '9:1  limit[0].channel = "A b": must be a channel\'s name, for an image followed by .min, .mean, .max or .p95',
    ),
    (
        HUB + GAMMA + '[[limit]]\ndevice = "gamma-1"\nchannel = "dose"\npriority = "hihg"\n',
        "10:1  limit[0].priority = \"hihg\": must be 'critical', 'high', 'medium' or 'low'; did you mean 'high'?",
    ),
    (
        HUB + GAMMA + '[[limit]]\ndevice = "gamma-1"\nchannel = "dose"\nhysteresis = -1\n',
        "10:1  limit[0].hysteresis = -1: must be at least 0",
    ),
]

SECRETS = [
    (
        HUB + '[mqtt]\npassword = "hunter2"\n',
        '5:1  mqtt.password: must be { file = "..." }, { credential = "..." } or { environment = "..." }',
    ),
    (HUB + '[mqtt]\npassword = { value = "hunter2" }\n', "5:14  mqtt.password.value: unknown key"),
    (
        HUB + '[mqtt]\npassword = { environment = "hunter2 " }\n',
        "5:14  mqtt.password.environment: must be the name of an environment variable",
    ),
    (
        HUB + '[scan]\nkey = { file = "a", credential = "b" }\n',
        "5:1  scan.key: must have exactly one of file, credential and environment",
    ),
    (HUB + '[mqtt]\npasswort = "hunter2"\n', "5:1  mqtt.passwort: unknown key; did you mean 'password'?"),
]

NO_FAULT = (
    "9:1  device[0].fault = \"flop=1\": unknown fault 'flop'; known: baud, cut, drop, flip, garbage, hang, late, lose, "
    "merge, order, split, swap, twice, unheard; as drop=0.01,lose=120"
)
NO_PORT = (
    '7:1  device[0].port = "ttyUSB0": must be a device path as "/dev/ttyUSB0", '
    "socket://HOST:PORT or rfc2217://HOST:PORT"
)
BETWEEN = [
    (
        HUB + '[[device]]\nid = "a"\ndriver = "radiation.atomfast"\n',
        "6:1  device[0].driver = \"radiation.atomfast\": no such driver; did you mean 'radiation.atom_fast'?",
    ),
    (
        HUB + '[[device]]\nid = "a"\ndriver = "zzz"\n',
        "6:1  device[0].driver = \"zzz\": no such driver; 'devicehub drivers list' shows all",
    ),
    (HUB + GAMMA + GAMMA, '8:1  device[1].id = "gamma-1": already used by device[0]'),
    (
        HUB + THERMAL + THERMAL.replace("thermal-1", "thermal-2"),
        '11:1  device[1].port = "/dev/ttyUSB0": already used by device[0]',
    ),
    (
        HUB + GAMMA + "options.rate = 2\n",
        "7:9  device[0].options.rate: unknown key; driver radiation.atom_fast has no options",
    ),
    (HUB + GAMMA + 'port = "/dev/ttyUSB0"\n', "7:1  device[0].port: a Bluetooth device has none"),
    (HUB + GAMMA + 'folder = "/tmp"\n', "7:1  device[0].folder: a Bluetooth device has none"),
    (
        HUB + '[[device]]\nid = "t"\ndriver = "thermal.gy_mcu90640"\n',
        "4:3  device[0]: a serial device needs port or usb; 'devicehub devices scan' shows both",
    ),
    (
        HUB + GAMMA + 'port = "sim:"\n',
        '7:1  device[0].port = "sim:": simulated and replayed devices need hub.exercise = true',
    ),
    (
        HUB + GAMMA + 'port = "replay:/a.txt"\n',
        '7:1  device[0].port = "replay:/a.txt": simulated and replayed devices need hub.exercise = true',
    ),
    (
        SIM + THERMAL,
        "8:1  device[0].port = \"sim:\": simulated and real devices cannot run together; device 'thermal-1' is real",
    ),
    (SIM.replace("sim:", "sim:2"), '8:1  device[0].port = "sim:2": a simulated device is "sim:" and nothing more'),
    (
        SIM + 'fault = "flop=1"\n',
        NO_FAULT,
    ),
    (
        HUB + GAMMA + 'fault = "drop=1"\n',
        '7:1  device[0].fault = "drop=1": faults are injected only with hub.exercise = true',
    ),
    (SIM.replace("sim:", "replay:"), '8:1  device[0].port = "replay:": must name the transcript, as replay:FILE'),
    (HUB + '[mqtt]\nurl = "mqtt://b:70000"\n', '5:1  mqtt.url = "mqtt://b:70000": the port must be from 1 to 65535'),
    (HUB + '[mqtt]\nurl = "mqtt://b"\nembedded_port = 1883\n', "6:1  mqtt.embedded_port: has no meaning with mqtt.url"),
    (
        HUB + GAMMA + 'address = "xyz"\n',
        '7:1  device[0].address = "xyz": must be a Bluetooth address, as "AA:BB:CC:DD:EE:FF"',
    ),
    (
        HUB + THERMAL.replace("/dev/ttyUSB0", "ttyUSB0"),
        NO_PORT,
    ),
    (HUB + '[mqtt]\nusername = "u"\n', "5:1  mqtt.username: has no meaning for the embedded broker; set mqtt.url"),
    (HUB + '[mqtt]\nurl = "mqtt://b"\nca = "x"\n', "6:1  mqtt.ca: only a mqtts:// url uses TLS"),
    (HUB + '[mqtt]\nurl = "mqtts://b"\nkey = "x"\n', "6:1  mqtt.key: needs mqtt.certificate too"),
    (HUB + '[mqtt]\nurl = "mqtts://b"\npassword = { file = "x" }\n', "6:1  mqtt.password: needs mqtt.username too"),
]

CASES = [*SYNTAX, *VALUES, *SECRETS, *BETWEEN]


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        load_config(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "line"), CASES, ids=[line[:60] for _, line in CASES])
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_text(text)
    assert line in problems(path)


def test_only_the_mistake_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    alone = [case for case in CASES if case[0] not in {"", "[hub]\n"}]
    for text, line in alone:
        path.write_text(text)
        assert problems(path) == [line]


def test_several_mistakes_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_text(HUB + '[mqtt]\nwindow = 0\nkeepalive_s = "x"\n' + GAMMA + "enabled = 1\n[[device]]\n")
    assert problems(path) == [
        "5:1  mqtt.window = 0: must be at least 1",
        '6:1  mqtt.keepalive_s = "x": must be a whole number',
        "10:1  device[0].enabled = 1: must be true or false",
        "11:3  device[1].driver: missing; FAMILY.MAKER_MODEL; see 'devicehub drivers list'",
        "11:3  device[1].id: missing; Name of the device; a topic segment",
    ]


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    for text, _ in (case for case in CASES if "hunter2" in case[0]):
        path.write_text(text)
        assert "hunter2" not in "\n".join(problems(path))
