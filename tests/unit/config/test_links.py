"""What each kind of link needs to be found."""

import pytest

from devicehub.config.links import link_complaints
from devicehub.config.models import DeviceConfig
from devicehub.driver import BleLink, FileLink, Link, NetworkLink, SerialLink, UsbLink, VideoFormat, VideoLink
from devicehub.model.device import UsbId

SERIAL = SerialLink()
USB = UsbLink(ids=(UsbId(0x289D, 0x0010),))
BLE = BleLink(notify=())
VIDEO = VideoLink(formats=(VideoFormat("MJPG", 640, 480, 30),))
KNOWN_VIDEO = VideoLink(formats=VIDEO.formats, ids=(UsbId(1, 2),))
FILE = FileLink(patterns=("*.jpg",))
UDP = NetworkLink(scheme="udp", ports=(20000,))
TCP = NetworkLink(scheme="tcp", ports=(7060,))


def texts(link: Link, **keys: str) -> list[str]:
    device = DeviceConfig.model_validate({"id": "d", "driver": "f.d", **keys})
    return [complaint.text for complaint in link_complaints(("device", 0), device, link)]


def test_what_suffices() -> None:
    for port in ("/dev/ttyUSB0", "socket://10.0.0.5:4001", "rfc2217://10.0.0.5:4001"):
        assert not texts(SERIAL, port=port)
    assert not texts(SERIAL, usb="0403:6001", serial="A50285BI")
    assert not texts(USB)
    assert not texts(USB, serial="x")
    assert not texts(USB, port="1-2.3")
    assert not texts(USB, port="1:7")
    assert not texts(BLE)
    assert not texts(BLE, address="AA:BB:CC:DD:EE:FF")
    assert not texts(BLE, address="00001101-0000-1000-8000-00805f9b34fb")
    assert not texts(VIDEO, port="/dev/video0")
    assert not texts(VIDEO, usb="0001:0002")
    assert not texts(KNOWN_VIDEO)
    assert not texts(FILE, folder="/srv/images")
    assert not texts(UDP, port="udp://192.168.29.1")
    assert not texts(TCP, port="tcp://192.168.10.123:7061")


def test_a_simulated_or_replayed_device_needs_nothing_else() -> None:
    for link in (SERIAL, USB, BLE, VIDEO, FILE, UDP, TCP):
        assert not texts(link, port="sim:")
        assert not texts(link, port="replay:capture.txt")


def test_what_is_missing() -> None:
    assert "needs port or usb" in texts(SERIAL)[0]
    assert "needs port or usb" in texts(VIDEO)[0]
    assert "needs folder" in texts(FILE)[0]
    assert "needs port, its address" in texts(UDP)[0]


@pytest.mark.parametrize(
    "port",
    [
        "tcp://192.168.29.1",
        "udp://camera.example",
        "udp://192.168.29.1:0",
        "udp://192.168.29.1:70000",
        "udp://user@192.168.29.1",
        "udp://192.168.29.1/path",
        "192.168.29.1",
        "udp://[::1]",
        "/dev/ttyUSB0",
    ],
)
def test_a_device_on_a_network_has_one_address_in_numbers(port: str) -> None:
    assert 'must be udp://ADDRESS or udp://ADDRESS:PORT, as "udp://192.168.1.1"' in texts(UDP, port=port)[0]


@pytest.mark.parametrize("host", ["224.0.0.1", "0.0.0.0", "255.255.255.255"])
def test_many_devices_are_not_an_address(host: str) -> None:
    assert "must be the address of one device" in texts(UDP, port=f"udp://{host}")[0]


def test_what_does_not_fit() -> None:
    assert "where it is plugged in" in texts(USB, port="/dev/ttyUSB0")[0]
    assert texts(USB, address="AA") == ["device[0].address: a USB device has none"]
    assert texts(SERIAL, port="/dev/x", folder="/tmp") == ["device[0].folder: a serial device has none"]
    assert "rfc2217://HOST:PORT" in texts(SERIAL, port="http://x")[0]
    assert "/dev/ttyUSB0" in texts(SERIAL, port="ttyUSB0")[0]
    assert "/dev/ttyUSB0" in texts(SERIAL, port="COM3")[0]
    assert "Bluetooth address" in texts(BLE, address="xyz")[0]
    assert "/dev/video0" in texts(VIDEO, port="0")[0]
