"""Zebra SSI: what the scanner is told, byte for byte, and what becomes of it."""

from random import Random

from devicehub.model.command import CommandState
from devicehub.wire.protocol import Call, Commanded, Ended, Step
from drivers.scanner._ssi_requests import encode
from simulators.scanner.zebra_ssi import ZebraScanner
from tests.drivers.zebra_ssi_bench import Bench


def commanded(bench: Bench, *verbs: str) -> list[Ended]:
    """What becomes of commands that are given all at once to a scanner that has been asleep."""
    bench.run(20)
    bench.sent.clear()
    assert isinstance(bench.protocol, Commanded)
    first = len(bench.ended)
    for number, verb in enumerate(verbs):
        step = bench.protocol.on_command(bench.now, Call(number, verb, {}, bench.now + 10))
        bench.step = Step(bench.step.write + step.write, step.samples, step.faults, step.wake_at, step.ended)
    bench.run(20)
    return bench.ended[first:]


def test_the_published_bytes_pull_the_trigger_after_a_wake_up() -> None:
    """`04 E4 04 00 FF 14` is the unit test vector of enioka_scan."""
    bench = Bench(ZebraScanner(Random(2)))
    bench.simulator.do("hold", code="PK4711")
    assert commanded(bench, "start-session") == [Ended(0, CommandState.DONE)]
    assert bytes(bench.sent[:7]).hex() == "0004e40400ff14"
    assert bench.scans == [b"PK4711"]


def test_commands_go_out_one_by_one_in_their_order() -> None:
    scanner = ZebraScanner(Random(2))
    bench = Bench(scanner)
    ended = commanded(bench, "identify", "start-session", "stop-session", "identify")
    assert ended == [Ended(number, CommandState.DONE) for number in range(4)]
    wanted = [encode(0xE6, b"\x00"), encode(0xE4), encode(0xE5), encode(0xE6, b"\x00")]
    assert bytes(bench.sent) == b"\x00" + b"".join(wanted)
    assert scanner.beeps == 2


def test_what_a_scanner_denies_is_rejected_with_its_reason() -> None:
    bench = Bench(ZebraScanner(Random(2)))
    bench.run(5)
    bench.simulator.do("disable")
    assert commanded(bench, "start-session") == [Ended(0, CommandState.REJECTED, "the scanner says: denied")]


def test_a_command_to_a_dead_scanner_is_sent_three_times_and_times_out() -> None:
    bench = Bench(ZebraScanner(Random(2)))
    bench.run(5)
    bench.simulator.do("dead")
    assert commanded(bench, "identify") == [Ended(0, CommandState.TIMEOUT, "the scanner did not answer")]
    assert bytes(bench.sent).count(b"\xe6") == 3
