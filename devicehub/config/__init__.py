"""The configuration: TOML files to frozen models, every mistake as file:line:column in plain words."""

from devicehub.config.limits import LimitConfig
from devicehub.config.load import device_folder, digest, load_config
from devicehub.config.models import (
    Config,
    DeviceConfig,
    HubConfig,
    JournalConfig,
    MqttConfig,
    ScanConfig,
    Secret,
)
from devicehub.config.points import alarm_points, thermal_rules
from devicehub.config.workstation import PageConfig
from devicehub.tomlfile.problems import ConfigProblems, Problem

__all__ = [
    "Config",
    "ConfigProblems",
    "DeviceConfig",
    "HubConfig",
    "JournalConfig",
    "LimitConfig",
    "MqttConfig",
    "PageConfig",
    "Problem",
    "ScanConfig",
    "Secret",
    "alarm_points",
    "device_folder",
    "digest",
    "load_config",
    "thermal_rules",
]
