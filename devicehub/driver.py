"""How a model of device is declared. Nine drivers in ten are one `Driver` and one `decode` function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf

from devicehub.model.columns import ColumnMap
from devicehub.model.device import Category, Channel, EvidenceLevel, Option, OptionValue, UsbId
from devicehub.model.errors import ConfigError
from devicehub.wire.forbidden import Allowed, Forbidden, refusal
from devicehub.wire.framer import Framer, WholePackets
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Decode, DeviceProtocol, FramedProtocol, Order, Poll

Options = Mapping[str, OptionValue]
TEXT_MOST = 256
BACK_IN_STEP_MOST = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLink:
    """RS-232, CDC-ACM, USB-serial bridge, `socket://` or `rfc2217://`. `usb`: ids that suggest this driver."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: float = 1
    rtscts: bool = False
    dtr: bool = True
    usb: tuple[UsbId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbLink:
    """A USB device driven through libusb. `interfaces`: (interface, alternate setting) to claim, in order.

    Without any it is claimed by nobody here: whatever kernel driver has it keeps it, its configuration stays as it is,
    and only requests of the vendor to the control endpoint get through.
    """

    ids: tuple[UsbId, ...]
    configuration: int = 1
    interfaces: tuple[tuple[int, int], ...] = ((0, 0),)
    timeout: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class BleLink:
    """A GATT peripheral. `notify`: characteristics to subscribe, in order. `name`: prefix of the advertised name.

    `acknowledged`: write with response; None: as each characteristic says. `start_notify`: BlueZ quirk, see `bleak`'s
    `use_start_notify`.
    """

    notify: tuple[str, ...]
    name: str = ""
    service: str = ""
    acknowledged: bool | None = True
    start_notify: bool = True


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """One stream format: FourCC ("MJPG", "YUYV", "Y16 "), size in pixels and frames per second."""

    fourcc: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoLink:
    """A V4L2 capture device. `formats` in order of preference; the first the camera has is used."""

    formats: tuple[VideoFormat, ...]
    ids: tuple[UsbId, ...] = ()
    button: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLink:
    """A watch folder. `patterns`: shell patterns of the file names taken, lower case."""

    patterns: tuple[str, ...]
    limit: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorLink:
    """No wire: somebody reads the device and enters what it showed. Nothing can go wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """What a device broadcasts over UDP to `port`, so that it is found.

    `read`: the address that a datagram gives and the name there; None for what is no such beacon.
    """

    port: int
    read: Callable[[bytes], tuple[str, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLink:
    """A device on a network of its own, as a Wi-Fi endoscope. Nothing authenticates it; its address is configured.

    `scheme`: "udp" or "tcp". `ports`: of the device, by their numbers from the factory; a configured port stands for
    the first and moves the others with it. `local`: the port here that it sends to, 0 for any. `silence`: seconds
    without a word after which the link counts as lost. `beacon`: what it says of itself to everybody, for `devices
    scan`; no link is opened by it.
    """

    scheme: str
    ports: tuple[int, ...]
    local: int = 0
    silence: float = 10.0
    beacon: Beacon | None = None


Link = SerialLink | UsbLink | BleLink | VideoLink | FileLink | OperatorLink | NetworkLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that a device, or the hub, can be told. `verb` is a topic segment.

    `control`: it changes what the device does or measures; only for a device whose configuration says `control =
    true`. `options`: its arguments, of which those in `required` have no default. `timeout`: seconds that it takes
    at most once it was begun. `order`: its bytes, for a device with `decode`; a hand-written protocol has
    `on_command`. No command writes a tag or clears evidence.
    """

    verb: str
    title: str
    control: bool = False
    options: tuple[Option, ...] = ()
    required: tuple[str, ...] = ()
    timeout: float = 10.0
    order: Order | None = None

    def arguments(self, given: Mapping[str, object]) -> Options:
        """The arguments over their defaults. Raises `ConfigError` for one that is unknown, impossible or missing."""
        for name in self.required:
            if name not in given:
                raise ConfigError(f"argument '{name}' is missing")
        return _filled(self.options, given, f"command {self.verb} has no argument")


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The declaration of one model. The file's name is the driver's name: `<family>.<file>`.

    Give either `decode` (with `framer` and `polls` where the link needs them) or `protocol`, a
    factory for a hand-written `DeviceProtocol` that gets the options' values. `channels_for`: the
    channels under given options, where they differ from `channels` (a calibrated camera is in degrees).
    `integrity`: the check that each frame has. `plausibility`: where that is no CRC or may be left out, which damage is
    not seen, swapped bytes above all, and what carries the integrity in its stead.
    `forbidden`: dangerous commands of the device, which its link refuses. `allowed`: all that its link lets through.
    `self_tests`: the device tests itself, and the driver says when that failed as the cause `self-test-failed` of its
    capabilities; without it nobody can tell.
    `timed`: its frames are told apart by time and by what was asked, not by their bytes alone.
    `control`: whether the device's configuration allows the commands that change something. `mapped`: for a driver of
    files whose columns the configuration names, the same driver with these columns and their channels.
    `file`: the device file that it comes from.
    `evidence`: given by the registry, as `name` and `file` are; what a declaration says of itself there is not heard.
    """

    title: str
    category: Category
    link: Link
    channels: tuple[Channel, ...]
    capabilities: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    integrity: str = "none"
    plausibility: str = ""
    framer: Callable[[], Framer] = WholePackets
    decode: Decode | None = None
    polls: tuple[Poll, ...] = ()
    gap: float = 0.0
    protocol: Callable[[Options], DeviceProtocol] | None = None
    channels_for: Callable[[Options], tuple[Channel, ...]] | None = None
    mapped: "Callable[[ColumnMap], Driver] | None" = None
    stale_after: float = 10.0
    timed: bool = False
    self_tests: bool = False
    commands: tuple[Command, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    allowed: Allowed | None = None
    control: bool = field(default=False, compare=False)
    evidence: EvidenceLevel = field(default=EvidenceLevel.UNTESTED, compare=False)
    file: str = field(default="", compare=False)
    name: str = field(default="", compare=False)

    def open(self, options: Options) -> DeviceProtocol:
        """A fresh protocol for one open link, with defaults filled in. Raises `ConfigError` on a bad option."""
        settings = self.settings(options)
        if self.protocol is not None:
            return self.protocol(settings)
        if self.decode is None:
            raise ConfigError(f"driver {self.name}: declares neither decode nor protocol")
        orders = {command.verb: command.order for command in self.commands if command.order is not None}
        return FramedProtocol(self.framer(), self.decode, self.polls, self.gap, orders)

    def settings(self, options: Options) -> Options:
        """The options' values over their defaults. Raises `ConfigError` for an unknown or impossible one."""
        return _filled(self.options, options, f"driver {self.name} has no option")

    def configured(self, options: Options, *, control: bool = False) -> "Driver":
        """With `control` and the channels that the options give. Raises `ConfigError` on a bad option."""
        settings = self.settings(options)
        channels = self.channels if self.channels_for is None else self.channels_for(settings)
        return replace(self, channels=channels, control=control)

    def refuses(self, packet: Packet) -> str:
        """What a packet, a whole request, would do that the link refuses it; empty where it lets it through."""
        return refusal(packet, self.forbidden, self.allowed)

    def command(self, verb: str) -> Command | None:
        """The declared command of that verb."""
        return next((command for command in self.commands if command.verb == verb), None)

    @property
    def quiet(self) -> bool:
        """It speaks only when somebody uses it: a reader waiting for a code, a folder waiting for a file."""
        return isinstance(self.link, FileLink) or self.stale_after == inf

    @property
    def back_in_step(self) -> float:
        """Seconds within which the device is heard again after garbage: before its capabilities go for its silence."""
        return min(self.stale_after, BACK_IN_STEP_MOST)

    def channel(self, name: str) -> Channel:
        """The declared channel of that name. Raises `KeyError`."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise KeyError(name)


def _filled(options: tuple[Option, ...], given: Mapping[str, object], unknown: str) -> Options:
    """`given` over the defaults. Raises `ConfigError`; `unknown` begins what is said of one that nobody declared."""
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise ConfigError(f"{unknown} {_shown(name)}")
    return {
        option.name: _checked(option, given[option.name]) if option.name in given else option.default
        for option in options
    }


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "..."


def _checked(option: Option, value: object) -> OptionValue:
    wanted = type(option.default)
    if isinstance(value, bool) != (wanted is bool) or not isinstance(
        value, (int, float) if wanted is float else wanted
    ):
        raise ConfigError(f"option '{option.name}' must be {wanted.__name__}, not {_shown(value)}")
    assert isinstance(value, bool | int | float | str)
    if isinstance(value, str) and len(value) > TEXT_MOST:
        raise ConfigError(f"option '{option.name}' is longer than {TEXT_MOST} characters")
    if isinstance(value, (int, float)) and not option.low <= value <= option.high:
        raise ConfigError(f"option '{option.name}' = {value}: must be from {option.low} to {option.high}")
    if option.choices and value not in option.choices:
        known = ", ".join(choice for choice in option.choices if choice)
        raise ConfigError(f"option '{option.name}' = {value!r}: must be one of {known}")
    return value
