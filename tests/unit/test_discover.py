"""Which drivers fit hardware that is present."""

import re

from devicehub.discover import Descriptor, Kind, by_bytes, candidates, descriptors
from devicehub.driver import BleLink, Driver, Link, SerialLink, UsbLink, VideoFormat, VideoLink
from devicehub.model.device import Category, Channel, UsbId
from devicehub.registry import driver_names, load_driver
from devicehub.transport.inventory import Key, Present
from devicehub.transport.inventory import Kind as PresentKind
from devicehub.transport.serial_ports import SerialPort
from devicehub.wire.packet import Packet
from tests.conformance import recorded_packets

OWN, BRIDGE = UsbId(0x289D, 0x0010), UsbId(0x0403, 0x6001)
FORMATS = (VideoFormat("MJPG", 640, 480, 30),)


def driver(name: str, link: Link) -> Driver:
    return Driver(name=name, title=name, category=Category.TRACE, link=link, channels=(Channel(name="a", title="a"),))


DRIVERS = [
    driver("serial", SerialLink(usb=(OWN, BRIDGE))),
    driver("usb", UsbLink(ids=(OWN,))),
    driver("camera", VideoLink(formats=FORMATS, ids=(OWN,))),
    driver("any-camera", VideoLink(formats=FORMATS)),
    driver("ble-name", BleLink(notify=(), name="Atom")),
    driver("ble-service", BleLink(notify=(), service="FFE0")),
]


def fits(**facts: object) -> list[tuple[str, float]]:
    descriptor = Descriptor(place="x", **facts)  # type: ignore[arg-type]  # each test gives the right ones
    return [(one.driver, one.score) for one in candidates(descriptor, DRIVERS)]


def test_an_own_usb_id_speaks_for_a_driver_of_the_same_link() -> None:
    assert fits(kind=Kind.SERIAL, usb=OWN) == [("serial", 0.9)]
    assert fits(kind=Kind.USB, usb=OWN) == [("usb", 0.9)]
    assert fits(kind=Kind.VIDEO, usb=OWN) == [("camera", 0.9), ("any-camera", 0.3)]


def test_a_bridge_says_little_about_what_is_behind_it() -> None:
    assert fits(kind=Kind.SERIAL, usb=BRIDGE) == [("serial", 0.4)]


def shipped(usb: UsbId) -> list[tuple[str, float]]:
    drivers = [load_driver(name) for name in driver_names()]
    return [(one.driver, one.score) for one in candidates(Descriptor(kind=Kind.SERIAL, place="x", usb=usb), drivers)]


def test_what_hangs_on_a_bridge_that_several_shipped_devices_have_stays_open() -> None:
    assert shipped(UsbId(0x1A86, 0x7523)) == [("radiation.gq_gmc", 0.4), ("thermal.gy_mcu90640", 0.4)]


def test_shipped_device_files_are_suggested_by_ids_of_their_makers() -> None:
    assert shipped(UsbId(0x1EAB, 0x8306)) == shipped(UsbId(0x1EAB, 0x0C06)) == [("scanner.newland", 0.9)]
    assert shipped(UsbId(0x2A5A, 0x01D3)) == [("radiation.kromek_d3s", 0.9)]
    assert shipped(UsbId(0x2A5A, 0x0046)) == [("radiation.kromek_d5", 0.9)]


def test_an_unknown_device_fits_nothing() -> None:
    assert not fits(kind=Kind.SERIAL)
    assert not fits(kind=Kind.USB, usb=UsbId(1, 2))
    assert not fits(kind=Kind.BLE, title="Phone")


def test_a_peripheral_is_known_by_service_or_name() -> None:
    assert fits(kind=Kind.BLE, title="AtomFast-3") == [("ble-name", 0.7)]
    assert fits(kind=Kind.BLE, title="AtomFast-3", services=("ffe0",)) == [("ble-service", 0.9), ("ble-name", 0.7)]


