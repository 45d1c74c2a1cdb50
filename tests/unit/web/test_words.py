"""The page in every language: the same keys, the same places to fill, every class of number."""

import json
import re
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import fields

from devicehub.alarm.acts import Refusal
from devicehub.model.alarm import AlarmCategory, AlarmQuality, AlarmState, Condition, Disposition, Priority
from devicehub.model.command import CommandState
from devicehub.model.device import Category, DeviceState
from devicehub.model.inspection import Ending, InspectionOutcome, OpenedBy
from devicehub.model.payload import InfoData, StatusData
from devicehub.model.payload_health import HealthData
from devicehub.model.payload_lane import LaneState
from devicehub.model.preflight import CheckKind, CheckReason, CheckVerdict, PreflightOutcome
from devicehub.model.reading import Cause, Level, Outcome, Quality, Radiometric
from devicehub.registry import driver_names, load_driver

STATIC = Path(__file__).parents[3] / "devicehub" / "web" / "static"
FILES = sorted((STATIC / "words").glob("*.json"))
WORDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
CLASSES = {
    "en": {"one", "other"},
    "sq": {"one", "other"},
    "sr-Latn": {"one", "few", "other"},
    "sr-Cyrl": {"one", "few", "other"},
}
PLACED = {"drivers", "devices", "schemas", "commands", "rules", "shadow", "desks", "streams"}
"""Lists and objects, which have a place of their own."""
SHOWN: dict[str, tuple[type[StrEnum], ...]] = {
    "alarm": (AlarmState,),
    "answer": (CommandState,),
    "category": (AlarmCategory,),
    "cause": (Cause,),
    "condition": (Condition,),
    "disposition": (Disposition,),
    "ending": (Ending,),
    "family": (Category,),
    "how": (OpenedBy,),
    "inspected": (InspectionOutcome,),
    "lane": (LaneState,),
    "level": (Level,),
    "outcome": (Outcome,),
    "preflight.check": (CheckKind,),
    "preflight.outcome": (PreflightOutcome,),
    "preflight.reason": (CheckReason,),
    "preflight.verdict": (CheckVerdict,),
    "priority": (Priority,),
    "quality": (Quality, AlarmQuality),
    "radiometric": (Radiometric,),
    "refusal": (Refusal,),
    "state": (DeviceState,),
}
"""What the hub says by a name that the page puts into words: the key's beginning, and the names."""
UNSAID: dict[str, set[str]] = {
    "radiometric": {Radiometric.TRUE},
    "refusal": {Refusal.INVALID},
}
"""Names that the page never shows as words, beside those that are empty."""
KEY = re.compile(r"\bt\((?:\w+ \? )?[\"']([a-z0-9.-]+)[\"']")
NAMED = re.compile(r"\b(?:t\(|words\[)`([a-z.-]+)\.\$\{")
OWN = {"event", "exercise", "light", "palette", "stage", "step", "theme", "view"}
"""Beginnings of keys whose rest is the page's own, that of a scenario, or the type of an event, which is told without words too."""
PLACE = re.compile(r"\{\w+\}")


def texts(value: Any) -> list[str]:
    return list(value.values()) if isinstance(value, dict) else [value]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_word_is_given_twice(file: Path) -> None:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len(pairs) == len(dict(pairs)), [
            key for key, count in Counter(key for key, _ in pairs).items() if count > 1
        ]
        return dict(pairs)

    json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)


@pytest.mark.parametrize("language", CLASSES)
def test_each_language_has_all_words_and_no_others(language: str) -> None:
    assert WORDS[language].keys() == WORDS["en"].keys()


@pytest.mark.parametrize("language", CLASSES)
def test_each_text_has_the_places_of_the_english_one_and_each_class_of_number(language: str) -> None:
    for key, english in WORDS["en"].items():
        wanted = {frozenset(PLACE.findall(text)) for text in texts(english)}
        assert {frozenset(PLACE.findall(text)) for text in texts(WORDS[language][key])} <= wanted, key
        if isinstance(english, dict):
            assert WORDS[language][key].keys() == CLASSES[language], key


def test_each_word_that_the_page_asks_for_by_name_is_there() -> None:
    asked = {key for script in STATIC.rglob("*.js") for key in KEY.findall(script.read_text(encoding="utf-8"))}
    assert len(asked) > 60
    assert asked - WORDS["en"].keys() == set()


@pytest.mark.parametrize("kind", [StatusData, InfoData, HealthData])
def test_each_field_that_the_setup_view_shows_has_a_word(kind: type[Struct]) -> None:
    shown = {field.name for field in fields(kind)} - PLACED
    assert shown - WORDS["en"].keys() == set()


@pytest.mark.parametrize("language", CLASSES)
def test_what_a_shipped_driver_can_find_has_a_word_in_each_language(language: str) -> None:
    found = {name for driver in driver_names() for name in load_driver(driver).capabilities}
    assert len(found) >= 10
    assert found - WORDS[language].keys() == set()


def test_cyrillic_is_cyrillic() -> None:
    latin = re.compile(r"[A-Za-zčćžšđ]{4,}")
    left = {
        key for key, value in WORDS["sr-Cyrl"].items() for text in texts(value) if latin.search(PLACE.sub("", text))
    }
    assert left <= {"export-jsonl", "ask-whatif", "scan-more", "scan-only"}, "names of commands and keys"


@pytest.mark.parametrize("language", CLASSES)
@pytest.mark.parametrize("key", SHOWN)
def test_each_name_that_the_page_shows_is_a_word_in_each_language(key: str, language: str) -> None:
    names = {one.value for kind in SHOWN[key] for one in kind if one.value} - UNSAID.get(key, set())
    assert {name for name in names if not WORDS[language].get(f"{key}.{name}")} == set()


def test_each_kind_of_name_that_the_page_puts_into_words_is_held_against_its_words() -> None:
    asked = {key for script in STATIC.rglob("*.js") for key in NAMED.findall(script.read_text(encoding="utf-8"))}
    assert asked - SHOWN.keys() - OWN == set()
    assert SHOWN.keys() <= asked
