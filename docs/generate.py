"""Writes what README.md says about drivers, commands and topics from the code, and the levels of evidence from tests.

Run it as `python docs/generate.py`. A part is what stands between `<!-- generated: NAME -->` and `<!-- end -->`;
a test fails when one differs.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from devicehub.cli.describe import LINKS
from devicehub.cli.exits import MEANINGS
from devicehub.cli.man import page
from devicehub.cli.parser import build_parser
from devicehub.clock import ClockQuality
from devicehub.core.census import Census
from devicehub.devicefile.schema import DeviceFile
from devicehub.devicefile.schema_message import MessageTable
from devicehub.driver import Driver, FileLink, OperatorLink
from devicehub.health import Depths, Figures, Gauges
from devicehub.model.message import Kind, Message, Place
from devicehub.model.payload import LimitsData, ReadingData
from devicehub.model.reading import Quality
from devicehub.model.stream import Stream
from devicehub.model.units import Unit
from devicehub.observe.metrics import families
from devicehub.publish.envelope import Encoder
from devicehub.publish.topics import REAL_ROOT, RULES, Lane, Topics
from devicehub.registry import EVIDENCE, driver_names, load_driver
from devicehub.tomlfile.words import model_at
from tests.evidence import evidence

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TIERS = ROOT / "docs" / "reference" / "real-kernel.md"
PROVED = TIERS.with_suffix(".json")
PROVED_HERE = TIERS.with_name("edges.json")
REFERENCE = ROOT / "docs" / "reference" / "device-file.md"
DAMAGE = ROOT / "docs" / "reference" / "integrity.md"
MANUAL = ROOT / "docs" / "man" / "devicehub.1"
DECISIONS = ROOT / "docs" / "decisions" / "README.md"
MONITOR = ROOT / "docs" / "guides" / "monitor-a-station.md"
LEVELS = ROOT / "drivers" / EVIDENCE
_PART = re.compile(r"(<!-- generated: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CONTENTS: Mapping[Kind, str] = {
    Kind.STATUS: "the hub itself: `online`, `offline`, `lost` (the MQTT will)",
    Kind.INFO: "version, drivers, devices, digest of the configuration",
    Kind.HEALTH: "rates, depths, latency, clock and disk of the hub",
    Kind.DESCRIBE: "a device's identity and channels",
    Kind.DEVICE: "`ready`, `busy`, `degraded`, `offline`, `lost`, `faulted`, since when and why, errors by reason",
    Kind.CAPABILITY: "what it can detect now: `full`, `degraded`, `none`, and why. Silence is never `clear`",
    Kind.LANE: "one word on all of it: `alarm`, `blind`, `degraded`, `attention`, `unassessed`, `no-alarm`, and why",
    Kind.STATE: "the latest value of each channel, flat, at most once a second",
    Kind.READING: "one measurement or spectrum, or the batch of one poll",
    Kind.RESULT: "one finished screening: `clear`, `alarm`, `inconclusive` or `aborted`",
    Kind.FRAME: "summary of an image; the pixels stay local",
    Kind.CAPTURE: "an image was stored as evidence: digest, size, what triggered it, the alarm that it raised",
    Kind.SCAN: "barcode, machine-readable zone or tag: a keyed hash unless configured otherwise",
    Kind.ALARM: "current state of an alarm point; deleted when normal",
    Kind.INSPECTION: "what is open at a desk and how far it has come; deleted when it ends",
    Kind.EVENT: "every alarm transition, plug and unplug, start and stop, every command, every inspection",
    Kind.GAP: "what was dropped: how much, from when to when, why",
    Kind.RES: "what became of a command, to whoever sent it",
}


def levels() -> bytes:
    """What `drivers/evidence.json` holds: the level of each driver that ships."""
    found = {name: evidence(name) for name in driver_names() if _ships(name)}
    return msgspec.json.format(msgspec.json.encode(found, order="sorted"), indent=2) + b"\n"


def _ships(name: str) -> bool:
    family, _, stem = name.partition(".")
    return any((ROOT / "drivers" / family / f"{stem}.{ending}").exists() for ending in ("py", "toml"))


def _integrity(driver: Driver) -> str:
    return driver.integrity if driver.integrity != "none" else "none of its own"


def damage() -> Iterator[str]:
    """What each driver on a wire sees of damage, and how soon it is back in step."""
    yield "| driver | check | what passes it; what carries the integrity in its stead | heard again within |"
    yield "|---|---|---|---|"
    for driver in map(load_driver, driver_names()):
        if not isinstance(driver.link, FileLink | OperatorLink):
            again = f"{driver.back_in_step:g} s"
            yield f"| `{driver.name}` | {_integrity(driver)} | {driver.plausibility} | {again} |"


def equipment() -> Iterator[str]:
    """The table of supported equipment."""
    yield "| equipment | driver | link | integrity check | evidence |"
    yield "|---|---|---|---|---|"
    for name in driver_names():
        driver = load_driver(name)
        link = LINKS[type(driver.link)]
        yield f"| {driver.title} | `{name}` | {link} | {_integrity(driver)} | {evidence(name)} |"


def topics() -> Iterator[str]:
    """The table of message kinds."""
    yield f"`{REAL_ROOT}/{{site}}/{{node}}/...`"
    yield ""
    yield "| topic | retained | QoS | stored until delivered | contents |"
    yield "|---|---|---|---|---|"
    for kind, rule in RULES.items():
        topic = rule.shape.replace("{kind}", kind)
        kept = "yes" if rule.lane is Lane.JOURNAL else "no, latest wins"
        yield f"| `{topic}` | {'yes' if rule.retain else 'no'} | {rule.qos} | {kept} | {_CONTENTS[kind]} |"


def example() -> Iterator[str]:
    """One reading as it is published."""
    data = ReadingData(1.84, Unit.NANOGRAM, Quality.GOOD, uncertainty=0.2, confidence=0.93, limits=LimitsData(high=1.0))
    identifier = "01K9XQ5ZJ4M8Q0Z3T7V1B2C3D4"
    message = Message(Kind.READING, "reading", identifier, 1795511647.412, 0.0, data, device="trace-1", point="tnt")
    place = Place("0a1b2c3d", Stream.EVENTS, 48213, 48377, 1795511647.43)
    payload = Encoder("bcp-north", "lane2", boot="7f3a91c2", exercise=False).encode(message, place)
    yield "```text"
    yield Topics("bcp-north", "lane2", exercise=False).topic(message)
    yield payload.decode()
    yield "```"


def commands() -> Iterator[str]:
    """Every command with its one line of help."""
    yield "| command | what it does |"
    yield "|---|---|"
    for one in build_parser().spelled():
        if not one.inner:
            yield f"| `devicehub {' '.join(one.words)}` | {one.text.rstrip('.')} |"


def exits() -> Iterator[str]:
    """The exit codes."""
    yield "| exit code | meaning |"
    yield "|---|---|"
    for code, meaning in MEANINGS.items():
        yield f"| {code:d} | {meaning} |"


def keys() -> Iterator[str]:
    """Every key of a device file, table by table."""
    for title, model in _tables("", DeviceFile, ()):
        yield f"### {title or 'Top of the file'}"
        yield ""
        yield (model.__doc__ or "").partition("\n")[0]
        yield ""
        yield "| key | what | unless given |"
        yield "|---|---|---|"
        for name, field in model.model_fields.items():
            yield f"| `{name}` | {field.description}{_choices(field)} | {_default(field)} |"
        yield ""


def _choices(field: FieldInfo) -> str:
    words = [str(one) for one in get_args(field.annotation) if isinstance(one, str | int) and one != ""]
    return f": {', '.join(f'`{word}`' for word in words)}" if len(words) > 1 else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), "", {}) or isinstance(default, BaseModel):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _tables(
    title: str, model: type[BaseModel], above: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Tables with their titles, each model once in a row."""
    yield title, model
    for name in model.model_fields:
        inner = model_at((name,), model)
        if inner is None or inner in (*above, model):
            continue
        several = isinstance(model.model_fields[name].get_default(call_default_factory=True), tuple)
        several = several or name in {"channel", "message"}
        if name not in {"header", "fields"} or model is MessageTable:
            path = f"{title.strip('[]`')}.{name}".strip(".")
            yield from _tables(f"`[[{path}]]`" if several else f"`[{path}]`", inner, (*above, model))


