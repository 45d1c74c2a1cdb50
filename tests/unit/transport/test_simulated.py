"""A simulator joined to a link: plugged, yanked, broken."""

import pytest

from devicehub.clock import Clock
from devicehub.driver import SerialLink
from devicehub.model.errors import LinkBusyError, LinkLostError, LinkMissingError
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet


class Counter:
    """Says the seconds of its life, answers with an echo, and breaks in its third."""

    def __init__(self) -> None:
        self.age = 0.0

    def do(self, verb: str, **values: float | str) -> None:
        raise ValueError(verb)

    def on_bytes(self, data: bytes) -> bytes:
        return data

    def advance(self, dt: float) -> bytes:
        self.age += dt
        if self.age > 2.5:
            raise ZeroDivisionError("a bug in the simulator")
        return b"%d" % round(self.age)


def port() -> SimulatedPort:
    return SimulatedPort(SerialLink(), Counter, Clock(), tick=1.0)


async def test_a_device_says_what_it_says_in_its_time_and_answers_at_once() -> None:
    link = await port().open()
    await link.write(Packet(b"?"))
    heard = [(await link.read()).data for _ in range(3)]
    assert heard == [b"?", b"1", b"2"]
    assert Clock().monotonic() == 2.0
    await link.close()


async def test_a_simulator_that_breaks_is_a_device_that_vanishes_and_says_why() -> None:
    link = await port().open()
    assert [(await link.read()).data for _ in range(2)] == [b"1", b"2"]
    with pytest.raises(LinkLostError, match="ZeroDivisionError: a bug in the simulator"):
        await link.read()
    await link.close()


async def test_one_device_is_opened_once_at_a_time_and_not_while_it_is_unplugged() -> None:
    socket = port()
    link = await socket.open()
    with pytest.raises(LinkBusyError):
        await socket.open()
    socket.unplug()
    with pytest.raises(LinkLostError, match="unplugged"):
        await link.read()
    await link.close()
    with pytest.raises(LinkMissingError):
        await socket.open()


async def test_a_device_plugged_back_begins_anew() -> None:
    socket = port()
    link = await socket.open()
    await link.read()
    await link.read()
    socket.unplug()
    await link.close()
    socket.plug()
    again = await socket.open()
    assert (await again.read()).data == b"1"
    await again.close()
