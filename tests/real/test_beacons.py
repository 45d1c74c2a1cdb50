"""What a camera broadcasts of itself is heard by whoever asks, over real datagrams, and shown as what it is: a claim."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.cli.exits import Exit
from devicehub.cli.main import main
from devicehub.clock import Clock
from devicehub.discover import Descriptor, Kind, announced, candidates
from devicehub.model.errors import LinkBusyError
from devicehub.registry import driver_names, load_driver
from devicehub.transport.beacons import MOST, Broadcast, listen
from drivers.endoscope.ov780 import BEACON_PORT
from drivers.endoscope.ov780 import beacon as read
from simulators.endoscope.ov780 import beacon

pytestmark = pytest.mark.real
DRIVERS = [load_driver(name) for name in driver_names()]
CAMERA = beacon("192.168.2.103", "WIFICAM")


def a_socket(port: int = 0) -> socket.socket:
    """Bound on loopback."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    return sock


def a_port() -> int:
    """One that was free just now."""
    with closing(a_socket()) as sock:
        return int(sock.getsockname()[1])


async def heard(*sent: bytes) -> list[bytes]:
    """What is heard while these are sent again and again."""
    port = a_port()
    listening = asyncio.create_task(listen([port], 0.3, Clock()))
    with closing(a_socket()) as sock:
        while not listening.done():
            for data in sent:
                sock.sendto(data, ("127.0.0.1", port))
            await Clock().sleep(0.005)
    broadcasts = await listening
    assert {(one.port, one.host) for one in broadcasts} <= {(port, "127.0.0.1")}
    return [one.data for one in broadcasts]


async def test_what_comes_to_a_port_is_kept_once_however_often_it_comes() -> None:
    assert await heard(CAMERA, b"something else") == [CAMERA, b"something else"]


async def test_what_is_kept_is_bounded() -> None:
    assert len(await heard(*(number.to_bytes(2, "big") for number in range(MOST + 40)))) == MOST


async def test_a_port_that_somebody_holds_is_said() -> None:
    with (
        closing(a_socket()) as sock,
        pytest.raises(LinkBusyError, match=r"UDP port \d+ cannot be listened to: Address"),
    ):
        await listen([sock.getsockname()[1]], 0.1, Clock())


def fits(broadcast: Broadcast) -> list[tuple[Descriptor, list[str]]]:
    return [(one, [fit.driver for fit in candidates(one, DRIVERS)]) for one in announced([broadcast], DRIVERS)]


def test_a_beacon_names_the_place_that_the_configuration_takes_and_its_driver() -> None:
    ((camera, drivers),) = fits(Broadcast(BEACON_PORT, "192.168.2.103", CAMERA))
    assert (camera.kind, camera.place, camera.title) == (Kind.NETWORK, "udp://192.168.2.103:1000", "WIFICAM")
    assert drivers == ["endoscope.ov780"]


def test_one_that_gives_the_address_of_another_says_from_where_it_came() -> None:
    ((camera, _),) = fits(Broadcast(BEACON_PORT, "192.168.2.66", CAMERA))
    assert camera.title == "WIFICAM (heard from 192.168.2.66)"


def test_what_comes_to_another_port_or_is_no_beacon_is_no_device() -> None:
    assert fits(Broadcast(BEACON_PORT + 1, "192.168.2.103", CAMERA)) == []
    assert fits(Broadcast(BEACON_PORT, "192.168.2.103", CAMERA[:-1])) == []
    assert fits(Broadcast(BEACON_PORT, "192.168.2.103", b"8714" + CAMERA[4:])) == []


@given(st.binary(max_size=64) | st.binary(min_size=28, max_size=28).map(b"8713".__add__))
def test_any_datagram_is_a_beacon_that_can_be_printed_or_none(data: bytes) -> None:
    found = read(data)
    assert found is None or (found[1].isprintable() and socket.inet_aton(found[0]) == data[4:8])


def test_devices_scan_shows_a_camera_that_is_heard_or_says_that_its_port_is_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ThreadPoolExecutor(1) as pool, closing(a_socket()) as sock:
        scan = pool.submit(main, ["devices", "scan", "--network", "0.5", "--json"])
        while not scan.done():
            sock.sendto(CAMERA, ("127.0.0.1", BEACON_PORT))
    assert scan.result() == Exit.OK
    (camera,) = (one for one in json.loads(capsys.readouterr().out) if one["kind"] == "network")
    assert (camera["place"], camera["title"]) == ("udp://192.168.2.103:1000", "WIFICAM (heard from 127.0.0.1)")
    assert camera["candidates"] == [{"driver": "endoscope.ov780", "score": 0.9, "why": "its beacon"}]
    with closing(a_socket(BEACON_PORT)):
        assert main(["devices", "scan", "--network", "0.1"]) == Exit.UNAVAILABLE
    out, err = capsys.readouterr()
    assert out.startswith("KIND")
    assert f"the network was not listened to: UDP port {BEACON_PORT} cannot be listened to" in err
