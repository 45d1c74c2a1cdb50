"""Checks of the way to the devices: permissions, udev, other programs that want them, USB, Bluetooth. Pure."""

from collections import Counter
from collections.abc import Iterator

from devicehub.doctor.facts import Facts, Node
from devicehub.doctor.findings import Allow, Finding, InstallRules, Level, MaskRules
from devicehub.driver import BleLink, SerialLink
from devicehub.transport.inventory import conflicts

HIGH_SPEED = 480.0
STREAMS = 2
"""Cameras of a high-speed bus: USB 2.0 reserves at most 80 % of it, and most cameras ask for half of that."""


def ports(facts: Facts) -> Iterator[Finding]:
    """Whether the hub may open the device files of its devices."""
    for node in facts.nodes:
        if node.mode is None:
            what = f"{node.path} is not there"
            remedy = "plug the device in and switch it on; 'devicehub devices scan' shows what is there"
            yield Finding(Level.WARN, "port", node.device, what, remedy)
        elif not node.open_to(facts.account):
            yield _closed(facts, node)


def _closed(facts: Facts, node: Node) -> Finding:
    account, mode = facts.account, node.mode or 0
    what = f"{node.path} (mode {mode & 0o777:04o}) may not be read and written by '{account.name}'"
    joined = account.group is not None and account.group in account.gids
    if not joined:
        remedy = f"sudo groupadd -rf devicehub && sudo usermod -aG devicehub {account.name}, and log in anew"
        return Finding(Level.FAIL, "port", node.device, what, remedy)
    remedy = "sudo devicehub doctor --fix gives it to the group devicehub, as the udev rules do"
    return Finding(Level.FAIL, "port", node.device, what, remedy, Allow(node.path, account.group or 0))


def udev(facts: Facts) -> Iterator[Finding]:
    """Whether udev knows our devices, and this version's of them."""
    wanted = _rules_of(facts.rules.wanted, _ids(facts))
    if not wanted:
        return
    remedy = "sudo devicehub doctor --fix installs this version's rules"
    mend = InstallRules(facts.rules.wanted)
    if facts.rules.installed is None:
        what = "there are no udev rules of devicehub: devices belong to others, and ModemManager may talk to them"
        yield Finding(Level.FAIL, "udev", "60-devicehub.rules", what, remedy, mend)
        return
    name, text = facts.rules.installed
    missing = wanted - set(text.splitlines())
    if missing:
        what = f"{name} is of another version: it lacks {len(missing)} rules of configured devices"
        yield Finding(Level.FAIL, "udev", "60-devicehub.rules", what, remedy, mend)


def modem_manager(facts: Facts) -> Iterator[Finding]:
    """Whether ModemManager may send commands for modems to serial devices."""
    known = "" if facts.rules.installed is None else facts.rules.installed[1]
    serial = [ids for name, ids in facts.ids.items() if isinstance(facts.drivers[name].link, SerialLink)]
    open_to_it = _rules_of(facts.rules.wanted, frozenset[str]().union(*serial)) - set(known.splitlines())
    if facts.system.modem_manager and open_to_it:
        what = "ModemManager is installed and not told to leave our serial devices alone: it sends them AT commands"
        remedy = "sudo devicehub doctor --fix installs the rules that tell it"
        yield Finding(Level.FAIL, "modemmanager", "ModemManager", what, remedy, InstallRules(facts.rules.wanted))


def brltty(facts: Facts) -> Iterator[Finding]:
    """Whether brltty takes a USB-serial bridge of ours for a braille display."""
    ours = _ids(facts)
    for file, ids in sorted(facts.system.claims.items()):
        if taken := sorted(ids & ours):
            what = f"brltty takes {', '.join(taken)} for a braille display, and its port vanishes"
            remedy = f"sudo devicehub doctor --fix masks {file}, unless somebody needs it: then give it another port"
            yield Finding(Level.FAIL, "brltty", file, what, remedy, MaskRules(file))


def bluetooth(facts: Facts) -> Iterator[Finding]:
    """Whether Bluetooth devices can be reached at all."""
    devices = sorted(name for name, driver in facts.drivers.items() if isinstance(driver.link, BleLink))
    if not devices:
        return
    subject = ", ".join(devices)
    if not facts.system.bluez:
        what = "BlueZ is not installed, through which Bluetooth devices are reached"
        yield Finding(Level.FAIL, "bluetooth", subject, what, "sudo apt install bluez")
    elif not facts.system.bus:
        what = "the system's D-Bus does not run, over which BlueZ is spoken to"
        yield Finding(Level.FAIL, "bluetooth", subject, what, "sudo systemctl enable --now dbus bluetooth")
    elif not facts.system.adapters:
        what = "there is no Bluetooth adapter"
        yield Finding(Level.FAIL, "bluetooth", subject, what, "plug one in; 'rfkill list' shows whether it is off")


def twins(facts: Facts) -> Iterator[Finding]:
    """Whether two devices say that they are the same."""
    ours = _ids(facts)
    for one in conflicts(facts.present):
        if str(one.usb) in ours:
            serial = f"serial number {one.serial}" if one.serial else "no serial number"
            sockets = ", ".join(sorted({device.port for device in one.devices}))
            what = f"devices {one.usb} with {serial} are in several sockets: {sockets}"
            yield Finding(Level.FAIL, "twins", str(one.usb), what, "give 'port' of each [[device]] to tell them apart")


def bandwidth(facts: Facts) -> Iterator[Finding]:
    """Whether cameras share a bus that cannot carry them."""
    buses = Counter(one.bus for one in facts.cameras if one.speed <= HIGH_SPEED)
    for bus, count in sorted(buses.items()):
        if count > STREAMS:
            what = f"{count} cameras share one USB 2 bus, which carries {STREAMS}: the others get no picture"
            yield Finding(Level.WARN, "usb", bus, what, "move one to a socket of another controller")
    for one in facts.cameras:
        if one.speed < HIGH_SPEED:
            what = f"{one.node} runs at {one.speed:g} Mbit/s, too slow for pictures"
            yield Finding(Level.WARN, "usb", one.node, what, "use another cable, socket or hub")


def _ids(facts: Facts) -> frozenset[str]:
    return frozenset[str]().union(*facts.ids.values())


def _rules_of(text: str, ids: frozenset[str]) -> set[str]:
    """The lines of rules that are of those USB ids."""
    keys = [(f'{{idVendor}}=="{one[:4]}"', f'{{idProduct}}=="{one[5:]}"') for one in ids]
    return {line for line in text.splitlines() if any(vendor in line and product in line for vendor, product in keys)}
