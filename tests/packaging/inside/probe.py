"""What a process may do in the sandbox of the unit, as JSON in the state folder. Runs in the hub's place."""

import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER = 0x10000000
NETLINK_KOBJECT_UEVENT = 15
ADJ_OFFSET = 1


class Timex(ctypes.Structure):
    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 400))


def tried(what: Callable[[], object]) -> str:
    try:
        return str(what())
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def opened(path: str, flags: int = os.O_RDWR) -> str:
    os.close(os.open(path, flags | os.O_NONBLOCK))
    return "open"


def written(path: str) -> str:
    return opened(path, os.O_WRONLY | os.O_CREAT)


def bound(port: int) -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", port))
        return "bound"


def made(family: int, kind: int, protocol: int = 0) -> str:
    socket.socket(family, kind, protocol).close()
    return "made"


def called(name: str, *words: object) -> str:
    if getattr(LIBC, name)(*words) < 0:
        raise OSError(ctypes.get_errno(), name)
    return "done"


def executable() -> str:
    import mmap

    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    return "mapped"


def named_on_bus() -> str:
    """Says hello to the system bus, behind which Bluetooth's service is."""
    import asyncio

    from dbus_fast import BusType
    from dbus_fast.aio import MessageBus

    async def ask() -> str:
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        name = bus.unique_name
        bus.disconnect()
        return "named" if name else "without a name"

    return asyncio.run(ask())


def usb() -> str:
    from usb.backend import libusb1

    return "loaded" if libusb1.get_backend() is not None else "not loaded"


def terminal() -> str:
    """As simulated serial devices are made."""
    ours, theirs = os.openpty()
    os.close(ours)
    os.close(theirs)
    return "opened"


EVERYTHING: dict[str, Callable[[], object]] = {
    "serial": lambda: opened("/dev/ttyS0"),
    "hidraw": lambda: opened("/dev/hidraw0"),
    "usb": lambda: opened("/dev/usb0"),
    "video": lambda: opened("/dev/video0"),
    "keyboard": lambda: opened("/dev/event0"),
    "disk": lambda: opened("/dev/loop0"),
    "fuse": lambda: opened("/dev/fuse"),
    "terminal": terminal,
    "program files": lambda: written("/usr/lib/devicehub/x"),
    "configuration": lambda: written("/etc/devicehub/x"),
    "home": lambda: os.listdir("/home"),
    "state": lambda: written("/var/lib/devicehub/x"),
    "temporary": lambda: written("/tmp/x"),
    "others' temporary": lambda: os.listdir("/tmp"),
    "others' processes": lambda: sorted(one for one in os.listdir("/proc") if one == "1"),
    "boot": lambda: len(open("/proc/sys/kernel/random/boot_id").read()),
    "page": lambda: bound(8480),
    "any port": lambda: bound(0),
    "privileged port": lambda: bound(80),
    "hot-plug": lambda: made(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT),
    "raw packets": lambda: made(socket.AF_PACKET, socket.SOCK_RAW),
    "bus": named_on_bus,
    "libusb": usb,
    "clock read": lambda: called("adjtimex", ctypes.byref(Timex())),
    "clock set": lambda: called("adjtimex", ctypes.byref(Timex(modes=ADJ_OFFSET))),
    "name space": lambda: called("unshare", CLONE_NEWUSER),
    "writable and executable": executable,
}

with open(os.path.join(os.environ["STATE_DIRECTORY"], "probe.json"), "w") as stream:
    json.dump({name: tried(what) for name, what in EVERYTHING.items()}, stream)
sys.exit(0)
