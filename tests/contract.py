"""Validation of published bytes against the published JSON Schema, for every test that sees messages."""

import json
import re
from datetime import datetime
from functools import cache

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # it ships no types

from devicehub.model.message import Kind
from devicehub.publish.contract import schema

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or (
        _INSTANT.fullmatch(value) is not None and datetime.fromisoformat(value) is not None
    )


@cache
def validator(kind: Kind) -> Draft202012Validator:
    """Checks formats too: an instant is RFC 3339 in UTC with milliseconds."""
    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(_is_instant)
    return Draft202012Validator(dict(schema(kind)), format_checker=formats)


def violations(kind: Kind, payload: bytes) -> list[str]:
    """What is wrong with a published payload; empty when nothing is."""
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(json.loads(payload))]
