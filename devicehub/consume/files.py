"""The store that the name of a file asks for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from devicehub.consume.lines import Lines
from devicehub.consume.store import Store, alone
from devicehub.consume.table import Table

STORES: Final[Mapping[str, Callable[[Path], Store]]] = MappingProxyType({".jsonl": Lines, ".sqlite": Table})


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """The store in `path`, which ends in one of `STORES`, held against others while the context is open.

    Raises `StoreError`.
    """
    with alone(path):
        store = STORES[path.suffix](path)
        try:
            yield store
        finally:
            store.close()