def metrics() -> Iterator[str]:
    """What monitoring can ask for."""
    nothing = Depths(
        pipe=0, pipe_dropped=0, journal=0, journal_bytes=0, board_dropped=0, streams={}, quarantined=0,
        evidence_files=None, evidence_bytes=None,
    )  # fmt: skip
    yield "| metric | kind | what it says |"
    yield "|---|---|---|"
    for one in families(Figures(0.0, 0.0, Gauges(), nothing, Census({}, {})), ClockQuality(), alive=True):
        yield f"| `devicehub_{one.name}` | {one.kind} | {one.text} |"


def tiers() -> Iterator[str]:
    """The table of drivers and of what they were read through; both files are what the last runs of the tests wrote."""
    kernel, here = (msgspec.json.decode(path.read_bytes()) for path in (PROVED, PROVED_HERE))
    yield "| driver | link | in process | over its own edge | through | real kernel | through | Linux |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in filter(_ships, driver_names()):
        link, run = LINKS[type(load_driver(name).link)], kernel.get(name, {})
        ran = here.get(name, {})
        edge = ran.get("edge", {})
        cells = (
            *(_outcome(ran.get("in process", {})), _outcome(edge), edge.get("through", "")),
            *(_outcome(run), run.get("through", ""), run.get("kernel", "")),
        )
        yield f"| `{name}` | {link} | {' | '.join(cells)} |"


def _outcome(fact: dict[str, str]) -> str:
    return f"{fact['result']} {fact['date']}" if fact else "not run"


PARTS = {part.__name__: part for part in (equipment, topics, example, commands, exits)}


def decisions() -> Iterator[str]:
    """The title of each record, which begins with its number."""
    for path in sorted(DECISIONS.parent.glob("0*.md")):
        number, _, title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").partition(". ")
        yield f"- {number}: [{title}]({path.name})"


REFERENCE_PARTS = {part.__name__: part for part in (decisions, damage, keys, metrics, tiers)}


def generated(text: str) -> str:
    """`text` with every part as the code has it."""

    def part(match: re.Match[str]) -> str:
        return match[1] + "\n".join((PARTS | REFERENCE_PARTS)[match["name"]]()) + "\n" + match[3]

    return _PART.sub(part, text)


def main() -> None:
    """Rewrite README.md, reference, guides, manual page, and the levels of evidence, which each installation has."""
    LEVELS.write_bytes(levels())
    MANUAL.write_text(page(), encoding="utf-8")
    for path in (README, REFERENCE, MONITOR, TIERS, DAMAGE, DECISIONS):
        path.write_text(generated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
