"""Injected faults: what is asked for happens, nothing else does, and no byte is lost by a caller that leaves."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.clock import Clock
from devicehub.model.errors import ConfigError, LinkLostError
from devicehub.transport.faults import FaultPlan, FaultTransport, parse_faults
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.packet import Packet, usb_port, usb_read
from tests.virtual_loop import VirtualTimeLoop


def test_a_plan_is_read_from_its_words() -> None:
    assert parse_faults("flip=0.01, drop=1,lose=120") == FaultPlan(flip=0.01, drop=1.0, lose=120.0)
    assert parse_faults("") == FaultPlan()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flop=1", "unknown fault 'flop'; known: baud, cut, drop"),
        ("flip", "expected flip=NUMBER"),
        ("flip=often", "expected flip=NUMBER"),
        ("flip=1.5", "from 0 to 1"),
        ("flip=nan", "from 0 to 1"),
        ("lose=-1", "from 0 to inf"),
    ],
)
def test_a_plan_that_makes_no_sense_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_faults(text)


def faulty(plan: FaultPlan, seed: int = 1) -> tuple[MemoryTransport, FaultTransport]:
    inner = MemoryTransport(lambda _: None)
    return inner, FaultTransport(inner, plan, Clock(seed=seed))


async def heard(plan: FaultPlan, packets: list[Packet], seed: int = 1) -> list[Packet]:
    """Everything that comes through until the link ends."""
    inner, transport = faulty(plan, seed)
    inner.push(packets)
    inner.lose("end")
    out: list[Packet] = []
    while True:
        try:
            out.append(await transport.read())
        except LinkLostError:
            return out


MANY = [Packet(bytes([number % 256]) * 8, "p") for number in range(300)]


async def test_without_faults_everything_comes_as_it_was() -> None:
    assert await heard(FaultPlan(), MANY) == MANY


async def test_every_packet_can_be_lost() -> None:
    assert await heard(FaultPlan(drop=1.0), MANY) == []


async def test_a_flip_changes_one_bit_of_one_packet() -> None:
    for before, after in zip(MANY, await heard(FaultPlan(flip=1.0), MANY), strict=True):
        changed = int.from_bytes(before.data) ^ int.from_bytes(after.data)
        assert changed.bit_count() == 1
        assert after.port == "p"


async def test_a_cut_packet_is_a_shorter_beginning() -> None:
    for before, after in zip(MANY, await heard(FaultPlan(cut=1.0), MANY), strict=True):
        assert len(after.data) < 8
        assert before.data.startswith(after.data)


async def test_a_packet_comes_twice() -> None:
    assert await heard(FaultPlan(twice=1.0), MANY[:3]) == [MANY[0], MANY[0], MANY[1], MANY[1], MANY[2], MANY[2]]


async def test_two_bytes_side_by_side_change_places() -> None:
    (after,) = await heard(FaultPlan(swap=1.0), [Packet(bytes(range(8)), "p")])
    assert sorted(after.data) == list(range(8))
    assert sum(one != other for one, other in enumerate(after.data)) == 2


async def test_a_packet_comes_in_two() -> None:
    out = await heard(FaultPlan(split=1.0), MANY)
    assert len(out) == 2 * len(MANY)
    assert [one.data + other.data for one, other in zip(out[::2], out[1::2], strict=True)] == [one.data for one in MANY]


async def test_a_packet_comes_in_one_with_the_next() -> None:
    assert [len(one.data) for one in await heard(FaultPlan(merge=1.0), MANY)] == [16] * 150


async def test_a_packet_comes_behind_the_next() -> None:
    assert await heard(FaultPlan(order=1.0), MANY[:4]) == [MANY[1], MANY[0], MANY[3], MANY[2]]


async def test_bytes_come_no_faster_than_the_line_has_them() -> None:
    """Ten bits a byte: 300 packets of 8 bytes at 9600 baud."""
    before = asyncio.get_running_loop().time()
    await heard(FaultPlan(baud=9600), MANY)
    assert asyncio.get_running_loop().time() - before == pytest.approx(300 * 8 * 10 / 9600)


async def test_garbage_comes_before_a_packet() -> None:
    out = await heard(FaultPlan(garbage=1.0), MANY)
    assert out[1::2] == MANY
    assert all(1 <= len(packet.data) <= 32 for packet in out[::2])


async def test_chance_is_as_often_as_asked_and_the_same_for_the_same_seed() -> None:
    plan = FaultPlan(drop=0.3)
    assert 50 < len(MANY) - len(await heard(plan, MANY)) < 130
    assert await heard(plan, MANY, seed=5) == await heard(plan, MANY, seed=5)
    assert await heard(plan, MANY, seed=5) != await heard(plan, MANY, seed=6)


async def test_a_late_packet_comes_within_its_time_and_in_order() -> None:
    inner, transport = faulty(FaultPlan(late=2.0))
    clock = Clock()
    inner.push(MANY[:5])
    for packet in MANY[:5]:
        before = clock.monotonic()
        assert await transport.read() == packet
        assert clock.monotonic() - before <= 2.0
    assert clock.monotonic() > 0


@given(st.integers(0, 1000), st.floats(0.01, 3.0))
def test_a_reader_that_gives_up_loses_no_packet(seed: int, patience: float) -> None:
    async def listen() -> list[Packet]:
        inner, transport = faulty(FaultPlan(late=2.0), seed)
        inner.push(MANY[:5])
        out: list[Packet] = []
        while len(out) < 5:
            try:
                async with asyncio.timeout(patience):
                    out.append(await transport.read())
            except TimeoutError:
                continue
        return out

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(listen()) == MANY[:5]


async def test_a_link_that_hangs_says_nothing_more_until_it_ends() -> None:
    inner, transport = faulty(FaultPlan(hang=5.0))
    inner.push(MANY[:1])
    assert await transport.read() == MANY[0]
    await Clock().sleep(5.0)
    inner.push(MANY)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1000):
            await transport.read()
    inner.lose("unplugged")
    with pytest.raises(LinkLostError, match="unplugged"):
        await transport.read()


async def test_a_link_is_lost_at_its_time_silent_or_not() -> None:
    inner, transport = faulty(FaultPlan(lose=5.0))
    with pytest.raises(LinkLostError, match="lost after 5 s"):
        await transport.read()
    assert Clock().monotonic() == 5.0
    inner.push(MANY)
    with pytest.raises(LinkLostError, match="lost after 5 s"):
        await transport.read()


async def test_a_request_is_not_heard_by_the_device_as_often_as_asked() -> None:
    written: list[Packet] = []
    transport = FaultTransport(MemoryTransport(written.append), FaultPlan(unheard=0.3), Clock(seed=1))
    for packet in MANY:
        await transport.write(packet)
    assert 170 < len(written) < 250
    behind = iter(MANY)
    assert all(any(one is packet for one in behind) for packet in written)


@pytest.mark.parametrize("plan", [FaultPlan(drop=0.5), FaultPlan(merge=0.5), FaultPlan(order=0.5)], ids=str)
async def test_a_usb_device_of_which_a_transfer_is_lost_or_late_is_read_on(plan: FaultPlan) -> None:
    """Nothing comes there that is not asked for, and who does not hear the answer never asks again."""
    supply = iter(MANY)

    def served(packet: Packet) -> None:
        if packet == usb_read(0x81, 64) and (data := next(supply, None)) is not None:
            inner.push([Packet(data.data, usb_port(0x81))])

    inner = MemoryTransport(served)
    transport = FaultTransport(inner, plan, Clock(seed=1))
    async with asyncio.timeout(60):
        for _ in range(100):
            await transport.write(usb_read(0x81, 64))
            assert (await transport.read()).port == usb_port(0x81)


async def test_what_goes_to_the_device_is_left_alone() -> None:
    written: list[Packet] = []
    inner = MemoryTransport(written.append)
    transport = FaultTransport(inner, FaultPlan(drop=1.0, flip=1.0), Clock(seed=1))
    await transport.write(MANY[3])
    assert written == [MANY[3]]
    assert transport.identity is inner.identity
    await transport.close()
    with pytest.raises(LinkLostError):
        await transport.write(MANY[3])
