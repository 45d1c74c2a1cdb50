"""No word of the language without a proof of what it means: a shipped device file needs it, or a test here is named.

A word is a key of a table, one of the values that a key has by name (`kind = "crc"`), a kind of condition, or a model.
Those of shipped files are proved by their vectors, transcripts and conformance. A new word fails here until it is used or
named.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from devicehub.devicefile.condition import KINDS
from devicehub.devicefile.memory.codec import CODECS
from devicehub.devicefile.physics.models import MODELS
from devicehub.devicefile.schema import DeviceFile
from devicehub.registry import device_files

TESTS: Final = Path(__file__).parent
PROVED_HERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "test_acknowledging": "MessageTable.acknowledge ErrorsTable.answer",
        "test_benchmark_line": "CheckTable.encoding=hex MeasureTable.when",
        "test_commanding": "CommandTable.args CommandTable.result CommandTable.timeout_s ArgumentTable.name "
        "ArgumentTable.title ArgumentTable.default ArgumentTable.required ArgumentTable.low ArgumentTable.high",
        "test_conversation": "DeviceFile.untested ErrorsTable.reopen_after FrameTable.rest_within_s",
        "test_fields": "FieldTable.case CaseTable.name CaseTable.when CaseTable.fields FieldTable.when "
        "FieldTable.none FieldTable.endian FieldTable.endian=big FieldTable.type=pad FieldTable.type=bcd "
        "FieldTable.type=hex FieldTable.type=i24 FieldTable.type=i32 FieldTable.type=i64 FieldTable.type=u64 "
        "FieldTable.type=f64 FieldTable.encoding=utf-8 FieldTable.encoding=cp1251 FieldTable.coding "
        "FieldTable.coding=zero-run FieldTable.coding=delta FieldTable.of=u8 FieldTable.of=u32 FieldTable.of=i8 "
        "FieldTable.of=i16 FieldTable.of=i32 FieldTable.of=f32 FieldTable.of=f64",
        "test_links": "LinkTable.parity LinkTable.parity=E LinkTable.parity=O LinkTable.stop LinkTable.stop=2 "
        "LinkTable.rtscts LinkTable.endpoint_out LinkTable.write LinkTable.acknowledged LinkTable.piece "
        "FrameTable.more_mask DeviceFile.self_tests",
        "test_meaning": "AlarmTable.event AlarmTable.text TriggerTable.name TriggerTable.when MessageTable.trigger "
        "MessageTable.compute MessageTable.image ImageTable.channel ImageTable.field ImageTable.width "
        "ImageTable.height ImageTable.gain ImageTable.offset ImageTable.radiometric ChannelTable.kind=image "
        "SpectrumTable.step SpectrumTable.start SpectrumTable.quadratic SpectrumTable.mode MeasureTable.uncertainty "
        "MeasureTable.each ScanTable.when",
        "test_mobility_model": "model=mobility",
        "test_parts": "CheckTable.width=24 CheckTable.width=32 CheckTable.xorout CheckTable.words=u16be "
        "FrameTable.width=3 condition.is",
        "test_simulate": "model=vapour model=constant",
        "test_physics": "model=scene ImageTable.radiometric=true",
        "test_pieces": "MessageTable.piece PieceTable.of PieceTable.data PieceTable.more PieceTable.number "
        "PieceTable.within_s PieceTable.size PieceTable.most",
        "test_plausible": "FieldTable.of=u12 FieldTable.endian=little MessageTable.device_time",
        "test_timing": "ConversationTable.silent_after RequestTable.unless "
        "CounterTable.start CounterTable.plus CheckTable.request",
    }
)
"""By module of tests: words that no shipped file has, each with a test there of what it means."""
EXEMPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ImageTable.radiometric=approximate": "test_meaning takes every member of `Radiometric`, by its value",
        "MemoryTable.period_s": "tests/drivers/test_gq_gmc.py pulls the memory of a shipped file more often",
    }
)
"""Words without either, and why that is enough."""


def _inside(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _inside(inner)


def _choices(annotation: object) -> Iterator[object]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for inner in get_args(annotation):
            yield from _choices(inner)


def _tables(table: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    seen.add(table)
    for field in table.model_fields.values():
        for inner in _inside(field.annotation):
            if inner not in seen:
                _tables(inner, seen)
    return seen


def _words(table: type[BaseModel]) -> Iterator[str]:
    """Keys and named values of a table; what a key is unless it is given needs no proof of its own."""
    for key, field in table.model_fields.items():
        yield f"{table.__name__}.{key}"
        others = (choice for choice in _choices(field.annotation) if choice != field.default)
        yield from (f"{table.__name__}.{key}={choice}" for choice in others)


def every_word() -> set[str]:
    """The language."""
    keys = {word for table in _tables(DeviceFile, set()) for word in _words(table)}
    return keys | {f"condition.{kind}" for kind in KINDS} | {f"model={name}" for name in MODELS} | {
        f"codec={name}" for name in CODECS
    }  # fmt: skip


def _said(value: object) -> Iterator[str]:
    """The words that a part of a file has."""
    if isinstance(value, BaseModel):
        for key in value.model_fields_set:
            inner, word = getattr(value, key), f"{type(value).__name__}.{key}"
            yield from (word, f"{word}={inner}")
            yield from _said(inner)
    elif isinstance(value, dict):
        yield from (f"condition.{key}" for key in value)
        for inner in value.values():
            yield from _said(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _said(inner)


@cache
def shipped_words() -> frozenset[str]:
    """What the shipped files say."""
    out = set[str]()
    for path in device_files().values():
        file = DeviceFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        out.update(_said(file))
        out.add(f"model={file.simulate.model}")
        out.update(f"codec={memory.codec}" for memory in file.memory)
    return frozenset(out)


def proved_here() -> dict[str, str]:
    """Word to the module that proves it."""
    return {word: module for module, words in PROVED_HERE.items() for word in words.split()}


def test_every_word_is_needed_by_a_shipped_file_or_proved_by_a_test() -> None:
    assert sorted(every_word() - shipped_words() - set(proved_here()) - set(EXEMPT)) == []


def test_what_is_listed_is_a_word_and_no_shipped_file_has_it() -> None:
    listed = {*proved_here(), *EXEMPT}
    assert sorted(listed - every_word()) == []
    assert sorted(listed & shipped_words()) == []
    assert not set(proved_here()) & set(EXEMPT)


@pytest.mark.parametrize("module", PROVED_HERE)
def test_the_tests_of_a_word_say_it(module: str) -> None:
    """In the text of a file or of a table that they give to the code, or as an argument."""
    tree = ast.parse((TESTS / f"{module}.py").read_text(encoding="utf-8"))
    said = [str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    said += [node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg]
    text = " ".join(said)
    for word in PROVED_HERE[module].split():
        name = word.rpartition("=")[2].rpartition(".")[2]
        assert re.search(rf"\b{name}\b", text), word
