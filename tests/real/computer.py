"""A whole computer in a folder: accounts, device files, udev, what is installed, a configuration, a journal."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from devicehub.clock import Clock, ClockQuality
from devicehub.doctor.examine import examine
from devicehub.doctor.findings import Finding
from devicehub.doctor.gather import Senses, gather
from devicehub.doctor.mend import mend
from devicehub.udev import NAME, rules
from tests.programs import needed
from tests.real.fake_sysfs import FakeSysfs
from tests.real.mosquitto import Mosquitto

GIB = 1024**3
CONFIG = """\
[hub]
site = "bcp-south"
node = "lane1"
state = "state"
{more}
[[device]]
id = "trace-1"
driver = "trace.aci_pids3"
port = "/dev/ttyUSB0"

[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
usb = "1a86:7523"

[[device]]
id = "gamma-1"
driver = "radiation.atom_fast"
"""
PASSWD = "root:x:0:0::/:/bin/sh\ndevicehub:x:998:998::/var/lib/devicehub:/usr/sbin/nologin\n"
# Its own group is the only one that somebody who is not root can give a file to.
GROUPS = f"root:x:0:\ndevicehub:x:{os.getgid()}:devicehub\n"


@dataclass
class Computer:
    """Clean when it is made. `quality` and `free` are what no folder can hold."""

    root: Path
    quality: ClockQuality = field(default_factory=lambda: ClockQuality(synchronised=True))
    free: int = 100 * GIB
    now: float = 1_796_000_000.0
    network: bool = True

    def __post_init__(self) -> None:
        self.sysfs = FakeSysfs(self.root / "sys")
        self.sysfs.plug("1-2", "0403:6001", "A50285BI")
        self.sysfs.function("1-2", 0, "tty", "ttyUSB0")
        self.sysfs.function("1-2", 0, "bluetooth", "hci0")
        self.put("etc/passwd", PASSWD)
        self.put("etc/group", GROUPS)
        self.put(f"etc/udev/rules.d/{NAME}", rules())
        self.put("usr/libexec/bluetooth/bluetoothd", "")
        self.put("run/dbus/system_bus_socket", "")
        self.put("dev/ttyUSB0", "").chmod(0o660)
        os.chown(self.root / "dev/ttyUSB0", -1, os.getgid())
        self.configure()

    @property
    def file(self) -> Path:
        return self.root / "etc/devicehub/devicehub.toml"

    @property
    def state(self) -> Path:
        return self.file.parent / "state"

    def put(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def configure(self, more: str = "") -> None:
        self.put("etc/devicehub/devicehub.toml", CONFIG.format(more=more))

    def of_broker(self, broker: Mosquitto, more: str = "") -> None:
        """Use a broker that runs."""
        self.configure(f'[mqtt]\nurl = "mqtt://127.0.0.1:{broker.port}"\n{more}\n')

    def examined(self) -> list[Finding]:
        """What is found on it."""
        clock = Clock(utc=lambda: self.now)
        senses = Senses(clock, lambda: self.quality, lambda _: (200 * GIB, self.free))
        return examine(gather(self.file, self.root, senses, user="devicehub", network=self.network))

    def mended(self) -> list[str]:
        """Mend what can be mended; what was done."""
        return [mend(one.mend, self.root, Clock().ulid) for one in self.examined() if one.mend is not None]


def certificate(folder: Path, days: int) -> Path:
    """One of OpenSSL's that ends in so many days from now."""
    openssl = needed("openssl")
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days {days}".split()
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([openssl, *words, *files], check=True, capture_output=True)
    return folder / "certificate.pem"
