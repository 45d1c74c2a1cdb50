"""Configurations of older formats brought to this one, and back. Texts are changed, so that comments stay.

A file's format is its `schema_version`. Formats without that line count as 0: a later version could not tell from which
one such a file came, so the first step writes it down. A step that a later format needs is one more row of `_STEPS`.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from devicehub.disk import sync_folder
from devicehub.model.errors import ConfigError
from devicehub.tomlfile.read import read_file

FORMAT: Final = 1

_STEPS: Final[Mapping[int, Callable[[str], str]]] = {
    0: lambda text: f"# Version of this file's format.\nschema_version = 1\n\n{text}"
}


def migrated(path: Path) -> tuple[int, str]:
    """The format of a file, and its text in this format. Nothing is written.

    Raises `ConfigProblems` for a file that cannot be read, `ConfigError` for one of a newer format.
    """
    old = read_file(path).values
    began = old.get("schema_version", 0)
    if not isinstance(began, int) or began > FORMAT or (began < 1 and "schema_version" in old):
        raise ConfigError(
            f"{path}: schema_version = {began} is not known to this version, which reads {FORMAT}; "
            "install the version that wrote it, or go back with --back"
        )
    text = path.read_text(encoding="utf-8-sig")
    for step in range(began, FORMAT):
        text = _STEPS[step](text)
    return began, text


def kept_as(path: Path, version: int) -> Path:
    """Where the file of that format is kept."""
    return path.with_name(f"{path.name}.format-{version}")


def replace(path: Path, version: int, text: str) -> Path:
    """Put a text in the file's place and keep what was there, which is named. Raises `ConfigError`.

    Owner and mode stay; a loss of power leaves the one or the other.
    """
    kept, fresh = kept_as(path, version), path.with_name(f"{path.name}.part")
    try:
        for target, content in ((kept, path.read_bytes()), (fresh, text.encode())):
            _written(path, target, content)
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; it is as it was") from None
    return kept


def restore(path: Path) -> Path:
    """Put the newest file of an older format that `replace` kept in its place, and name it. Raises `ConfigError`.

    The file may be of a newer format than this one's: a former version is back, and takes what it left.
    """
    kept_files, format_now = _kept(path), _format(path)
    found = [version for version in kept_files if format_now is None or version < format_now]
    if not found:
        raise ConfigError(f"{path}: no earlier one is kept beside it, as {kept_as(path, 0).name}")
    kept = kept_files[max(found)]
    try:
        kept.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(f"{kept}: {error.strerror}") from None
    return kept


def _kept(path: Path) -> dict[int, Path]:
    """What `replace` kept, by format."""
    beginning = f"{path.name}.format-"
    names = {one.name.removeprefix(beginning): one for one in path.parent.iterdir() if one.name.startswith(beginning)}
    return {int(number): one for number, one in names.items() if number.isdecimal()}


def _format(path: Path) -> int | None:
    """What a file says of itself; None where it cannot be read."""
    try:
        said = read_file(path).values.get("schema_version", 0)
    except ConfigError:
        return None
    return said if isinstance(said, int) else None


def _written(like: Path, target: Path, content: bytes) -> None:
    """A stable file that nobody may read but who may read `like`."""
    facts = like.stat()
    target.unlink(missing_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(handle)
    if (facts.st_uid, facts.st_gid) != (os.geteuid(), os.getegid()):
        shutil.chown(target, facts.st_uid, facts.st_gid)
    target.chmod(facts.st_mode & 0o777)
