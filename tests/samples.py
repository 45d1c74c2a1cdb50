"""Sample files that are not part of the repository."""

from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "shared" / "samples"
ABSENT = "is not part of the repository"


def sample(folder: str, name: str) -> bytes:
    """The content of one; the test is skipped where it is absent."""
    path = SAMPLES / folder / name
    if not path.is_file():
        pytest.skip(f"the sample {folder}/{name} {ABSENT}")
    return path.read_bytes()
