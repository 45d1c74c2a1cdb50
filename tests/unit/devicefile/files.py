"""Device files written by tests."""

from pathlib import Path

from devicehub.devicefile.compiled import Compiled
from devicehub.devicefile.load import load
from devicehub.devicefile.schema import DeviceFile

SMALL = """\
format = 1
title = "Probe"
source = "test"
[link]
kind = "serial"
[frame]
kind = "length"
adjust = 1
least = 3
header = [{ name = "size", type = "u8" }, { name = "kind", type = "u8" }]
request_head = "{length:u8}"
[[check]]
kind = "sum"
[[channel]]
name = "level"
title = "Level"
unit = "%"
[[message]]
name = "level"
match = { kind = 1 }
fields = [{ name = "level", type = "u8", unit = "%", channel = "level" }]
[[request]]
name = "ask"
send = "01"
replies = ["level"]
period_s = 1
timeout_s = 0.5
[[vector]]
message = "level"
hex = "03 01 32 36"
decoded = { level = 50 }
samples = ["level 50 good"]
source = "worked out by hand"
"""


def write(folder: Path, text: str = SMALL, name: str = "trace/probe") -> Path:
    path = folder / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def compiled(folder: Path, *changes: tuple[str, str]) -> Compiled:
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load(write(folder, text))


def tables(**changes: object) -> DeviceFile:
    """A file of nothing but its frame and messages; what is given replaces a table."""
    whole: dict[str, object] = {
        "format": 1, "title": "t", "source": "s", "link": {"kind": "serial"}, "frame": {"kind": "packet"},
        "channel": [], "message": [],
    }  # fmt: skip
    return DeviceFile.model_validate(whole | changes)
