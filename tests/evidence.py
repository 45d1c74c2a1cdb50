"""The levels of evidence of drivers, from what is there and holds now: transcripts, vectors, recordings. Nothing declares one.

- A *transcript* counts when its driver makes of it exactly what it says, and when the bytes that it names as printed in a
  public source (`# Evidence: published`) or sent by a real device (`recording`) are whole packets of the device in it, of which
  something measured, scanned or found comes: `# Bytes: HEX, SOURCE`. Where only a request, an acknowledgement or a piece of
  an answer is public it says so (`part`), names it as well, and is no more than simulated.
  What `devicehub record` wrote (`bench`, `field`) names device, driver, date and instrument.
- A *vector* of a device file counts when the file proves it, which it does whenever it is loaded, names its source, and is a
  message that gives something measured, scanned or found: a request or an acknowledgement shows nothing of the values.
- A *recording* that is not part of this repository counts by its entry in `tests/fixtures/recordings.toml` as long as the
  test is there that reads it, and the file, where samples are, is the one that was read.

Each driver has a simulator besides, which is why the least is `simulated`.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from devicehub.cli.capture import transcript_options
from devicehub.devicefile.compiled import Compiled
from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_bytes
from devicehub.devicefile.pieces import understood
from devicehub.devicefile.schema import VectorTable
from devicehub.devicefile.telling import Teller
from devicehub.devicefile.vectors import frames, wrong
from devicehub.driver import Driver
from devicehub.model.device import EvidenceLevel
from devicehub.model.reading import Image, Measurement, Result, Sample, Scan, Spectrum, Stored
from devicehub.record import Line, parse, parse_packet, run_transcript, samples_of
from devicehub.registry import load_driver
from tests.samples import SAMPLES

ROOT = Path(__file__).parents[1]
LEVELS: Mapping[str, EvidenceLevel] = {
    "part": EvidenceLevel.SIMULATED,
    "published": EvidenceLevel.BYTE_TESTED,
    "recording": EvidenceLevel.SAMPLE_TESTED,
    "bench": EvidenceLevel.BENCH_TESTED,
    "field": EvidenceLevel.FIELD_VERIFIED,
}
_VALUES = (Measurement, Scan, Spectrum, Image, Result, Stored)
_WORD = re.compile(r"^# Evidence: (part|published|recording|bench|field)$", re.MULTILINE)
_BYTES = re.compile(r"^# Bytes: (?P<hex>[0-9a-f* ]+), (?P<source>\S.*)$", re.MULTILINE)
_RECORDED = (r"^# Device \S+, driver {driver}, recorded \S+\.$", r"^# Instrument: \S")
_SHOWN: Mapping[str, tuple[str, ...]] = {"bench": _RECORDED, "field": (*_RECORDED, r"^# Site: \S")}


def evidence(name: str, root: Path = ROOT, samples: Path = SAMPLES) -> EvidenceLevel:
    """The strongest that holds below `root`. Raises `ValueError` for something that claims more than it shows."""
    words = [*_of_transcripts(name, root), *_of_vectors(name, root), *_of_recordings(name, root, samples)]
    return max((EvidenceLevel.SIMULATED, *(LEVELS[word] for word in words)), key=list(EvidenceLevel).index)


def _of_transcripts(name: str, root: Path) -> Iterator[str]:
    for path in sorted((root / "tests" / "fixtures" / name.partition(".")[2]).glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        for word in _WORD.findall(text):
            prove(word, load_driver(name), path, text)
            yield word


def prove(word: str, driver: Driver, path: Path, text: str) -> None:
    """Raises `ValueError` where a transcript does not show what it claims."""
    for line in _SHOWN.get(word, ()):
        if not re.search(line.format(driver=re.escape(driver.name)), text, re.MULTILINE):
            raise ValueError(f"{path}: '# Evidence: {word}' needs a line that looks like {line}")
    lines = parse(text, path.name)
    if word not in _SHOWN:
        _named(word, driver, path, text, lines)
    made = run_transcript(driver.open(transcript_options(text, path.name)), lines)
    if list(map(str, made)) != list(map(str, lines)):
        raise ValueError(f"{path}: '# Evidence: {word}', and the driver makes something else of it")


def _named(word: str, driver: Driver, path: Path, text: str, lines: list[Line]) -> None:
    """A part is somewhere in it; an answer is all of a packet of the device, and gives a value."""
    named = [parse_packet(one["hex"]).data for one in _BYTES.finditer(text)]
    what = "" if named else "it has no line '# Bytes: HEX, SOURCE'"
    if word == "part":
        missing = [data for data in named if not any(line.packet and data in line.packet.data for line in lines)]
        what = what or ", ".join(f"{data.hex(' ')} is not in it" for data in missing)
    else:
        answers = [
            at for at, line in enumerate(lines) if line.sign == "<" and line.packet and line.packet.data in named
        ]
        whole = [line.packet.data for line in (lines[at] for at in answers) if line.packet]
        what = what or ", ".join(f"{data.hex(' ')} is no whole answer in it" for data in named if data not in whole)
        if not what and not any(_valued(driver, path, text, lines, at) for at in answers):
            what = "nothing measured, scanned or found comes of what it names"
    if what:
        raise ValueError(f"{path}: '# Evidence: {word}', and {what}")


def _valued(driver: Driver, path: Path, text: str, lines: list[Line], at: int) -> bool:
    """Whether a value comes of the packet in line `at`, which does not come when it is left out."""
    before = [*lines[:at], replace(lines[at], sign=">")]
    options = transcript_options(text, path.name)
    one, other = (samples_of(driver.open(options), played) for played in (lines[: at + 1], before))
    return _values(one) > _values(other)


def _values(samples: list[Sample]) -> int:
    return sum(isinstance(sample, _VALUES) for sample in samples)


def _of_vectors(name: str, root: Path) -> Iterator[str]:
    family, _, stem = name.partition(".")
    path = root / "drivers" / family / f"{stem}.toml"
    if path.exists():
        compiled = load(path)
        holding = [one for one in compiled.file.vector if not list(wrong(compiled, one))]
        yield from (one.evidence for one in holding if one.evidence in LEVELS and one.source and _gives(compiled, one))


def _gives(compiled: Compiled, vector: VectorTable) -> bool:
    """Whether what a device is there for comes of it."""
    if vector.message is None:
        return False
    message, values = understood(compiled.codec, list(frames(compiled, parse_bytes(vector.hex))), vector.message)
    teller = Teller(compiled.meanings, (), untested=compiled.file.untested)
    return any(isinstance(sample, _VALUES) for sample in teller.tell(message.name, values, []))


def _of_recordings(name: str, root: Path, samples: Path) -> Iterator[str]:
    entries = tomllib.loads((root / "tests" / "fixtures" / "recordings.toml").read_text(encoding="utf-8"))["recording"]
    for entry in entries:
        file, _, test = entry["test"].partition("::")
        text = (root / file).read_text(encoding="utf-8") if (root / file).exists() else ""
        if (
            entry["driver"] == name
            and f"def {test}(" in text
            and _is_the_one(samples / entry["sample"], samples, entry)
        ):
            yield "recording"


def _is_the_one(path: Path, samples: Path, entry: Mapping[str, str]) -> bool:
    """Where there are no samples at all, what was read before holds."""
    if not samples.is_dir():
        return True
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