def test_a_usb_device_is_listed_once_as_what_it_is_used_as() -> None:
    present = [
        Present(kind=PresentKind.USB, key=Key("/devices/usb1/1-1", 4), usb=BRIDGE),
        Present(
            kind=PresentKind.SERIAL, key=Key("/devices/usb1/1-1/tty"), port="/devices/usb1/1-1", node="/dev/ttyUSB0"
        ),
        Present(kind=PresentKind.USB, key=Key("/devices/usb1/1-2.3", 5), usb=OWN, serial="7"),
        Present(kind=PresentKind.VIDEO, key=Key("/devices/x"), node="/dev/video0"),
    ]
    found = descriptors([SerialPort("/dev/serial/by-id/x", "/dev/ttyUSB0", BRIDGE)], present)
    assert [(one.kind, one.place) for one in found] == [
        (Kind.SERIAL, "/dev/serial/by-id/x"),
        (Kind.VIDEO, "/dev/video0"),
        (Kind.USB, "1-2.3"),
    ]


def test_a_camera_that_is_asked_beside_its_stream_is_listed_as_both() -> None:
    present = [
        Present(kind=PresentKind.USB, key=Key("/devices/usb1/1-2", 4), usb=OWN),
        Present(kind=PresentKind.VIDEO, key=Key("/devices/x"), port="/devices/usb1/1-2", node="/dev/video0", usb=OWN),
        Present(kind=PresentKind.USB, key=Key("/devices/usb1/1-3", 5), usb=BRIDGE),
        Present(kind=PresentKind.SERIAL, key=Key("/devices/usb1/1-3/tty"), port="/devices/usb1/1-3", usb=BRIDGE),
    ]
    drivers = [*DRIVERS, driver("beside", UsbLink(ids=(OWN, BRIDGE), interfaces=()))]
    camera, asked, bridge = descriptors([], present, drivers)
    assert [(one.kind, one.place) for one in (camera, asked)] == [(Kind.VIDEO, "/dev/video0"), (Kind.USB, "1-2")]
    assert bridge.place == "1-3"
    assert [one.driver for one in candidates(camera, drivers)] == ["camera", "any-camera"]
    why = {one.driver: one.why for one in candidates(asked, drivers)}
    assert why == {"beside": "USB id 289d:0010, beside the kernel's driver", "usb": "USB id 289d:0010"}
    assert [one.place for one in descriptors([], present, DRIVERS)] == ["/dev/video0"]


def test_what_a_device_says_unasked_names_the_drivers_that_understand_it() -> None:
    """Frames of a thermal array, with noise before them."""
    drivers = [load_driver(name) for name in driver_names()]
    packets = [Packet(b"\x00\xff\x5a"), *recorded_packets("thermal.gy_mcu90640")]
    best, *_ = by_bytes(packets, drivers)
    assert best.driver == "thermal.gy_mcu90640"
    assert 0 < best.score < 0.8
    assert re.fullmatch(r"\d+ samples and [1-9]\d* faults in its bytes", best.why)
    assert by_bytes([Packet(b"hello world\r\n")], drivers) == []


def heard(name: str, port: str | None = None) -> dict[str, str]:
    """Why each driver may fit what a device of that driver said, heard at `port` where one is given."""
    packets = recorded_packets(name)
    said = packets if port is None else [Packet(packet.data, port) for packet in packets]
    return {one.driver: one.why for one in by_bytes(said, [load_driver(one) for one in driver_names()])}


def test_what_a_peripheral_notifies_names_the_drivers_that_subscribe_there() -> None:
    assert re.fullmatch(r"\d+ samples and \d+ faults in its bytes", heard("radiation.atom_fast")["radiation.atom_fast"])
    assert "radiation.atom_fast" not in heard("radiation.atom_fast", "0000beef-0000-1000-8000-00805f9b34fb")


def test_what_comes_from_endpoints_names_the_drivers_that_read_them() -> None:
    assert re.fullmatch(r"\d+ samples and \d+ faults in its bytes", heard("scanner.hid_pos")["scanner.hid_pos"])


def test_what_comes_by_radio_or_usb_may_be_what_a_cable_would_carry() -> None:
    uuid = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
    why = heard("thermal.gy_mcu90640", uuid)["thermal.gy_mcu90640"]
    assert re.fullmatch(rf"\d+ samples and \d+ faults in its bytes at {uuid}", why)
