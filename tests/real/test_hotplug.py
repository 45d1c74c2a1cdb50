"""Hot-plug on a sysfs tree in a folder, with events over a real socket, by looking only, and from the real kernel."""

import asyncio
import contextlib
import errno
import os
import select
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.model.device import UsbId
from devicehub.transport.hotplug import HotPlug, NetlinkSource, Uevent
from devicehub.transport.inventory import Arrival, Departure, Kind, Present, conflicts
from devicehub.transport.sysfs import read_device, snapshot
from tests.patience import PATIENCE
from tests.real.fake_sysfs import FakeSysfs

pytestmark = pytest.mark.real


class SocketSource:
    """Uevents over a socket pair. `overflow` behaves as a netlink socket whose buffer was too small."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.settimeout(0)

    def send(self, action: str, path: str) -> None:
        self._theirs.send(f"{action} {path}".encode())

    def overflow(self, code: int = errno.ENOBUFS) -> None:
        self._theirs.send(f"error {code}".encode())

    def waiting(self) -> bool:
        """Whether something that was sent has not been taken yet."""
        return bool(select.select([self._ours], [], [], 0)[0])

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()

    def fileno(self) -> int:
        return self._ours.fileno()

    def drain(self) -> list[Uevent]:
        out = []
        with contextlib.suppress(BlockingIOError):
            while True:
                action, path = self._ours.recv(4096).decode().split(" ", 1)
                if action == "error":
                    raise OSError(int(path), os.strerror(int(path)))
                out.append(Uevent(action, path))
        return out


@pytest.fixture
def sysfs(tmp_path: Path) -> FakeSysfs:
    return FakeSysfs(tmp_path / "sys")


@pytest.fixture
def source() -> Iterator[SocketSource]:
    made = SocketSource()
    yield made
    made.close()


class Watcher:
    """Reads a hot-plug's events."""

    def __init__(self, hotplug: HotPlug) -> None:
        self._events = hotplug.events()

    async def next(self) -> Arrival | Departure:
        return await asyncio.wait_for(anext(self._events), PATIENCE)

    async def start(self) -> Present:
        """The real UART is all that this machine has at first."""
        event = await self.next()
        assert isinstance(event, Arrival)
        assert event.device.node == "/dev/ttyS1"
        return event.device


@contextlib.asynccontextmanager
async def watching(hotplug: HotPlug) -> AsyncIterator[Watcher]:
    watcher = Watcher(hotplug)
    try:
        yield watcher
    finally:
        await watcher._events.aclose()  # type: ignore[attr-defined]


def test_a_snapshot_leaves_out_hubs_consoles_empty_uarts_and_virtual_inputs(sysfs: FakeSysfs) -> None:
    assert [present.node for present in snapshot(sysfs.root)] == ["/dev/ttyS1"]


def test_a_serial_port_carries_its_usb_identity_interface_and_socket(sysfs: FakeSysfs) -> None:
    port = sysfs.plug("1-2", "1a86:55d3", "W7")
    path = sysfs.function("1-2", 2, "tty", "ttyACM0")
    device = read_device(sysfs.root, path)
    assert device is not None
    assert (device.kind, device.usb, device.serial) == (Kind.SERIAL, UsbId(0x1A86, 0x55D3), "W7")
    assert (device.node, device.interface, device.port) == ("/dev/ttyACM0", 2, port)
    assert (device.key.path, device.key.devnum) == (path, 2)


@pytest.mark.parametrize(
    ("subsystem", "node", "kind", "opened"),
    [
        ("video4linux", "video0", Kind.VIDEO, "/dev/video0"),
        ("hidraw", "hidraw0", Kind.INPUT, "/dev/hidraw0"),
        ("bluetooth", "hci0", Kind.BLE_ADAPTER, "hci0"),
    ],
)
def test_every_kind_of_function_is_seen(sysfs: FakeSysfs, subsystem: str, node: str, kind: Kind, opened: str) -> None:
    sysfs.plug("1-2")
    sysfs.function("1-2", 0, subsystem, node)
    sysfs.function("1-2", 1, "bluetooth", "hci0:64")
    found = [(present.kind, present.node) for present in snapshot(sysfs.root) if present.port]
    assert found == [(Kind.USB, ""), (kind, opened)]


