"""Drivers as devices are configured: their options, their permissions, their columns."""

from dataclasses import replace

from devicehub.config.columns import column_map
from devicehub.config.diff import running
from devicehub.config.models import Config, DeviceConfig
from devicehub.driver import Driver
from devicehub.registry import load_driver


def fitted_drivers(config: Config) -> dict[str, Driver]:
    """The drivers of the devices that run, by id, each as its device has it. Raises `ConfigError`."""
    devices, folder = running(config), config.hub.device_files
    models = {name: load_driver(name, folder) for name in {device.driver for device in devices.values()}}
    return {name: fitted(models[device.driver], device) for name, device in devices.items()}


def fitted(driver: Driver, device: DeviceConfig) -> Driver:
    """`driver`, which is that of `device`, as the configuration has it. Raises `ConfigError` on a bad option."""
    return with_columns(driver, device).configured(device.options, control=device.control)


def with_columns(driver: Driver, device: DeviceConfig) -> Driver:
    """With the columns that the configuration names, for a driver of files that have some."""
    if device.csv is None or driver.mapped is None:
        return driver
    return replace(driver.mapped(column_map(device.csv)), name=driver.name, evidence=driver.evidence)
