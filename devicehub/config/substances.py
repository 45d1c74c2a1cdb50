"""The substance library as a TOML file: read, validated, every mistake as file:line:column in plain words."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from devicehub.alarm.mobility import (
    Line,
    Mode,
    Reference,
    RunRules,
    SignalRules,
    Substance,
    SubstanceLibrary,
)
from devicehub.config.plain_words import complaints
from devicehub.config.resources import shipped
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, ConfigProblems, Problem, key_text, suggestion, value_mistake
from devicehub.tomlfile.read import placed, read_file
from devicehub.tomlfile.section import SEGMENT, Section

NAME = "training.toml"
APART = 0.03  # a peak nearer than this to calibrant or reactant ion cannot be told from it at the usual resolving power


def _range(value: object) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2 and all(type(part) in {int, float} for part in value):
        low, high = (float(part) for part in value)
        if low < high:
            return low, high
    raise PydanticCustomError("range", "must be two numbers in ascending order, as [1.0, 2.0]")


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(part, str) and part for part in value):
        return tuple(value)
    raise PydanticCustomError("names", "must be an array of names in quotes")


Pair = Annotated[tuple[float, float], BeforeValidator(_range)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=256)]
Mobility = Annotated[float, Field(ge=0.2, le=5.0)]
Confidence = Literal["definition", "measured", "published", "approximate", "training"]
ModeName = Literal["negative", "positive"]


class SignalSection(Section):
    """How a peak looks."""

    quiet_ms: Pair = Field(description="Drift times in ms between which there is never a peak")
    fwhm_ms: Pair = Field(description="Least and most width of a peak at half height, in ms")
    snr: float = Field(ge=3, le=1000, description="Standard deviations of the noise that make a peak")
    strong_snr: float = Field(ge=3, le=10000, description="The same, for a peak that is reported though unknown")


class RunSection(Section):
    """What a run needs."""

    minimum_scans: int = Field(ge=1, le=100, description="Scans in a row that show a substance")
    usable_fraction: float = Field(gt=0.5, le=1, description="Fraction of the scans that must be in order")
    carry_over: float = Field(ge=1, le=100, description="Factor over what was left before that still alarms")


class ReferenceSection(Section):
    """A peak that has to be there."""

    name: Name = Field(description="The ion or compound")
    k0: Mobility = Field(description="Reduced mobility in cm2/(V.s)")
    amplitude: Pair = Field(description="Least and most counts")
    source: Text = Field(description="Where the value comes from")
    confidence: Confidence = Field(description="How far it can be trusted")


class ModeSection(Section):
    """One polarity."""

    name: ModeName = Field(description="negative or positive")
    pair_tolerance: float = Field(ge=0.001, le=0.02, description="Fraction by which t_reactant/t_calibrant may be off")
    calibrant: ReferenceSection = Field(description="The peak that the K0 scale is relative to")
    reactant: ReferenceSection = Field(description="The reactant ion peak")


class LineSection(Section):
    """A detection window, or the peak of an interferent."""

    name: Name = Field(description="The ion")
    mode: ModeName = Field(description="Polarity in which it is seen")
    k0: Mobility = Field(description="Reduced mobility in cm2/(V.s), relative to the mode's calibrant")
    window: float = Field(ge=0.0005, le=0.02, description="Half width of the window in cm2/(V.s)")
    source: Text = Field(description="Where the value comes from")
    confidence: Confidence = Field(description="How far it can be trusted")


class SubstanceSection(Section):
    """A rule that alarms."""

    name: Name = Field(description="What is reported")
    group: str = Field(pattern=SEGMENT, description="explosives, narcotics, ...: the capability it belongs to")
    mode: ModeName = Field(description="Polarity in which it is seen")
    required: Names = Field(default=(), description="Lines that must all be there")
    any_of: Names = Field(default=(), description="Lines of which one must be there")
    exclusion: Names = Field(default=(), description="Lines that speak against it")
    threshold: float = Field(gt=0, le=65535, description="Least counts of a line")
    minimum_scans: int | None = Field(default=None, ge=1, le=100, description="Instead of run.minimum_scans")
    interferents: Names = Field(default=(), description="Harmless things that look like it")


class LibraryFile(Section):
    """The whole file."""

    schema_version: Literal[1] = Field(description="Version of this file format")
    name: Name = Field(description="Name of the library")
    version: Name = Field(description="Its version")
    scale: Text = Field(description="The K0 scale: calibrants and their assumed K0")
    status: Literal["training", "site"] = Field(description="training: for exercises only")
    signal: SignalSection = Field(description="How a peak looks")
    run: RunSection = Field(description="What a run needs")
    mode: Annotated[tuple[ModeSection, ...], Field(strict=False)] = Field(description="The polarities")
    line: Annotated[tuple[LineSection, ...], Field(strict=False)] = Field(default=(), description="The windows")
    interferent: Annotated[tuple[LineSection, ...], Field(strict=False)] = Field(
        default=(), description="Peaks of harmless things"
    )
    substance: Annotated[tuple[SubstanceSection, ...], Field(strict=False)] = Field(default=(), description="The rules")


def load_library(path: Path) -> SubstanceLibrary:
    """Read a substance library. Raises `ConfigProblems` with every mistake, each at its line and column."""
    if not path.exists():
        raise ConfigProblems([Problem(path, 1, 1, "no such file")])
    file = read_file(path)
    places = {key: Problem(path, position.line, position.column, "") for key, position in file.positions.items()}
    try:
        library = LibraryFile.model_validate(file.values)
    except ValidationError as error:
        raise ConfigProblems(placed(complaint, places) for complaint in complaints(error, LibraryFile)) from None
    if problems := [placed(complaint, places) for complaint in check(library)]:
        raise ConfigProblems(problems)
    return built(library)


def shipped_library() -> SubstanceLibrary:
    """The library of training values that ships with devicehub. Not for detection."""
    return load_library(shipped("substances") / NAME)


def built(file: LibraryFile) -> SubstanceLibrary:
    """The library as the judge wants it. Equal content gives an equal digest, however it is written."""
    text = json.dumps(file.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    modes = tuple(
        Mode(one.name, _reference(one.calibrant), _reference(one.reactant), one.pair_tolerance) for one in file.mode
    )
    lines = (*(_line(one) for one in file.line), *(_line(one, interferent=True) for one in file.interferent))
    return SubstanceLibrary(
        name=file.name,
        version=file.version,
        scale=file.scale,
        status=file.status,
        signal=SignalRules(**file.signal.model_dump()),
        run=RunRules(**file.run.model_dump()),
        modes=modes,
        lines=lines,
        substances=tuple(_substance(one, file.run.minimum_scans) for one in file.substance),
        digest="sha256:" + hashlib.sha256(text.encode()).hexdigest(),
    )


def _reference(section: ReferenceSection) -> Reference:
    return Reference(section.name, section.k0, section.amplitude, section.source, section.confidence)


def _line(section: LineSection, *, interferent: bool = False) -> Line:
    return Line(**section.model_dump(), interferent=interferent)


def _substance(section: SubstanceSection, minimum_scans: int) -> Substance:
    values = section.model_dump()
    return Substance(**(values | {"minimum_scans": section.minimum_scans or minimum_scans}))


def check(file: LibraryFile) -> Iterator[Complaint]:
    """Every mistake between the keys of a library whose values are right by themselves."""
    if not file.mode:
        yield Complaint(("mode",), "mode: must have at least one [[mode]]")
    yield from _repeated((("mode", number), one.name) for number, one in enumerate(file.mode))
    lines: list[tuple[KeyPath, LineSection]] = [(("line", number), one) for number, one in enumerate(file.line)]
    lines += [(("interferent", number), one) for number, one in enumerate(file.interferent)]
    yield from _repeated((path, f"{one.name} ({one.mode})") for path, one in lines)
    yield from _repeated((("substance", number), one.name) for number, one in enumerate(file.substance))
    for number, mode in enumerate(file.mode):
        if abs(mode.reactant.k0 / mode.calibrant.k0 - 1) <= APART:
            path: KeyPath = ("mode", number, "reactant", "k0")
            yield value_mistake(path, mode.reactant.k0, "cannot be told from the calibrant")
    yield from _lines(file)
    yield from _substances(file)


def _repeated(named: Iterable[tuple[KeyPath, str]]) -> Iterator[Complaint]:
    first: dict[str, KeyPath] = {}
    for path, name in named:
        if name in first:
            yield value_mistake((*path, "name"), name, f"already used by {key_text(first[name])}")
        first.setdefault(name, path)


def _lines(file: LibraryFile) -> Iterator[Complaint]:
    used = {(one.mode, name) for one in file.substance for name in (*one.required, *one.any_of, *one.exclusion)}
    tables = (("line", file.line), ("interferent", file.interferent))
    for table, number, line in ((table, number, line) for table, lines in tables for number, line in enumerate(lines)):
        mode = next((one for one in file.mode if one.name == line.mode), None)
        if mode is None:
            yield value_mistake((table, number, "mode"), line.mode, "the library has no [[mode]] of that name")
            continue
        for reference in (mode.calibrant, mode.reactant):
            if abs(line.k0 / reference.k0 - 1) <= APART:
                text = f"cannot be told from {reference.name} at {reference.k0:g}"
                yield value_mistake((table, number, "k0"), line.k0, text)
        if table == "line" and (line.mode, line.name) not in used:
            text = "no substance uses it; what is harmless is an [[interferent]]"
            yield value_mistake((table, number, "name"), line.name, text)


def _substances(file: LibraryFile) -> Iterator[Complaint]:
    for number, substance in enumerate(file.substance):
        path: KeyPath = ("substance", number)
        if not substance.required and not substance.any_of:
            yield Complaint(path, f"{key_text(path)}: must have required, any_of or both")
        known = [line.name for line in (*file.line, *file.interferent) if line.mode == substance.mode]
        for key in ("required", "any_of", "exclusion"):
            for place, name in enumerate(getattr(substance, key)):
                if name not in known:
                    text = f"no line of mode {substance.mode}{suggestion(name, known)}"
                    yield value_mistake((*path, key, place), name, text)
        for place, name in enumerate(substance.exclusion):
            if name in substance.required or name in substance.any_of:
                yield value_mistake((*path, "exclusion", place), name, "cannot both speak for and against")
