"""A whole hub and the computer's own USB: devices come, are read, raise alarms, are yanked, and come back."""

import asyncio
import os
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from devicehub.clock import since_boot
from devicehub.model.message import Kind
from devicehub.registry import load_simulator
from simulators.radiation.radiacode_usb import RadiaCodeUsbSim
from tests.torture.shim import MORE
from tests.vm.gadget import Gadget
from tests.vm.inside.workplace import LOST, READY, Workplace, detector, workplace
from tests.vm.serial_gadgets import acm, cp210x
from tests.vm.sockets import Plugged
from tests.vm.usb_gadgets import WithKeyboard, barcode_reader, usb_device

pytestmark = [pytest.mark.vm, pytest.mark.asyncio(loop_scope="module")]

# The usual run shares its computer with others; the long one has it for itself, and shows what a device takes.
NOTICED = 2.0 if MORE > 1 else 25.0
SOON = 3.0 if MORE > 1 else 25.0
# The kernel asks one new device after another for its descriptors, for half a second each in an emulated processor.
TOGETHER = 6.0 if MORE > 1 else 60.0
ROUNDS = 2 if MORE == 1 else 10 * MORE
# asyncio's own pool starts a thread only where none of its own is idle, so that a few more than before say that looks
# met, not that devices left them behind: 4 devices would leave 4 a round. In the long run the pool is as large as it gets.
MET = ROUNDS if MORE == 1 else 1
AGAIN = 3
USB = Path("/sys/bus/usb/devices")
LATE = Path("/run/udev/rules.d/00-late.rules")
TOLD = Path("/run/removals-told")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workplace]:
    async with workplace(tmp_path_factory.mktemp("workplace")) as place:
        yield place


async def test_a_detector_is_read_raises_its_alarm_and_goes_on_in_another_socket(place: Workplace) -> None:
    simulator = detector()
    gadget = acm(simulator, serial="A-1")
    plugged, _ = await place.plugged("vapour", gadget, 0)
    await place.more_readings("vapour")
    place.sockets.do(lambda: simulator.do("vapour", ppm=160.0))
    alarm = await place.ears.first(Kind.EVENT, "alarm-raised")
    assert alarm.body["subject"] == "vapour/voc-high"
    await place.yanked("vapour", plugged)
    plugged, seconds = await place.plugged("vapour", gadget, 4)
    await place.more_readings("vapour")
    assert seconds < SOON
    await place.yanked("vapour", plugged)


@pytest.fixture
def late_removals() -> Iterator[None]:
    """udev tells that a port is gone a second after it is: it runs this before it tells anybody, and notes when."""
    LATE.write_text(f'ACTION=="remove", SUBSYSTEM=="tty", RUN+="/bin/sh -c \'sleep 1; cat /proc/uptime >>{TOLD}\'"\n')
    subprocess.run(["udevadm", "control", "--reload"], check=True)
    yield
    LATE.unlink()
    subprocess.run(["udevadm", "control", "--reload"], check=True)


def _removals() -> list[float]:
    """When they were told, in seconds since the start of the machine."""
    return [float(line.split()[0]) for line in TOLD.read_text().splitlines()]


async def test_a_device_that_is_back_before_its_going_was_told_is_neither_lost_again_nor_overlooked(
    place: Workplace, late_removals: None
) -> None:
    gadget = acm(detector(), serial="A-1")
    known = len(place.told("vapour"))
    plugged, _ = await place.plugged("vapour", gadget, 1)
    back: list[float] = []
    for count in range(1, AGAIN + 1):
        place.sockets.unplug(plugged)
        plugged = place.sockets.plug(gadget, 1)
        back.append(since_boot())
        await place.until_told("vapour", [READY, *[LOST, READY] * count], known)
    await asyncio.to_thread(os.system, "udevadm settle --timeout=20")
    await place.more_readings("vapour")
    assert place.told("vapour")[known:] == [READY, *[LOST, READY] * AGAIN]
    assert all(told > plug for told, plug in zip(_removals()[-AGAIN:], back, strict=True)), "they were not late"
    await place.yanked("vapour", plugged)


async def test_two_devices_with_one_serial_number_are_told_of_and_kept_apart_by_their_sockets(
    place: Workplace,
) -> None:
    hot, cold = RadiaCodeUsbSim(Random(1)), RadiaCodeUsbSim(Random(2))
    hot.do("source", rate=50.0)
    right, _ = await place.plugged("right", usb_device(cold), 11)
    left, _ = await place.plugged("left", usb_device(hot), 10)
    conflict = await place.ears.first(Kind.EVENT, "hub-conflict")
    assert "serial number RC-102-000123 are in several sockets" in str(conflict.data["why"])
    doses = {}
    for device in ("left", "right"):
        reading = await place.ears.first(Kind.READING, f"{device}/dose-rate")
        doses[device] = float(reading.data["value"])
    assert doses["left"] > 10 * doses["right"]
    await place.yanked("left", left)
    await place.more_readings("right")
    assert place.told("right")[-1] == READY
    await place.yanked("right", right)


