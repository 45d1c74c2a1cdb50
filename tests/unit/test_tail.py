"""The last bytes of a link: bounded, in the log when a frame is damaged, and of a private device their number alone."""

import logging

import pytest

from devicehub.clock import Clock
from devicehub.collect.refusals import Quarantine, Refusals, transcript
from devicehub.collect.tail import MOST, PAUSE, ROOM, Tail, Tapped
from devicehub.model.errors import Reason
from devicehub.model.reading import Fault, Input
from devicehub.record import parse
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.packet import Packet

SECRET = b"P<UTOERIKSSON<<ANNA"


def kept(*, private: bool = False) -> Refusals:
    return Quarantine().of("dev", private=private)


def damaged(clock: Clock, reason: Reason = Reason.CHECKSUM) -> Fault:
    return Fault("dev", clock.stamp(), reason, "0x12 instead of 0x13")


async def test_what_went_by_before_a_damaged_frame_is_in_the_log_as_a_transcript(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, offered = Clock(seed=1), list[Input]()
    tail = Tail("dev", clock, kept())
    link = Tapped(inner := MemoryTransport(lambda _: None), tail.note)
    await link.write(Packet(b"\x05"))
    await clock.sleep(0.25)
    inner.push([Packet(b"\x02\x04\x12", "in:81")])
    await link.read()
    with caplog.at_level(logging.INFO):
        tail.watching(offered.append)(fault := damaged(clock))
    assert offered == [fault]
    (record,) = caplog.records
    assert record.getMessage().endswith("the last bytes: 0.00 > 05; 0.25 < @in:81 02 04 12")
    assert [line.sign for line in parse("\n".join(transcript(tail.last(), private=False)), "tail")] == [">", "<"]


async def test_of_a_device_whose_bytes_are_personal_data_their_number_is_told(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(seed=1)
    tail = Tail("dev", clock, kept(private=True))
    tail.note("<", Packet(SECRET))
    with caplog.at_level(logging.INFO):
        tail.watching(lambda _: None)(damaged(clock))
    assert "19 bytes" in caplog.text
    assert SECRET.hex(" ")[:20] not in caplog.text


async def test_a_flood_of_damage_is_told_once_a_minute_and_what_is_no_damage_never(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock(seed=1)
    offer = Tail("dev", clock, kept()).watching(lambda _: None)
    with caplog.at_level(logging.INFO):
        offer(damaged(clock, Reason.TIMEOUT))
        assert not caplog.records
        for _ in range(1000):
            offer(damaged(clock))
        assert len(caplog.records) == 1
        await clock.sleep(PAUSE)
        offer(damaged(clock))
        assert len(caplog.records) == 2


async def test_what_is_kept_is_bounded_and_a_long_packet_says_how_long_it_was() -> None:
    tail = Tail("dev", Clock(seed=1), kept())
    for _ in range(1000):
        tail.note("<", Packet(bytes(range(256)) * 100))
    assert len(tail._kept) == MOST
    note, line = transcript(tail.last(), private=False)
    assert note == f"# the last {ROOM} of 25600 bytes:"
    assert len(line) < 4 * ROOM
