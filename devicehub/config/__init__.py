"""The configuration: TOML files to frozen models, every mistake as file:line:column in plain words."""

from devicehub.config.models import (
    Config,
    DeviceConfig,
    HubConfig,
    JournalConfig,
    LimitConfig,
    MqttConfig,
    ScanConfig,
    Secret,
)

__all__ = [
    "Config",
    "DeviceConfig",
    "HubConfig",
    "JournalConfig",
    "LimitConfig",
    "MqttConfig",
    "ScanConfig",
    "Secret",
]
