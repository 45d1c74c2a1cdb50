"""What is known of a workstation when it is examined: data, gathered by `gather`, judged by the checks."""

from collections.abc import Mapping

from msgspec import Struct

from devicehub.clock import ClockQuality
from devicehub.config import Config
from devicehub.driver import Driver
from devicehub.tomlfile.problems import Problem
from devicehub.transport.inventory import Present


class Account(Struct, frozen=True):
    """Who the hub runs as, by the numbers of the examined root. `group`: number of the group devicehub, if there is."""

    name: str
    uid: int
    gids: frozenset[int]
    group: int | None


class Node(Struct, frozen=True):
    """The device file of a configured device; `mode` None where it is not there."""

    device: str
    path: str
    mode: int | None = None
    uid: int = 0
    gid: int = 0

    def open_to(self, account: Account) -> bool:
        """Whether an account may read and write it."""
        mode = self.mode or 0
        if account.uid == 0:
            return True
        if account.uid == self.uid:
            return mode & 0o600 == 0o600
        return mode & 0o060 == 0o060 if self.gid in account.gids else mode & 0o006 == 0o006


class Disk(Struct, frozen=True):
    """The disk of the state folder, in bytes."""

    folder: str
    total: int
    free: int


class Certificate(Struct, frozen=True):
    """A certificate that the configuration names. `ends`: second of UTC; None where it cannot be read, with `why`."""

    key: str
    path: str
    ends: float | None
    why: str = ""


class Broker(Struct, frozen=True):
    """What a connection to the broker showed. `failure`: why there was none; `refused`: what it does not take.

    `round_trip`: seconds. `word`: what the hub itself said last of its delivery, empty where it said nothing.
    `version`: as the broker tells it.
    """

    address: str
    failure: str = ""
    refused: str = ""
    round_trip: float = 0.0
    word: str = ""
    version: str = ""


class LocalBroker(Struct, frozen=True):
    """The configuration of a Mosquitto on this computer, as far as it says what survives a restart."""

    file: str
    persistence: bool
    autosave_s: int


class Camera(Struct, frozen=True):
    """A camera on USB. `bus`: its controller; `speed`: Mbit/s that it runs at."""

    node: str
    bus: str
    speed: float


class Rules(Struct, frozen=True):
    """udev rules. `installed`: file and text, None where there is none; `wanted`: what this version would install."""

    installed: tuple[str, str] | None
    wanted: str


class System(Struct, frozen=True):
    """What is installed. `claims`: rule files of brltty, each with the USB ids that it takes for braille displays."""

    modem_manager: bool
    claims: Mapping[str, frozenset[str]]
    bluez: bool
    bus: bool
    adapters: int


class Facts(Struct, frozen=True, kw_only=True):
    """All of it. `now`: second of UTC. `config` None where it cannot be used, with `problems`.

    `drivers`: of the devices that run on real hardware, by device; `ids`: the USB ids that each may have. `journal`:
    what is wrong with it. `broker` None where none is configured, `local_broker` where it is not on this computer.
    """

    now: float
    file: str
    account: Account
    config: Config | None
    problems: tuple[Problem, ...]
    drivers: Mapping[str, Driver]
    ids: Mapping[str, frozenset[str]]
    nodes: tuple[Node, ...]
    rules: Rules
    system: System
    clock: ClockQuality
    disk: Disk
    present: tuple[Present, ...]
    cameras: tuple[Camera, ...]
    certificates: tuple[Certificate, ...]
    broker: Broker | None
    local_broker: LocalBroker | None
    journal: tuple[str, ...]
    running: bool
