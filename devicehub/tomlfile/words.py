"""Translates pydantic's errors into complaints in plain words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_mistake, key_text, suggestion, value_mistake

_Words = Callable[[Mapping[str, object]], str]
_WORDS: Mapping[str, _Words] = {
    "string_type": lambda _: "must be text in quotes",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "bool_type": lambda _: "must be true or false",
    "date_type": lambda _: "must be a date without quotes, as 2027-03-31",
    "path_type": lambda _: "must be a path in quotes",
    "finite_number": lambda _: "must be a finite number",
    "greater_than": lambda context: f"must be greater than {_number(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_number(context['ge'])}",
    "less_than_equal": lambda context: f"must be at most {_number(context['le'])}",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must be at most {context['max_length']} characters",
    "tuple_type": lambda _: "must be an array of tables, written with double brackets",
    "enum": lambda context: f"must be {context['expected']}",
    "dict_type": lambda _: "must be a table",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What one kind of file says in its own words.

    `patterns`: what a regular expression of a key asks for. `missing`: what to add to a table that is not there.
    `secret`: the model of a reference to a secret, whose values are never shown. `private`: keys whose value is not
    shown when it holds an `@`, and what is said instead.
    """

    patterns: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[KeyPath, str] = field(default_factory=dict)
    secret: type[BaseModel] | None = None
    private: Mapping[KeyPath, str] = field(default_factory=dict)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def complaints(error: ValidationError, root: type[BaseModel], wording: Wording) -> Iterator[Complaint]:
    """Each of pydantic's errors about a `root`, in plain words and with a suggestion where there is one."""
    for details in error.errors(include_url=False):
        yield _complaint(details, root, wording)


def _complaint(details: ErrorDetails, root: type[BaseModel], wording: Wording) -> Complaint:
    path: KeyPath = details["loc"]
    kind = details["type"]
    model = model_at(path[:-1], root)
    if kind == "extra_forbidden":
        return key_mistake(path, model.model_fields if model is not None else ())
    if kind == "missing":
        return Complaint(path, f"{key_text(path)}: missing{wording.missing.get(path) or _purpose(path, model)}")
    text = _text(details, path, root, wording)
    if path in wording.private and "@" in str(details["input"]):
        return Complaint(path, f"{key_text(path)}: {wording.private[path]}")
    if _secret(path, root, wording):
        return Complaint(path, f"{key_text(path)}: {text}")
    return value_mistake(path, details["input"], text)


def _text(details: ErrorDetails, path: KeyPath, root: type[BaseModel], wording: Wording) -> str:
    kind = details["type"]
    context = cast(Mapping[str, object], details.get("ctx", {}))
    if kind == "model_type":
        return _table(path, root, wording)
    if kind == "literal_error":
        model = model_at(path[:-1], root)  # none of an element of a list
        return f"must be {context['expected']}" if model is None else _choice(path, model, details["input"])
    if kind == "string_pattern_mismatch":
        return wording.patterns[str(context["pattern"])]
    return _WORDS[kind](context) if kind in _WORDS else details["msg"]


def _purpose(path: KeyPath, model: type[BaseModel] | None) -> str:
    field = model.model_fields.get(str(path[-1])) if model is not None else None
    return f"; {field.description}" if field is not None and field.description else ""


def _secret(path: KeyPath, root: type[BaseModel], wording: Wording) -> bool:
    """A value that stands where a reference to a secret belongs may be the secret itself."""
    places = range(1, len(path) + 1)
    return wording.secret is not None and any(model_at(path[:length], root) is wording.secret for length in places)


def _table(path: KeyPath, root: type[BaseModel], wording: Wording) -> str:
    if _secret(path, root, wording):
        return 'must be { file = "..." }, { credential = "..." } or { environment = "..." }'
    return f"must be a table [{key_text(path)}]" if len(path) == 1 else "must be a table"


def _choice(path: KeyPath, model: type[BaseModel], value: object) -> str:
    choices = list(_literals(model.model_fields[str(path[-1])].annotation))
    if len(choices) == 1:
        return f"must be {choices[0]}"
    words = [str(choice) for choice in choices]
    listed = ", ".join(f"'{word}'" for word in words[:-1]) + f" or '{words[-1]}'"
    return f"must be {listed}{suggestion(str(value), words)}"


def _literals(annotation: object) -> Iterator[object]:
    """What a Literal, or one that may be None, takes."""
    for part in get_args(annotation):
        inner = get_args(part)
        if inner:
            yield from inner
        elif part is not NoneType:
            yield part


def model_at(path: KeyPath, root: type[BaseModel]) -> type[BaseModel] | None:
    """The model that a table at `path` of a `root` is read into; None for anything else."""
    model = root
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        found = _inner(field.annotation) if field is not None else None
        if found is None:
            return None
        model = found
    return model


def _inner(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)
