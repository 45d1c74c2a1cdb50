"""Edges of a batch as columns: where thousands come at once, a record each is made only for who reads them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devicehub.model.alarm import Transition


@dataclass(frozen=True, slots=True, eq=False)
class Edges(Collection[Transition]):
    """Edges in order, one element of each column per edge; the columns are named as those of `Transition`."""

    limit: NDArray[np.intp]
    active: NDArray[np.bool_]
    value: NDArray[np.float64]
    reading: NDArray[np.intp]

    def __len__(self) -> int:
        """How many."""
        return self.limit.size

    def __iter__(self) -> Iterator[Transition]:
        """The records, made now."""
        return map(Transition, *(column.tolist() for column in (self.limit, self.active, self.value, self.reading)))

    def __contains__(self, edge: object) -> bool:
        """Whether an edge is one of them."""
        return any(edge == one for one in self)
