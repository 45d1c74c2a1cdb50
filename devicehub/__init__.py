"""devicehub: drives handheld search equipment and publishes what it says over MQTT."""

__version__ = "0.1.0"
