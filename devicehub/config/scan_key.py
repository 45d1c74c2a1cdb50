"""The random key of the scan hash, which is made once and then stays on this workstation."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from devicehub.config.models import Config
from devicehub.disk import sync_folder
from devicehub.model.errors import ConfigError

SIZE: Final = 32


def scan_key(config: Config, chance: Callable[[int], bytes]) -> bytes:
    """The configured key of the scan hash, or a random one that stays on this workstation. Raises `ConfigError`."""
    return _configured(config) or kept_key(_kept(config), chance)


def known_key(config: Config) -> bytes | None:
    """The same for a command, which never makes one: None where no hub has run. Raises `ConfigError`."""
    return _configured(config) or (kept_key(_kept(config), bytes) if _kept(config).exists() else None)


def _configured(config: Config) -> bytes | None:
    return None if config.scan.key is None else config.scan.key.read().encode()


def _kept(config: Config) -> Path:
    return config.hub.state / "scan.key"


def kept_key(path: Path, chance: Callable[[int], bytes]) -> bytes:
    """The key in `path`; where there is none yet, one of `SIZE` bytes from `chance` is stored there first.

    A crash leaves a whole key or none. Raises `ConfigError`, also for a key that is too short to be one.
    """
    try:
        if not path.exists():
            _write(path, chance(SIZE))
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"key of the scan hash, {path}: {error.strerror}") from None
    if len(key) < SIZE:
        raise ConfigError(
            f"key of the scan hash, {path}: {len(key)} bytes are no key, {SIZE} are needed; restore it, or delete it "
            "for a new one, whose hashes do not match earlier ones"
        )
    return key


def _write(path: Path, key: bytes) -> None:
    """Whole, on stable storage, for this user only; then under its name."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:  # noqa: PTH123 - a descriptor
        stream.write(key)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(path)
    sync_folder(path.parent)
