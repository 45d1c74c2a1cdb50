"""The models of the configuration file. Strict, frozen, no unknown keys; the JSON Schema is generated from them.

Relative paths are relative to the folder of the main file, which the loader passes as
`context={"folder": ...}`; without it they stay as they are.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from devicehub.config.columns import CsvConfig
from devicehub.config.desk import DeskConfig
from devicehub.config.limits import LimitConfig
from devicehub.config.preflight import PreflightConfig
from devicehub.config.responses import ResponseConfig
from devicehub.config.rules_head import RulesConfig
from devicehub.config.thermal import RegionConfig, ThermalConfig
from devicehub.config.workstation import MetricsConfig, PageConfig, SoundConfig
from devicehub.model.device import OptionValue
from devicehub.model.errors import ConfigError
from devicehub.tomlfile.section import Section, Segment

USB = "^([0-9a-f]{4}:[0-9a-f]{4})?$"
URL = r"^(mqtts?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)?$"
SECRET_LIMIT = 64 * 1024
WHOLE_LIMIT = 2**63


def _located(path: Path, info: ValidationInfo) -> Path:
    expanded = path.expanduser() if str(path).startswith("~") else path
    folder = (info.context or {}).get("folder")
    return Path(folder) / expanded if folder is not None else expanded


def _option(value: object) -> OptionValue:
    if isinstance(value, bool | str) or (isinstance(value, int | float) and abs(value) < WHOLE_LIMIT):
        return value
    raise PydanticCustomError("option_type", "must be text, a number below 2**63, true or false")


def _port(port: str, info: ValidationInfo) -> str:
    """The transcript of a replay is a path as any other."""
    scheme, colon, name = port.partition(":")
    return f"{scheme}:{_located(Path(name), info)}" if scheme == "replay" and colon and name else port


def default_state() -> Path:
    """The folder for state: the one that systemd gives, else the XDG one of this user."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "state") / "devicehub"


Capability = Annotated[str, Field(min_length=1, max_length=64)]
Location = Annotated[Path, Field(strict=False), AfterValidator(_located)]
OptionField = Annotated[
    OptionValue, PlainValidator(_option), WithJsonSchema({"type": ["boolean", "integer", "number", "string"]})
]


