"""What passes over links: for whoever asks and nobody else, bounded, and of personal data the number of bytes alone."""

import asyncio

from devicehub.clock import Clock
from devicehub.model.errors import Reason
from devicehub.model.reading import Fault, Measurement, Reading, Scan, Stamp
from devicehub.taps import BYTES, LINES, Passed, Taps
from devicehub.wire.packet import Packet

SECRET = b"P<UTOERIKSSON<<ANNA"
AT = Stamp(12.5, 1.0)


def taps(*, hidden: bool = False) -> Taps:
    return Taps(lambda: 12.5, lambda _: hidden)


async def test_a_listener_is_told_of_packets_and_of_what_was_made_of_them_in_order() -> None:
    one = taps()
    with one.listening("a") as listener:
        one.packet("a", ">", Packet(b"\x05"))
        one.packet("b", "<", Packet(b"\x06"))
        one.packet("a", "<", Packet(b"\x02\x04", "in:81"))
        one.made(Reading("a", AT, Measurement("metal-signal", 16.0)))
        one.made(Fault("a", AT, Reason.CHECKSUM, "0x12 instead of 0x13"))
        assert await listener.taken() == (
            [
                Passed(12.5, ">", "05"),
                Passed(12.5, "<", "@in:81 02 04"),
                Passed(12.5, "=", "metal-signal 16 good"),
                Passed(12.5, "!", "checksum 0x12 instead of 0x13"),
            ],
            0,
        )


async def test_of_a_device_that_reads_personal_data_only_the_number_of_bytes_is_told() -> None:
    one = taps(hidden=True)
    with one.listening("a") as listener:
        one.packet("a", "<", Packet(SECRET, SECRET.decode()))
        one.made(Reading("a", AT, Scan("code", "mrz", SECRET)))
        one.made(Fault("a", AT, Reason.LENGTH, SECRET.decode()))
        lines, _ = await listener.taken()
    assert lines == [Passed(12.5, "<", "", len(SECRET)), Passed(12.5, "=", "scan"), Passed(12.5, "!", "length")]


async def test_who_takes_nothing_gets_the_newest_lines_and_how_many_are_gone() -> None:
    one = taps()
    with one.listening("a") as listener:
        for number in range(LINES + 5):
            one.packet("a", "<", Packet(number.to_bytes(2, "big")))
        lines, missed = await listener.taken()
    assert (len(lines), missed, lines[-1].text) == (LINES, 5, "00 cc")


async def test_of_a_long_packet_the_beginning_is_shown_and_how_long_it_was() -> None:
    one = taps()
    with one.listening("a") as listener:
        one.packet("a", "<", Packet(bytes(range(256)) * 400))
        ((line,), _) = await listener.taken()
    assert (line.size, len(line.text.split())) == (256 * 400, BYTES)


async def test_nothing_is_made_where_nobody_listens_any_more() -> None:
    asked = list[str]()

    def hidden(device: str) -> bool:
        asked.append(device)
        return False

    one = Taps(lambda: 0.0, hidden)
    one.packet("a", "<", Packet(SECRET))
    with one.listening("a") as first, one.listening("a"):
        one.packet("a", "<", Packet(SECRET))
        await first.taken()
    one.packet("a", "<", Packet(SECRET))
    one.made(Reading("a", AT, Measurement("metal-signal", 16.0)))
    assert asked == ["a"]


async def test_a_listener_waits_until_something_passes() -> None:
    one = taps()
    with one.listening("a") as listener:
        waiting = asyncio.create_task(listener.taken())
        await Clock().sleep(0)
        assert not waiting.done()
        one.packet("a", "<", Packet(b"\x01"))
        assert (await waiting)[0] == [Passed(12.5, "<", "01")]
