"""One open link: packets and time in, stamped readings out, in step with the protocol."""

import asyncio

import pytest

from devicehub.clock import Clock
from devicehub.collect.session import Session
from devicehub.commands.line import Line
from devicehub.model.command import CommandState
from devicehub.model.errors import LinkLostError, Reason
from devicehub.model.reading import Fault, Input, Measurement, Reading, Stamp
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, Poll, Step
from tests.unit.links import declared, lines


class Talk:
    """A session with a device that answers each request as `answers` says."""

    def __init__(self, *polls: Poll, delay: float = 0.0) -> None:
        self.clock = Clock(utc=lambda: 1000.0 + asyncio.get_running_loop().time(), seed=1)
        self.delay = delay
        self.asked: list[tuple[float, bytes]] = []
        self.heard: list[float] = []
        self.offered: list[Input] = []
        self.link = MemoryTransport(self._written)
        session = Session("dev", lines(*polls), declared, self.offered.append, self.clock)
        self.task = asyncio.create_task(session.run(self.link, lambda: self.heard.append(len(self.offered))))

    def _written(self, packet: Packet) -> None:
        self.asked.append((self.clock.monotonic(), packet.data))
        asyncio.get_running_loop().call_later(self.delay, self.link.push, [Packet(b"7\n")])

    async def until_lost(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self.link.lose("unplugged")
        with pytest.raises(LinkLostError, match="unplugged"):
            await self.task


async def test_readings_and_faults_carry_the_device_and_both_clocks() -> None:
    talk = Talk()
    await talk.clock.sleep(5.0)
    talk.link.push([Packet(b"1\nwhat\n")])
    await talk.until_lost(1.0)
    stamp = Stamp(1005.0, 5.0)
    assert talk.offered == [
        Reading("dev", stamp, Measurement("value", 1.0)),
        Fault("dev", stamp, Reason.GARBAGE, "not a number"),
    ]


async def test_polls_go_out_in_time_without_drift() -> None:
    talk = Talk(Poll(b"?", 1.0, 0.5), delay=0.25)
    await talk.until_lost(100.5)
    assert talk.asked == [(float(second), b"?") for second in range(101)]
    assert [one.at.mono for one in talk.offered] == [second + 0.25 for second in range(101)]


async def test_a_device_is_heard_once_before_its_first_reading() -> None:
    talk = Talk()
    talk.link.push([Packet(b"what\n"), Packet(b"1\n"), Packet(b"2\n")])
    await talk.until_lost(1.0)
    assert talk.heard == [1], "after the fault and before the readings"


class Complaining:
    """A protocol that speaks for a device that does not."""

    def start(self, now: float) -> Step:
        return Step(wake_at=now + 1)

    def on_packet(self, now: float, packet: Packet) -> Step:
        return Step((), (Measurement("value", float(packet.data)),), wake_at=now + 1)

    def on_timer(self, now: float) -> Step:
        return Step((), (Measurement("value", 0.0),), wake_at=now + 1)


async def test_what_a_protocol_says_of_its_own_accord_makes_no_device_heard() -> None:
    clock, heard, link = Clock(seed=1), [0.0], MemoryTransport(lambda _: None)
    session = Session("dev", Complaining(), declared, lambda _: None, clock)
    task = asyncio.create_task(session.run(link, lambda: heard.append(clock.monotonic())))
    await clock.sleep(10.5)
    link.push([Packet(b"1")])
    await clock.sleep(1)
    link.lose("unplugged")
    with pytest.raises(LinkLostError):
        await task
    assert heard == [0.0, 10.5]


async def test_an_answer_that_does_not_come_is_a_fault_and_not_the_end() -> None:
    talk = Talk(Poll(b"?", 2.0, 0.5), delay=1000.0)
    await talk.until_lost(5.0)
    assert [(one.at.mono, one.reason) for one in talk.offered if isinstance(one, Fault)] == [
        (0.5, Reason.TIMEOUT),
        (2.5, Reason.TIMEOUT),
        (4.5, Reason.TIMEOUT),
    ]


async def test_what_had_arrived_before_the_link_broke_is_still_read() -> None:
    talk = Talk()
    talk.link.push([Packet(b"1\n"), Packet(b"2\n")])
    await talk.until_lost(0.0)
    assert len(talk.offered) == 2


async def test_a_busy_device_delays_no_timer() -> None:
    """Packets wait at every moment, and the requests go out in time all the same."""
    talk = Talk(Poll(b"?", 1.0, 0.0), delay=0.0)

    async def chatter() -> None:
        while True:
            talk.link.push([Packet(b"1\n")] * 50)
            await talk.clock.sleep(0.01)

    mouth = asyncio.create_task(chatter())
    await talk.clock.sleep(10.5)
    mouth.cancel()
    await talk.until_lost(0.0)
    assert [at for at, _ in talk.asked] == pytest.approx([float(second) for second in range(11)], abs=0.011)


class Obedient:
    """A protocol that takes commands, wakes up rarely and answers with what the device says next."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, Call]] = []

    def start(self, now: float) -> Step:
        return Step()

    def on_packet(self, now: float, packet: Packet) -> Step:
        ended = tuple(
            Ended(call.number, CommandState.DONE, result={"said": packet.data.decode()}) for _, call in self.calls
        )
        self.calls.clear()
        return Step((), (Measurement("value", 1.0),), ended=ended)

    def on_timer(self, now: float) -> Step:
        raise AssertionError("nobody asked to be woken")

    def on_command(self, now: float, call: Call) -> Step:
        self.calls.append((now, call))
        return Step((Packet(call.verb.encode()),))


async def test_a_command_reaches_a_protocol_that_waits_for_its_device_and_its_end_comes_back() -> None:
    clock, line, written = Clock(seed=1), Line(), list[bytes]()
    protocol, link = Obedient(), MemoryTransport(lambda packet: written.append(packet.data))
    task = asyncio.create_task(Session("dev", protocol, declared, lambda _: None, clock, line).run(link, lambda: None))
    await clock.sleep(10)
    done, other = line.give("beep", {}, 20.0), line.give("blink", {}, 20.0)
    await clock.sleep(1)
    assert ([at for at, _ in protocol.calls], written) == ([10.0, 10.0], [b"beep", b"blink"])
    link.push([Packet(b"done")])
    assert [(await one).result for one in (done, other)] == [{"said": "done"}] * 2
    lost = line.give("beep", {}, 20.0)
    await clock.sleep(1)
    link.lose("unplugged")
    with pytest.raises(LinkLostError):
        await task
    assert ((await lost).state, line.obstacle) == (CommandState.FAILED, "the device is not connected")


async def test_a_protocol_that_takes_no_commands_is_given_none() -> None:
    clock, line, link = Clock(seed=1), Line(), MemoryTransport(lambda _: None)
    task = asyncio.create_task(
        Session("dev", Complaining(), declared, lambda _: None, clock, line).run(link, lambda: None)
    )
    await clock.sleep(0.5)
    assert line.obstacle
    link.lose("unplugged")
    with pytest.raises(LinkLostError):
        await task
