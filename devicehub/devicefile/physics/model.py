"""What all physical models have."""

from collections.abc import Mapping
from random import Random
from typing import Any, Protocol, runtime_checkable

import numpy as np

Options = Mapping[str, int | float | str]
Quantities = dict[str, Any]
"""Quantities by name: numbers, text, numpy arrays, or lists of such tables."""


class Model(Protocol):
    """Something that can be measured."""

    def do(self, verb: str, **values: float | str) -> None:
        """Change it. Raises `ValueError` for an unknown verb."""
        ...

    def advance(self, dt: float) -> list[str]:
        """`dt` seconds pass; the events that happened."""
        ...

    def quantities(self) -> Quantities:
        """What there is to measure now."""
        ...


@runtime_checkable
class Asked(Protocol):
    """A model that changes with what its device is sent, or answers by it."""

    def asked(self, request: str, sent: Mapping[str, float | str]) -> None:
        """A request came, with what was put into it."""
        ...


def generator(random: Random) -> np.random.Generator:
    """Chance for arrays, out of the seeded chance of a simulator."""
    return np.random.default_rng(random.getrandbits(64))


def number(options: Options, name: str, default: float) -> float:
    """A parameter. Raises `ValueError` unless it is a number."""
    value = options.get(name, default)
    if isinstance(value, int | float):
        return value
    raise ValueError(f"{name} = {value!r}: must be a number")


def check_known(options: Options, known: tuple[str, ...]) -> None:
    """Raises `ValueError` for a parameter that the model does not have."""
    for name in options:
        if name not in known:
            raise ValueError(f"'{name}' is no parameter; there are {', '.join(known) or 'none'}")


class Constant:
    """Nothing happens."""

    def __init__(self, random: Random, options: Options) -> None:
        check_known(options, ())
        del random
        self._seconds = 0.0

    def do(self, verb: str, **values: float | str) -> None:
        """Only `demo`, which changes nothing."""
        del values
        if verb != "demo":
            raise ValueError(f"no verb '{verb}'")

    def advance(self, dt: float) -> list[str]:
        """Time passes."""
        self._seconds += dt
        return []

    def quantities(self) -> Quantities:
        """`seconds` since power-up."""
        return {"seconds": int(self._seconds)}