async def test_a_scanner_that_comes_back_with_a_keyboard_is_read_and_the_keyboard_left_to_the_system(
    place: Workplace,
) -> None:
    simulator = barcode_reader()
    plugged, _ = await place.plugged("scanner", usb_device(simulator), 6)
    await place.yanked("scanner", plugged)
    plugged, _ = await place.plugged("scanner", usb_device(WithKeyboard(simulator)), 6)
    place.sockets.do(lambda: simulator.do("scan", symbology="qr-code", data="SPECIMEN"))
    await place.ears.first(Kind.SCAN, "scanner")
    assert (USB / "1-7:1.0" / "driver").readlink().name == "usbfs"
    assert (USB / "1-7:1.1" / "driver").readlink().name == "usbhid"
    await place.yanked("scanner", plugged)


async def test_a_device_that_restarts_when_its_port_is_opened_is_given_the_time_for_it(place: Workplace) -> None:
    simulator, raised = detector(), list[float]()

    def restart() -> None:
        raised.append(since_boot())
        simulator.do("mute", seconds=5.0)

    plugged, seconds = await place.plugged("restarting", acm(simulator, serial="R-1", raised=restart), 7)
    await place.more_readings("restarting")
    assert len(raised) == 1, "it was opened once"
    assert seconds > 5.0
    await place.yanked("restarting", plugged)


def _held(process: int) -> tuple[Counter[str], int]:
    """What the descriptors of a process are, without numbers, and how many threads it has.

    The least of some looks: a file that is read and closed meanwhile is not held.
    """
    folder = Path(f"/proc/{process}")
    names = min((_open_files(folder / "fd") for _ in range(20)), key=len)
    return Counter(re.sub(r"\d+", "N", name) for name in names), len(list((folder / "task").iterdir()))


def _open_files(folder: Path) -> list[str]:
    names = []
    for one in folder.iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            names.append(str(one.readlink()))
    return names


Gadgets = dict[str, tuple[Gadget, int]]


class Rounds:
    """Four devices that are plugged in are yanked and plugged in again: one by one, then all at once, and so on."""

    def __init__(self, place: Workplace, gadgets: Gadgets) -> None:
        self.place = place
        self.gadgets = gadgets
        self.plugged: dict[str, Plugged] = {}
        self.alone: list[float] = []
        self.lost: list[float] = []
        self.together: list[float] = []

    async def play(self, rounds: int) -> None:
        for number in range(rounds):
            await (self._together() if number % 2 else self._one_by_one())

    async def _one_by_one(self) -> None:
        for device, where in self.gadgets.items():
            self.lost.append(await self.place.yanked(device, self.plugged[device]))
            self.plugged[device], took = await self.place.plugged(device, *where)
            self.alone.append(took)

    async def _together(self) -> None:
        await asyncio.gather(*(self.place.yanked(device, one) for device, one in self.plugged.items()))
        back = await asyncio.gather(*(self.place.plugged(device, *self.gadgets[device]) for device in self.gadgets))
        self.plugged = dict(zip(self.gadgets, (one for one, _ in back), strict=True))
        self.together += [took for _, took in back]


def four() -> Gadgets:
    """A device for each of the kernel's drivers and for libusb, and the sockets that they go into."""
    counter = load_simulator("radiation.gq_gmc")(Random(1))
    return {
        "vapour": (acm(detector(), serial="A-1"), 0),
        "counter": (cp210x(counter, serial="C-1"), 1),  # type: ignore[arg-type]  # a serial one
        "gamma": (usb_device(RadiaCodeUsbSim(Random(1))), 2),
        "scanner": (usb_device(barcode_reader()), 6),
    }


async def test_devices_that_come_and_go_leave_nothing_behind_and_each_time_is_told_once(place: Workplace) -> None:
    known = {device: len(place.told(device)) for device in four()}
    rounds = Rounds(place, four())
    for device, where in rounds.gadgets.items():
        rounds.plugged[device], _ = await place.plugged(device, *where)
    before = _held(place.hub.pid)
    await rounds.play(ROUNDS // 2 if MORE > 1 else 0)
    half = _held(place.hub.pid)
    await rounds.play(ROUNDS - (ROUNDS // 2 if MORE > 1 else 0))
    after = _held(place.hub.pid)
    for how, took in (("alone", rounds.alone), ("together", rounds.together)):
        print(f"{len(took)} times back {how} after {sum(took) / len(took):.1f} s, {max(took):.1f} s at most")
    print(f"told lost after {sum(rounds.lost) / len(rounds.lost):.1f} s, {max(rounds.lost):.1f} s at most")
    print(f"threads: {before[1]} before, {half[1]} after half of it, {after[1]} at the end")
    assert {device: place.told(device)[known[device] :] for device in known} == {
        device: [READY, *[LOST, READY] * ROUNDS] for device in known
    }
    assert after[0] - before[0] == Counter()
    assert after[1] <= half[1] + MET
    assert max(rounds.lost) < NOTICED
    assert max(rounds.alone) < SOON
    assert max(rounds.together) < TOGETHER
    for device, one in rounds.plugged.items():
        await place.yanked(device, one)
