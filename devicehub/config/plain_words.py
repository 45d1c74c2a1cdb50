"""Translates pydantic's errors into complaints in plain words."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from devicehub.config.limits import CHANNEL, REFERENCE
from devicehub.config.models import URL, USB, Config, Secret
from devicehub.config.problems import Complaint, key_mistake, key_text, suggestion, value_mistake
from devicehub.config.rules_head import SAID
from devicehub.config.section import SEGMENT
from devicehub.config.toml_position import KeyPath

_PATTERNS = {
    SEGMENT: "must be 1 to 64 characters of a-z, 0-9 and '-'",
    "^[a-z0-9-]{0,64}$": "must be at most 64 characters of a-z, 0-9 and '-'",
    USB: 'must be vendor:product in lower-case hexadecimal, as "10c4:ea60"',
    URL: "must be mqtt://host[:port] or mqtts://host[:port]",
    SAID: "must not be empty",
    CHANNEL: "must be a channel's name, for an image followed by .min, .mean, .max or .p95",
    REFERENCE: "must be a channel's name, or a device's and a channel's with '/' between them",
    "^[A-Za-z0-9._-]{1,128}$": "must be a credential's name of A-Z, a-z, 0-9, '.', '_' and '-'",
    "^[A-Za-z_][A-Za-z0-9_]*$": "must be the name of an environment variable",
}

_CREDENTIALS = "must not hold user name and password: they belong in mqtt.username and mqtt.password"
_Words = Callable[[Mapping[str, object]], str]
_WORDS: Mapping[str, _Words] = {
    "string_type": lambda _: "must be text in quotes",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "bool_type": lambda _: "must be true or false",
    "path_type": lambda _: "must be a path in quotes",
    "finite_number": lambda _: "must be a finite number",
    "greater_than": lambda context: f"must be greater than {_number(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_number(context['ge'])}",
    "less_than_equal": lambda context: f"must be at most {_number(context['le'])}",
    "string_pattern_mismatch": lambda context: _PATTERNS[str(context["pattern"])],
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must be at most {context['max_length']} characters",
    "tuple_type": lambda _: "must be an array of tables, written with double brackets",
    "dict_type": lambda _: "must be a table",
}


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def complaints(error: ValidationError, root: type[BaseModel] = Config) -> Iterator[Complaint]:
    """Each of pydantic's errors about a `root`, in plain words and with a suggestion where there is one."""
    for details in error.errors(include_url=False):
        yield _complaint(details, root)


def _complaint(details: ErrorDetails, root: type[BaseModel]) -> Complaint:
    path: KeyPath = details["loc"]
    kind = details["type"]
    model = model_at(path[:-1], root)
    if kind == "extra_forbidden":
        return key_mistake(path, model.model_fields if model is not None else ())
    if kind == "missing":
        return Complaint(path, f"{key_text(path)}: missing{_purpose(path, model)}")
    context = cast(Mapping[str, object], details.get("ctx", {}))
    if kind == "model_type":
        text = _table(path, root)
    elif kind == "literal_error":
        text = _choice(path, model, details["input"])
    else:
        text = _WORDS[kind](context) if kind in _WORDS else details["msg"]
    if path == ("mqtt", "url") and "@" in str(details["input"]):
        return Complaint(path, f"mqtt.url: {_CREDENTIALS}")
    if _secret(path, root):
        return Complaint(path, f"{key_text(path)}: {text}")
    return value_mistake(path, details["input"], text)


def _purpose(path: KeyPath, model: type[BaseModel] | None) -> str:
    if path == ("hub",):
        return "; add [hub] with site and node"
    field = model.model_fields.get(str(path[-1])) if model is not None else None
    return f"; {field.description}" if field is not None and field.description else ""


def _secret(path: KeyPath, root: type[BaseModel]) -> bool:
    """A value that stands where a reference to a secret belongs may be the secret itself."""
    return any(model_at(path[:length], root) is Secret for length in range(1, len(path) + 1))


def _table(path: KeyPath, root: type[BaseModel]) -> str:
    if _secret(path, root):
        return 'must be { file = "..." }, { credential = "..." } or { environment = "..." }'
    return f"must be a table [{key_text(path)}]" if len(path) == 1 else "must be a table"


def _choice(path: KeyPath, model: type[BaseModel] | None, value: object) -> str:
    field = model.model_fields[str(path[-1])] if model is not None else None
    choices = get_args(field.annotation) if field is not None else ()
    if len(choices) == 1:
        return f"must be {choices[0]}"
    words = [str(choice) for choice in choices]
    listed = ", ".join(f"'{word}'" for word in words[:-1]) + f" or '{words[-1]}'"
    return f"must be {listed}{suggestion(str(value), words)}"


def model_at(path: KeyPath, root: type[BaseModel] = Config) -> type[BaseModel] | None:
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


def _inner(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a type annotation is any object
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)
