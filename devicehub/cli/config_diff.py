"""`devicehub config diff`."""

import argparse
from collections.abc import Iterator, Mapping

from devicehub.cli.config_show import plain, toml_value
from devicehub.cli.exits import Exit
from devicehub.cli.given import config_path
from devicehub.cli.output import print_json, say
from devicehub.config import load_config


def run(args: argparse.Namespace) -> int:
    """Show each key that another configuration sets otherwise than this one. Secrets are references and stay so."""
    one, other = (dict(_keys(load_config(path).model_dump())) for path in (config_path(args), args.other))
    differing = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    if args.json:
        print_json([{"key": key, "here": plain(one.get(key)), "other": plain(other.get(key))} for key in differing])
        return Exit.OK
    for key in differing:
        for sign, values in (("-", one), ("+", other)):
            if values.get(key) is not None:
                say(f"{sign} {key} = {toml_value(values[key])}")
    if not differing:
        say("they say the same")
    return Exit.OK


def _keys(values: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Each value with its whole name; of an array of tables by the id of the table, else by its place."""
    for key, value in values.items():
        tables = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []
        if isinstance(value, Mapping) and value:
            yield from _keys(value, f"{before}{key}.")
        elif tables:
            for place, one in enumerate(tables):
                yield from _keys(one, f"{before}{key}[{one.get('id') or place}].")
        else:
            yield f"{before}{key}", value