def test_two_sockets_with_one_serial_number_are_a_conflict(sysfs: FakeSysfs) -> None:
    for port in ("1-2", "1-3"):
        sysfs.plug(port)
        sysfs.function(port, 0, "tty", f"ttyUSB{port[-1]}")
    (conflict,) = conflicts(snapshot(sysfs.root))
    assert [present.node for present in conflict.devices] == ["", "/dev/ttyUSB2", "", "/dev/ttyUSB3"]


async def test_plugging_and_unplugging_is_told_once_each(sysfs: FakeSysfs, source: SocketSource) -> None:
    hotplug = HotPlug(Clock(), source, root=sysfs.root)
    async with watching(hotplug) as watcher:
        uart = await watcher.start()
        sysfs.plug()
        tty = sysfs.function("1-2", 0, "tty", "ttyUSB0")
        for action in ("add", "bind", "change"):
            source.send(action, tty)
        arrival = await watcher.next()
        assert isinstance(arrival, Arrival)
        assert arrival.device.node == "/dev/ttyUSB0"
        sysfs.unplug()
        source.send("remove", tty)
        assert await watcher.next() == Departure(arrival.device)
        assert hotplug.present == (uart,)


async def test_the_late_removal_of_a_fast_replug_leaves_the_new_device_alone(
    sysfs: FakeSysfs, source: SocketSource
) -> None:
    hotplug = HotPlug(Clock(), source, root=sysfs.root)
    async with watching(hotplug) as watcher:
        await watcher.start()
        path = sysfs.plug()
        source.send("add", path)
        old = (await watcher.next()).device
        sysfs.unplug()
        sysfs.plug()
        source.send("add", path)
        source.send("remove", path)
        assert await watcher.next() == Departure(old)
        new = (await watcher.next()).device
        assert (new.serial, new.key.devnum) == (old.serial, old.key.devnum + 1)
        # The removal has been handled too when the next event comes, and it did nothing.
        source.send("add", sysfs.plug("1-5"))
        assert (await watcher.next()).device.port.endswith("1-5")
        assert new in hotplug.present


async def test_a_removal_told_before_sysfs_shows_it_is_looked_at_again(sysfs: FakeSysfs, source: SocketSource) -> None:
    hotplug = HotPlug(Clock(), source, root=sysfs.root)
    async with watching(hotplug) as watcher:
        await watcher.start()
        path = sysfs.plug()
        source.send("add", path)
        there = (await watcher.next()).device
        source.send("remove", path)
        pending = asyncio.create_task(watcher.next())
        while source.waiting():
            await Clock().sleep(0)
        sysfs.unplug()
        assert await pending == Departure(there)


async def test_lost_uevents_make_it_look_at_everything(sysfs: FakeSysfs, source: SocketSource) -> None:
    hotplug = HotPlug(Clock(), source, root=sysfs.root)
    async with watching(hotplug) as watcher:
        await watcher.start()
        sysfs.plug()
        source.overflow()
        assert (await watcher.next()).device.serial == "A1"


@pytest.mark.parametrize("how", ["no source", "a source that breaks"])
async def test_without_uevents_it_looks_at_intervals(sysfs: FakeSysfs, source: SocketSource, how: str) -> None:
    hotplug = HotPlug(Clock(), source if how != "no source" else None, root=sysfs.root, interval=0.02)
    async with watching(hotplug) as watcher:
        await watcher.start()
        source.overflow(errno.EBADF)
        sysfs.plug()
        there = await watcher.next()
        assert isinstance(there, Arrival)
        sysfs.unplug()
        assert await watcher.next() == Departure(there.device)


async def test_the_real_kernel_can_be_listened_to() -> None:
    try:
        netlink = NetlinkSource("kernel")
    except (ImportError, OSError) as error:
        pytest.skip(f"no uevents on this machine: {error}")
    descriptor = netlink.fileno()
    assert os.fstat(descriptor)
    assert all(uevent.path.startswith("/devices/") for uevent in netlink.drain())
    hotplug = HotPlug(Clock(), netlink)
    expected = snapshot(Path("/sys"))
    async with watching(hotplug) as watcher:
        assert {(await watcher.next()).device for _ in expected} == set(expected)
    del netlink, hotplug, watcher
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
