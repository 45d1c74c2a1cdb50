"""The broker that a configuration names, as a connection to it wants it.

On its own, so that a command that only speaks to the broker does not load the hub.
"""

import ssl
from urllib.parse import urlsplit

from devicehub.config.models import Config, MqttConfig
from devicehub.publish.settings import BrokerSettings, Tls, Version, tls_context


def broker_settings(config: Config) -> BrokerSettings:
    """How to connect to the configured broker. Raises `ConfigError` for a secret or certificate that is not usable."""
    mqtt = config.mqtt
    url = urlsplit(mqtt.url or "mqtt://127.0.0.1")
    secure = url.scheme == "mqtts"
    return BrokerSettings(
        host=url.hostname or "127.0.0.1",
        port=url.port or (8883 if secure else 1883),
        identifier=f"devicehub-{config.hub.site}-{config.hub.node}",
        username=mqtt.username,
        password=mqtt.password.read() if mqtt.password is not None else "",
        tls=_tls(mqtt) if secure else None,
        version=Version(mqtt.protocol),
        keepalive=mqtt.keepalive_s,
        window=mqtt.window,
    )


def _tls(mqtt: MqttConfig) -> ssl.SSLContext:
    return tls_context(ca=mqtt.ca, certificate=mqtt.certificate, key=mqtt.key, minimum=Tls(mqtt.tls_minimum))
