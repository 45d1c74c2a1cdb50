"""The inventory of plugged devices against a model of a system whose events are late and out of order."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.device import UsbId
from devicehub.transport.inventory import Arrival, Change, Departure, Inventory, Key, Kind, Present, Snapshot, conflicts

PATHS = ("/devices/usb1/1-1", "/devices/usb1/1-2", "/devices/usb1/1-2/1-2:1.0/tty/ttyACM0")


def device(path: str = PATHS[0], devnum: int = 1, serial: str = "A1", port: str = "") -> Present:
    return Present(
        kind=Kind.USB,
        key=Key(path, devnum),
        usb=UsbId(0x0403, 0x6001),
        serial=serial,
        port=port or path,
    )


@dataclass
class World:
    """A system: what is plugged in, and the events that were sent and are not delivered yet."""

    plugged: dict[str, Present] = field(default_factory=dict)
    dying: set[str] = field(default_factory=set)
    sent: list[tuple[str, bool]] = field(default_factory=list)
    devnum: int = 0

    def plug(self, path: str) -> None:
        if path not in self.plugged:
            self.devnum += 1
            # The same device in the same socket: path and serial number say nothing about the stay.
            self.plugged[path] = device(path, self.devnum)
            self.sent.append((path, False))

    def unplug(self, path: str) -> None:
        if path in self.plugged and path not in self.dying:
            self.sent.append((path, True))
            self.dying.add(path)

    def bury(self) -> None:
        """The kernel says first that a device goes, and removes it from sysfs afterwards."""
        for path in self.dying:
            del self.plugged[path]
        self.dying.clear()

    def deliver(self, which: int) -> Change | None:
        if not self.sent:
            return None
        path, removal = self.sent.pop(which % len(self.sent))
        return Change(path, self.plugged.get(path), removal)

    def snapshot(self) -> Snapshot:
        return Snapshot(tuple(self.plugged.values()))


actions = st.lists(
    st.one_of(
        st.tuples(st.just("plug"), st.integers(0, len(PATHS) - 1)),
        st.tuples(st.just("unplug"), st.integers(0, len(PATHS) - 1)),
        st.tuples(st.just("bury"), st.just(0)),
        st.tuples(st.just("deliver"), st.integers(0, 50)),
        st.tuples(st.just("look"), st.just(0)),
    ),
    max_size=60,
)


def play(played: list[tuple[str, int]], *, slow_kernel: bool) -> tuple[World, Inventory, list[Arrival | Departure]]:
    world, inventory, seen = World(), Inventory(), []
    for action, number in played:
        event: Change | Snapshot | None = None
        if action == "plug":
            world.plug(PATHS[number])
        elif action == "unplug":
            world.unplug(PATHS[number])
        elif action == "deliver":
            event = world.deliver(number)
        elif action == "look":
            event = world.snapshot()
        if action == "bury" or not slow_kernel:
            world.bury()
        if event is not None:
            seen.extend(inventory.apply(event))
    return world, inventory, seen


def check_pairs(seen: list[Arrival | Departure], inventory: Inventory) -> None:
    """Every stay arrives once and departs at most once, afterwards; what has not departed is present."""
    there: dict[Key, Present] = {}
    ever = set()
    for event in seen:
        if isinstance(event, Arrival):
            assert event.device.key not in ever, "the same stay arrived twice"
            ever.add(event.device.key)
            there[event.device.key] = event.device
        else:
            assert there.pop(event.device.key) == event.device
    assert sorted(there) == [present.key for present in inventory.present]


@given(actions, st.randoms())
@settings(deadline=None)
def test_once_every_event_is_delivered_in_any_order_the_inventory_is_true(
    played: list[tuple[str, int]], random: Random
) -> None:
    world, inventory, seen = play(played, slow_kernel=False)
    while (event := world.deliver(random.randrange(1000))) is not None:
        seen.extend(inventory.apply(event))
    check_pairs(seen, inventory)
    assert set(inventory.present) == set(world.plugged.values())


@given(actions)
@settings(deadline=None)
def test_a_look_at_everything_makes_it_true_whatever_was_lost(played: list[tuple[str, int]]) -> None:
    world, inventory, seen = play(played, slow_kernel=True)
    world.bury()
    seen.extend(inventory.apply(world.snapshot()))
    check_pairs(seen, inventory)
    assert set(inventory.present) == set(world.plugged.values())
    assert inventory.apply(world.snapshot()) == []


def test_a_late_removal_does_not_tear_the_new_device_down() -> None:
    """Replug: add of the new device, then the remove of the old one, describing the new one."""
    inventory = Inventory()
    old, new = device(devnum=5), device(devnum=6)
    inventory.apply(Change(PATHS[0], old))
    assert inventory.apply(Change(PATHS[0], new)) == [Departure(old), Arrival(new)]
    assert inventory.apply(Change(PATHS[0], new, removal=True)) == []
    assert inventory.present == (new,)


def test_a_removal_delivered_when_the_new_device_stands_there_departs_the_old_one_only() -> None:
    inventory = Inventory()
    old, new = device(devnum=5), device(devnum=6)
    inventory.apply(Change(PATHS[0], old))
    assert inventory.apply(Change(PATHS[0], new, removal=True)) == [Departure(old)]
    assert inventory.apply(Change(PATHS[0], new)) == [Arrival(new)]


def test_a_device_without_usb_that_came_back_is_told_apart_by_its_sysfs_folder() -> None:
    inventory = Inventory()
    path = "/devices/platform/serial8250/tty/ttyS1"
    old, new = (Present(kind=Kind.SERIAL, key=Key(path, 0, inode)) for inode in (11, 12))
    inventory.apply(Change(path, old))
    assert inventory.apply(Change(path, new)) == [Departure(old), Arrival(new)]


def test_events_about_nothing_of_ours_do_nothing() -> None:
    inventory = Inventory()
    assert inventory.apply(Change("/devices/usb1/1-9", None)) == []
    assert inventory.apply(Change("/devices/usb1/1-9", None, removal=True)) == []
    assert inventory.present == ()


def test_two_devices_with_one_serial_number_are_a_conflict_and_both_kept() -> None:
    inventory = Inventory()
    twins = (device(PATHS[0], 5), device(PATHS[1], 6))
    inventory.apply(Snapshot((*twins, device("/devices/usb1/1-3", 7, serial="other"))))
    (conflict,) = conflicts(inventory.present)
    assert (conflict.usb, conflict.serial, conflict.devices) == (UsbId(0x0403, 0x6001), "A1", twins)
    assert len(inventory.present) == 3


def test_devices_without_a_serial_number_conflict_too() -> None:
    (conflict,) = conflicts([device(PATHS[0], 5, serial=""), device(PATHS[1], 6, serial="")])
    assert conflict.serial == ""


def test_the_nodes_of_one_composite_device_are_no_conflict() -> None:
    nodes = [device(f"{PATHS[0]}/1-1:1.{number}/tty/ttyACM{number}", 5, port=PATHS[0]) for number in (0, 2)]
    assert conflicts([device(PATHS[0], 5), *nodes]) == []
    assert conflicts([Present(kind=Kind.BLE_ADAPTER, key=Key(f"/hci{number}")) for number in (0, 1)]) == []
