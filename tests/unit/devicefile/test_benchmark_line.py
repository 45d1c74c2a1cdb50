"""The line of the end-to-end benchmark, said in the language: token and value of each line, as the driver in Python has them."""

from pathlib import Path

from devicehub.devicefile.load import driver, load
from devicehub.model.reading import Measurement
from devicehub.record import parse, run_transcript, samples_of
from devicehub.registry import load_driver
from tests.conformance import transcripts

NAME = "screening.line_sensor"
FILE = """\
format = 1
title = "A sensor on the benchmark's line protocol"
source = "the docstring of the benchmark's harness"
plausibility = "swapped digits pass the exclusive or; the form of a line"
[link]
kind = "serial"
baud = 115200
[frame]
kind = "delimited"
start = "'$'"
end = "0d 0a"
most = 128
header = [{ name = "device", type = "text", until = "','" }]
[[check]]
kind = "xor"
encoding = "hex"
end = -3
[[channel]]
name = "value"
title = "Value"
[[channel]]
name = "token"
title = "Token of the line"
[[message]]
name = "reading"
match = { star = "*" }
fields = [
    { name = "sequence", type = "text", until = "','" },
    { name = "token", type = "decimal", digits = 16, until = "','", channel = "token" },
    { name = "sign", type = "text", size = 1 },
    { name = "amount", type = "decimal", digits = 7, size = 7 },
    { name = "star", type = "text", size = 1 },
]
measure = [
    { channel = "value", value = "amount", when = { sign = "+" } },
    { channel = "value", value = "0 - amount", when = { sign = "-" } },
]
[[vector]]
message = "reading"
hex = "'$D0007,00000123,1000000000123456,+0023.41*68' 0d 0a"
source = "the docstring of the benchmark's harness, with its check made right"
samples = ["token 1e+15 good", "value 23.41 good"]
[simulate.values]
reading = { device = "D0001", sequence = "00000001", token = 1000000000123456, sign = "+", amount = 23.41, star = "*" }
[simulate.every_s]
reading = 1.0
"""


def test_a_device_file_makes_the_same_tokens_values_and_faults_of_the_benchmarks_lines(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text(FILE)
    by_file, by_hand = driver(load(path), "screening.line"), load_driver(NAME)
    (capture,) = transcripts(NAME)
    lines = parse(capture.read_text(encoding="utf-8"), capture.name)
    said = [one for one in samples_of(by_file.open({}), lines) if isinstance(one, Measurement)]
    pairs = {name: [one.value for one in said if one.channel == name] for name in ("token", "value")}
    known = [one for one in samples_of(by_hand.open({}), lines) if isinstance(one, Measurement)]
    assert pairs == {"token": [int(one.label) for one in known], "value": [one.value for one in known]}
    faults = [
        [line.at for line in run_transcript(one.open({}), lines) if line.sign == "!"] for one in (by_file, by_hand)
    ]
    assert faults[0] == faults[1] != []