class Secret(Section):
    """Where a secret is kept. The secret itself is never part of the configuration."""

    file: Location | None = Field(default=None, description="File that holds the secret and nothing else")
    credential: str | None = Field(
        default=None, pattern="^[A-Za-z0-9._-]{1,128}$", description="Name below systemd's CREDENTIALS_DIRECTORY"
    )
    environment: str | None = Field(
        default=None, pattern="^[A-Za-z_][A-Za-z0-9_]*$", description="Name of an environment variable"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(part is not None for part in (self.file, self.credential, self.environment)) != 1:
            raise PydanticCustomError("secret", "must have exactly one of file, credential and environment")
        return self

    def read(self) -> str:
        """The secret, without its trailing line break. Raises `ConfigError`, which never shows it."""
        if self.environment is not None:
            return _not_empty(os.environ.get(self.environment, ""), f"environment variable {self.environment}")
        path = self._path()
        try:
            with path.open(encoding="utf-8") as stream:
                text = stream.read(SECRET_LIMIT + 1)
        except OSError as error:
            raise ConfigError(f"secret {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"secret {path}: not UTF-8 text") from None
        if len(text) > SECRET_LIMIT:
            raise ConfigError(f"secret {path}: longer than {SECRET_LIMIT} characters")
        return _not_empty(text.rstrip("\r\n"), f"secret {path}")

    def _path(self) -> Path:
        if self.file is not None:
            return self.file
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise ConfigError(
                f"credential {self.credential}: CREDENTIALS_DIRECTORY is not set; "
                "only a systemd service with LoadCredential= has credentials"
            )
        return Path(folder) / str(self.credential)


def _not_empty(text: str, what: str) -> str:
    if not text:
        raise ConfigError(f"{what} is empty or not set")
    return text


class HubConfig(Section):
    """The workstation."""

    site: Segment = Field(description="Border crossing point; a topic segment")
    node: Segment = Field(description="This workstation within the site; a topic segment")
    exercise: bool = Field(
        default=False, description="Training: everything is published under devicehub-sim and marked as exercise"
    )
    state: Location = Field(default_factory=default_state, description="Folder of journal, evidence and broker")
    device_files: Location | None = Field(
        default=None, description="Folder of this site's own device files, as FAMILY/MODEL.toml"
    )
    health_s: float = Field(default=10.0, ge=1, le=3600, description="Seconds between two health messages")
    readings: Literal["single", "batch"] = Field(
        default="single", description="One message per reading, or one per poll"
    )


class MqttConfig(Section):
    """The broker. Without a `url`, an embedded one on loopback."""

    url: str = Field(default="", pattern=URL, description="mqtt://host[:port] or mqtts://host[:port]")
    embedded_port: int = Field(
        default=0, ge=0, le=65535, description="Port of the embedded broker on 127.0.0.1; 0: any free one"
    )
    protocol: Literal["auto", "5", "3.1.1"] = Field(default="auto", description="MQTT version; auto tries 5 first")
    username: str = Field(default="", max_length=256, description="User name at the broker")
    password: Secret | None = Field(default=None, description="Where the password is kept")
    ca: Location | None = Field(
        default=None, description="PEM file of the authority that signed the broker's certificate"
    )
    certificate: Location | None = Field(default=None, description="PEM file of this workstation's certificate")
    key: Location | None = Field(default=None, description="PEM file of this workstation's private key")
    tls_minimum: Literal["1.2", "1.3"] = Field(
        default="1.3", description="Oldest TLS to accept; 1.2 for brokers that do not know 1.3"
    )
    keepalive_s: int = Field(default=5, ge=1, le=3600, description="Seconds of MQTT keep-alive")
    window: int = Field(default=100, ge=1, le=65535, description="Messages in flight at once")


class JournalConfig(Section):
    """Store-and-forward on this workstation's disk."""

    days: int = Field(default=30, ge=1, le=3650, description="Days that delivered messages are kept")
    gib: float = Field(default=4.0, gt=0, le=4096, description="Most disk space in GiB")


class ScanConfig(Section):
    """Barcodes, machine-readable zones and tags: personal data."""

    publish: Literal["off", "hash", "text"] = Field(
        default="hash", description="Nothing, a keyed hash, or the text itself"
    )
    key: Secret | None = Field(default=None, description="Key of the hash; without one a random key is made and kept")
    watchlist: Location | None = Field(
        default=None, description="File of keyed hashes whose scan is an alarm; 'devicehub scans hash' writes it"
    )


class AlarmConfig(Section):
    """What holds for all alarms."""

    shelve_most_h: float = Field(default=8.0, gt=0, le=24, description="Most hours that an alarm point is shelved")
    rules: Location | None = Field(
        default=None, description="Rule file, versioned: the home of limits, regions and thermal rules, if it is named"
    )
    control: bool = Field(
        default=False, description="True: commands may change limits in the rule file; else whoever edits it alone"
    )
    shadow: Location | None = Field(
        default=None, description="Rule file that is only tried: what it would raise is told, and is no alarm"
    )


class LaneConfig(Section):
    """What this workstation is there for."""

    requires: Annotated[tuple[Capability, ...], Field(strict=False)] = Field(
        default=(), description="Capabilities without which the lane is blind; none: no word on the lane is possible"
    )


class MobilityConfig(Section):
    """By what the hub judges the plasmagrams of a trace detector."""

    library: Location = Field(description="Substance library, a TOML file; one for training needs hub.exercise = true")
    modes: Annotated[tuple[Literal["negative", "positive"], ...], Field(strict=False)] = Field(
        default=(), description="Polarities that the instrument is fitted with; none given: all of the library"
    )
    single: bool = Field(default=False, description="True: a plasmagram that belongs to no run is judged by itself")
    priority: Literal["critical", "high", "medium", "low"] = Field(
        default="high", description="How urgent the response to a detection is"
    )


class DeviceConfig(Section):
    """One device."""

    id: Segment = Field(description="Name of the device; a topic segment")
    driver: str = Field(min_length=1, description="FAMILY.MAKER_MODEL; see 'devicehub drivers list'")
    port: Annotated[str, AfterValidator(_port)] = Field(
        default="",
        max_length=1024,
        description="Device path, USB place, socket://, rfc2217://, udp://, tcp://, sim: or replay:FILE; empty: by USB",
    )
    usb: str = Field(default="", pattern=USB, description="USB vendor:product in hexadecimal, as 10c4:ea60")
    serial: str = Field(default="", max_length=128, description="USB serial number, to tell equal devices apart")
    address: str = Field(
        default="", max_length=64, description="BLE address; empty: the first that advertises the name"
    )
    folder: Location | None = Field(default=None, description="Watch folder of a device that leaves files")
    options: dict[str, OptionField] = Field(default_factory=dict, description="Settings of the driver")
    enabled: bool = Field(default=True, description="False: known, but not opened")
    control: bool = Field(
        default=False, description="True: commands may change what the device does; else they can only ask"
    )
    mobility: MobilityConfig | None = Field(
        default=None, description="How its plasmagrams are judged; without it only the device's own verdict is told"
    )
    csv: CsvConfig | None = Field(default=None, description="What the columns of its CSV files are")
    fault: str = Field(
        default="", max_length=256, description="Faults to inject on the link, for training, as drop=0.01,lose=120"
    )


LimitTables = Annotated[tuple[LimitConfig, ...], Field(strict=False, description="The limits")]
RegionTables = Annotated[
    tuple[RegionConfig, ...], Field(strict=False, description="Parts of images that thermal rules name")
]
ThermalTables = Annotated[tuple[ThermalConfig, ...], Field(strict=False, description="Rules for thermal images")]
ResponseTables = Annotated[
    tuple[ResponseConfig, ...], Field(strict=False, description="What is to be done upon alarms")
]


class Config(Section):
    """The whole configuration."""

    schema_version: Literal[1] = Field(default=1, description="Version of this file format")
    hub: HubConfig = Field(description="This workstation")
    mqtt: MqttConfig = Field(default_factory=MqttConfig, description="The broker")
    page: PageConfig = Field(default_factory=PageConfig, description="The local page")
    metrics: MetricsConfig = Field(default_factory=MetricsConfig, description="Monitoring")
    sound: SoundConfig = Field(default_factory=SoundConfig, description="Alarms that are heard")
    journal: JournalConfig = Field(default_factory=JournalConfig, description="Store-and-forward")
    scan: ScanConfig = Field(default_factory=ScanConfig, description="Personal data")
    alarm: AlarmConfig = Field(default_factory=AlarmConfig, description="All alarms")
    rules: RulesConfig | None = Field(default=None, description="Head of a rule file; it stands only there")
    lane: LaneConfig = Field(default_factory=LaneConfig, description="What this workstation is there for")
    desk: Annotated[tuple[DeskConfig, ...], Field(strict=False)] = Field(
        default=(), description="Where inspections happen"
    )
    preflight: Annotated[tuple[PreflightConfig, ...], Field(strict=False)] = Field(
        default=(), description="What devices need before a shift"
    )
    device: Annotated[tuple[DeviceConfig, ...], Field(strict=False)] = Field(default=(), description="The devices")
    limit: LimitTables = ()
    region: RegionTables = ()
    thermal: ThermalTables = ()
    response: ResponseTables = ()


class RuleFile(Section):
    """A rule file: what of the configuration judges values and images, and which version of it this is."""

    schema_version: Literal[1] = Field(default=1, description="Version of this file format")
    rules: RulesConfig = Field(description="[rules] with version, author and reason")
    limit: LimitTables = ()
    region: RegionTables = ()
    thermal: ThermalTables = ()
    response: ResponseTables = ()
