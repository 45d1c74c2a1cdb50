"""A sysfs tree in a folder, laid out as the kernel lays it out, for plugging and unplugging by hand."""

import shutil
from pathlib import Path

USB_ROOT = "devices/pci0000:00/0000:00:14.0/usb1"


class FakeSysfs:
    """Starts as a machine with a USB controller, an empty UART, a real one, consoles and a keyboard port."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.devnum = 1
        self._links: dict[Path, Path] = {}
        self._device(USB_ROOT, "bus/usb", idVendor="1d6b", idProduct="0002", bDeviceClass="09", devnum="1")
        self._link("bus/usb/devices/usb1", USB_ROOT)
        for name, kind in (("ttyS0", "0"), ("ttyS1", "4")):
            self._class("tty", f"devices/platform/serial8250/tty/{name}", type=kind)
        self._class("tty", "devices/virtual/tty/tty1")
        self._class("input", "devices/virtual/input/input0/event0")

    def plug(self, port: str = "1-2", ids: str = "0403:6001", serial: str = "A1") -> str:
        """A USB device in a socket, without functions; its path."""
        self.devnum += 1
        vendor, product = ids.split(":")
        facts = {"idVendor": vendor, "idProduct": product, "bDeviceClass": "00", "devnum": str(self.devnum)}
        if serial:
            facts["serial"] = serial
        self._device(f"{USB_ROOT}/{port}", "bus/usb", **facts)
        self._link(f"bus/usb/devices/{port}", f"{USB_ROOT}/{port}")
        return f"/{USB_ROOT}/{port}"

    def function(self, port: str, interface: int, subsystem: str, node: str) -> str:
        """A function of a plugged device: its interface and what the driver made of it; its path."""
        folder = f"{USB_ROOT}/{port}/{port}:1.{interface}"
        if not (self.root / folder).exists():
            self._device(folder, "bus/usb", bInterfaceNumber=f"{interface:02x}")
            self._link(f"bus/usb/devices/{port}:1.{interface}", folder)
        return self._class(subsystem, f"{folder}/{subsystem}/{node}")

    def unplug(self, port: str = "1-2") -> None:
        """Take a device out of its socket: its folders and all links to them go."""
        gone = self.root / USB_ROOT / port
        for link in [link for link, target in self._links.items() if target == gone or gone in target.parents]:
            link.unlink()
            del self._links[link]
        shutil.rmtree(gone)

    def _class(self, subsystem: str, path: str, **files: str) -> str:
        name = path.rpartition("/")[2]
        self._device(path, f"class/{subsystem}", uevent=f"MAJOR=166\nMINOR=0\nDEVNAME={name}\n", **files)
        self._link(f"class/{subsystem}/{name}", path)
        return f"/{path}"

    def _device(self, path: str, subsystem: str, **files: str) -> None:
        folder = self.root / path
        folder.mkdir(parents=True)
        (self.root / subsystem).mkdir(parents=True, exist_ok=True)
        (folder / "subsystem").symlink_to(self.root / subsystem)
        for name, content in files.items():
            (folder / name).write_text(f"{content}\n")

    def _link(self, path: str, target: str) -> None:
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(self.root / target)
        self._links[link] = self.root / target
