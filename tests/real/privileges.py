"""Folders and files that this process may not use, also when the tests run as root."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder whose parents everybody may pass, unlike those of `tmp_path`."""
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


@contextmanager
def unprivileged(path: Path, mode: int) -> Iterator[None]:
    """Give `path` that mode. Root may do anything, so be nobody for a while."""
    path.chmod(mode)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)
