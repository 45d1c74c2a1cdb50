"""Mistakes between keys while others are wrong by themselves, so that a person meets all of them in one round.

What is wrong is taken out and, where a key must be there, something right put in its place; of what the
cross-checks then say only that counts which does not touch the replaced.
"""

from collections.abc import Iterator
from typing import cast

from pydantic import ValidationError

from devicehub.config.checks import check
from devicehub.config.models import Config
from devicehub.registry import driver_names
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint

_ALONE = frozenset({"id", "driver", "options", "device", "channel"})
Tree = dict[str, object]


def check_rest(values: Tree, error: ValidationError) -> Iterator[Complaint]:
    """The mistakes between ids, drivers, options, devices and channels that can be told in spite of `error`."""
    wrong = {_place(details["loc"]) for details in error.errors(include_url=False)}
    try:
        config = Config.model_validate(_mended(values, wrong))
    except ValidationError:  # so much is wrong that nothing can be told
        return
    unknown = {config.device[number].id for number in _numbers(wrong, "device", ("id", "driver"))}
    nameless = bool(list(_numbers(wrong, "device", ("id",))))
    for complaint in check(config):
        place = _place(complaint.path)
        if nameless and place[2:] == ("device",):
            continue  # it may mean the device whose id is wrong
        if len(place) == 3 and place[2] in _ALONE and place not in wrong and not _touches(config, place, unknown):
            yield complaint


def _place(path: KeyPath) -> KeyPath:
    """The key of a table, or the key of an element of an array of tables."""
    return path[:3] if len(path) > 1 and isinstance(path[1], int) else path[:2]


def _numbers(wrong: set[KeyPath], table: str, keys: tuple[str, ...]) -> Iterator[int]:
    for place in wrong:
        if place[0] == table and len(place) > 1 and isinstance(place[1], int) and (len(place) == 2 or place[2] in keys):
            yield place[1]


def _touches(config: Config, place: KeyPath, unknown: set[str]) -> bool:
    table, number = place[0], cast(int, place[1])
    if table == "device":
        return config.device[number].id in unknown
    return config.limit[number].device in unknown


def _mended(tree: Tree, wrong: set[KeyPath]) -> Tree:
    kept: Tree = {"hub": {"site": "s", "node": "n"}}
    for table in ("device", "limit"):
        if (table,) not in wrong:
            elements = cast(list[object], tree.get(table, []))
            kept[table] = [_element(table, number, element, wrong) for number, element in enumerate(elements)]
    return kept


def _element(table: str, number: int, element: object, wrong: set[KeyPath]) -> Tree:
    """What is right of an element, with what it must have."""
    given = cast(Tree, element) if isinstance(element, dict) else {}
    right = {key: value for key, value in given.items() if (table, number, key) not in wrong}
    if table == "device":
        return {"id": f"unnamed-{number}", "driver": driver_names()[0], **right}
    return {"device": "unnamed", "channel": "unnamed", **right}
