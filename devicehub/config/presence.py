"""Whether what the configuration names is there: files, folders and environment variables."""

import os
from collections.abc import Iterator

from devicehub.config.models import Config, DeviceConfig, Secret
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, value_mistake


def absent(config: Config) -> Iterator[Complaint]:
    """What is named and not there. Credentials are left out: only the service itself sees them."""
    for name in ("ca", "certificate", "key"):
        path = getattr(config.mqtt, name)
        if path is not None and not path.is_file():
            yield _complaint(("mqtt", name), f"no such file: {path}")
    if config.hub.device_files is not None and not config.hub.device_files.is_dir():
        yield _complaint(("hub", "device_files"), f"no such folder: {config.hub.device_files}")
    yield from _secret(("mqtt", "password"), config.mqtt.password)
    yield from _secret(("scan", "key"), config.scan.key)
    if config.scan.watchlist is not None and not config.scan.watchlist.is_file():
        yield _complaint(("scan", "watchlist"), f"no such file: {config.scan.watchlist}")
    for number, device in enumerate(config.device):
        if device.enabled:
            yield from _device(("device", number), device)


def _device(path: KeyPath, device: DeviceConfig) -> Iterator[Complaint]:
    if device.folder is not None and not device.folder.is_dir():
        yield _complaint((*path, "folder"), f"no such folder: {device.folder}")
    if device.mobility is not None and not device.mobility.library.is_file():
        yield _complaint((*path, "mobility", "library"), f"no such file: {device.mobility.library}")
    scheme, _, name = device.port.partition(":")
    if scheme == "replay" and not os.path.isfile(name):  # noqa: PTH113 - part of a port, not a path by itself
        yield _complaint((*path, "port"), f"no such transcript: {name}")


def _complaint(path: KeyPath, text: str) -> Complaint:
    """The whole path of the file, which as a value might be cut short."""
    return Complaint(path, f"{key_text(path)}: {text}")


def _secret(path: KeyPath, secret: Secret | None) -> Iterator[Complaint]:
    if secret is None:
        return
    if secret.file is not None and not secret.file.is_file():
        yield _complaint((*path, "file"), f"no such file: {secret.file}")
    if secret.environment is not None and not os.environ.get(secret.environment):
        yield value_mistake((*path, "environment"), secret.environment, "not set where this check runs")
