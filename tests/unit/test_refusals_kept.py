"""What was refused is kept with its bytes and times: bounded, beyond the link, without what is secret."""

import asyncio

from devicehub.clock import Clock
from devicehub.collect.refusals import MINUTE, MOST, Quarantine
from devicehub.collect.supervisor import Post, Supervisor
from devicehub.collect.tail import ROOM, Tail
from devicehub.model.errors import LinkMissingError, Reason
from devicehub.model.reading import Fault, Identity, Input, Outcome, Reading, Result, Stamp
from devicehub.record import parse
from devicehub.wire.packet import Packet
from tests.unit.links import Socket, declared, lines


class Bench:
    """One device, `dev`, and what is kept of it."""

    def __init__(self, *, private: bool = False) -> None:
        self.clock = Clock(seed=1)
        self.quarantine = Quarantine()
        self.refusals = self.quarantine.of("dev", private=private)
        self.tail = Tail("dev", self.clock, self.refusals)
        self.offered = list[Input]()
        self.offer = self.tail.watching(self.offered.append)

    def refuse(self, reason: Reason = Reason.CHECKSUM, detail: str = "", count: int = 1) -> None:
        self.offer(Fault("dev", self.clock.stamp(), reason, detail, count))

    def found(self, *facts: tuple[str, str]) -> None:
        self.offer(Reading("dev", self.clock.stamp(), Identity(facts)))

    def comments(self) -> list[str]:
        return [line for line in self.quarantine.text().splitlines() if line.startswith("#")]

    def bytes(self) -> list[str]:
        return [line.text for line in parse(self.quarantine.text())]


async def test_each_is_kept_with_its_time_its_reason_and_the_bytes_before_it_as_a_transcript() -> None:
    bench = Bench()
    bench.tail.note(">", Packet(b"\x05"))
    await bench.clock.sleep(0.25)
    bench.tail.note("<", Packet(b"\x02\x04\x12", "in:81"))
    bench.offer(Fault("dev", Stamp(1000.0, 0.25), Reason.CHECKSUM, "0x12 instead of\n0x13"))
    comment, sent, got = bench.quarantine.text().splitlines()
    assert comment == "# dev: checksum: 0x12 instead of\\x0a0x13, 1970-01-01T00:16:40.000Z, 1 within a minute"
    assert (sent, got) == ("0.00 > 05", "0.25 < @in:81 02 04 12")


async def test_a_flood_of_one_reason_is_one_a_minute_and_pushes_no_other_out() -> None:
    bench = Bench()
    bench.tail.note("<", Packet(b"\x01"))
    bench.refuse(Reason.LENGTH)
    for _ in range(5 * MOST):
        bench.refuse(count=2)
    await bench.clock.sleep(MINUTE)
    bench.refuse()
    told = [(one.split()[2].rstrip(","), one.rpartition(", ")[2]) for one in bench.comments()]
    assert told == [
        ("length", "1 within a minute"),
        ("checksum", f"{10 * MOST} within a minute"),
        ("checksum", "1 within a minute"),
    ]


async def test_what_is_kept_is_bounded() -> None:
    bench = Bench()
    for number in range(3 * MOST):
        bench.tail.note("<", Packet(bytes([number]) * 100_000))
        bench.refuse()
        await bench.clock.sleep(MINUTE)
    kept = parse(bench.quarantine.text())
    assert len(kept) == MOST
    assert sum(len(one.packet.data) for one in kept if one.packet is not None) == MOST * ROOM
    assert f"# the last {ROOM} of 100000 bytes:" in bench.comments()
    assert [one.text[:2] for one in kept] == [f"{number:02x}" for number in range(2 * MOST, 3 * MOST)]


async def test_serial_numbers_and_what_people_wrote_are_put_out_also_when_they_are_known_later() -> None:
    bench = Bench()
    bench.found(("serial", "AB-1234"), ("firmware", "v99.81"))
    bench.offer(Reading("dev", bench.clock.stamp(), Result(Outcome.CLEAR, operator="M. Petrov")))
    bench.tail.note("<", Packet(b"\x02AB-12"))
    bench.tail.note("<", Packet(b"34 M. Petrov LATER-77 v99.81"))
    bench.refuse()
    bench.found(("serial", "LATER-77"))
    first, second = (bytes.fromhex(one) for one in bench.bytes())
    assert first + second == b"\x02XX-0000 X. Xxxxxx XXXXX-00 v99.81"


async def test_of_a_device_whose_bytes_are_personal_data_their_number_is_kept_alone() -> None:
    bench = Bench(private=True)
    bench.tail.note("<", Packet(b"P<UTOERIKSSON", "crossing-7.xml"))
    bench.refuse(detail="ERIKSSON is no check digit")
    comment, line = bench.quarantine.text().splitlines()
    assert comment.startswith("# dev: checksum, 20")
    assert line == "0.00 < 13 bytes"
    assert b"ERIKSSON" not in repr(bench.refusals._kept).encode()


async def test_it_outlives_the_link_that_it_came_by() -> None:
    socket, clock, quarantine = Socket(), Clock(seed=1), Quarantine()
    refusals = quarantine.of("dev", private=False)
    supervisor = Supervisor(Post("dev", socket.open, lines), declared, lambda _: None, clock, refusals=refusals)
    socket.trouble = None
    task = asyncio.get_running_loop().create_task(supervisor.run())
    await clock.sleep(1)
    socket.say(b"nonsense\n")
    await clock.sleep(1)
    socket.trouble = LinkMissingError("gone")
    socket.yank()
    await clock.sleep(60)
    task.cancel()
    assert "# dev: garbage: not a number, " in quarantine.text()
    assert [one.text for one in parse(quarantine.text())] == [b"nonsense\n".hex(" ")]
