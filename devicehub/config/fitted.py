"""A driver as one device is configured: its options, its permission, its columns."""

from dataclasses import replace

from devicehub.config.columns import column_map
from devicehub.config.models import DeviceConfig
from devicehub.driver import Driver


def fitted(driver: Driver, device: DeviceConfig) -> Driver:
    """`driver`, which is that of `device`, as the configuration has it. Raises `ConfigError` on a bad option."""
    return with_columns(driver, device).configured(device.options, control=device.control)


def with_columns(driver: Driver, device: DeviceConfig) -> Driver:
    """With the columns that the configuration names, for a driver of files that have some."""
    if device.csv is None or driver.mapped is None:
        return driver
    return replace(driver.mapped(column_map(device.csv)), name=driver.name, evidence=driver.evidence)
