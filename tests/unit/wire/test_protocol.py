"""The ordinary device: polls in time, one in flight, and never a wait for the past."""

from collections.abc import Iterable, Mapping
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from devicehub.model.command import CommandState
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement
from devicehub.wire.framer import DelimiterFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, FramedProtocol, Order, Poll, Step, decoded

FAST = Poll(b"f", 1.0, 0.5)
SLOW = Poll(b"s", 3.0, 0.5)
ONCE = Poll(b"o", 0.0, 0.5)
SHOUT = Poll(b"!", 1.0, 0.0)


def decode(frame: bytes) -> Iterable[Measurement]:
    """A number, or nothing for the word `ok`; anything else is refused."""
    if frame == b"ok":
        return
    if not frame.isdigit():
        raise ProtocolError(Reason.UNEXPECTED)
    yield Measurement("value", float(frame))


def made(*polls: Poll, gap: float = 0.0) -> FramedProtocol:
    return FramedProtocol(DelimiterFramer(b"\n"), decode, polls, gap)


def sent(step: Step) -> bytes:
    return b"".join(packet.data for packet in step.write)


def talk(protocol: FramedProtocol, until: float, delay: float = 0.1) -> list[tuple[float, bytes]]:
    """What is sent and when, by a device that answers each request after `delay`; never when that is inf."""
    out: list[tuple[float, bytes]] = []
    now, step, answers = 0.0, protocol.start(0.0), list[float]()
    while True:
        if sent(step):
            out.append((round(now, 6), sent(step)))
            answers += [now + delay] * len(step.write)
        due = min(answers, default=inf)
        now = min(due, inf if step.wake_at is None else step.wake_at)
        if now > until:
            return out
        if now == due:
            answers.remove(due)
            step = protocol.on_packet(now, Packet(b"1\n"))
        else:
            step = protocol.on_timer(now)


def test_a_poll_is_sent_at_once_and_then_at_its_period_without_drift() -> None:
    times = [at for at, _ in talk(made(FAST), until=1000.0, delay=0.3)]
    assert times == [float(second) for second in range(1001)]


def test_a_timer_that_fires_late_moves_no_later_request() -> None:
    protocol = made(FAST)
    protocol.start(0.0)
    protocol.on_packet(0.1, Packet(b"1\n"))
    assert sent(protocol.on_timer(1.3)) == b"f"
    assert protocol.on_packet(1.4, Packet(b"1\n")).wake_at == 2.0


def test_polls_of_different_periods_take_turns_one_in_flight() -> None:
    said = talk(made(FAST, SLOW), until=6.5)
    assert said[:3] == [(0.0, b"f"), (0.1, b"s"), (1.0, b"f")]
    assert [at for at, data in said if data == b"s"] == [0.1, 3.1, 6.1]
    assert [at for at, data in said if data == b"f"] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_poll_without_period_is_sent_once() -> None:
    assert [data for _, data in talk(made(ONCE, FAST), until=5.0)].count(b"o") == 1


def test_a_request_that_nobody_answers_is_never_waited_for() -> None:
    step = made(SHOUT, SHOUT, FAST).start(5.0)
    assert sent(step) == b"!!f"


def test_the_gap_is_kept_between_an_answer_and_the_next_request() -> None:
    assert talk(made(FAST, SLOW, gap=0.25), until=0.9) == [(0.0, b"f"), (0.35, b"s")]


def test_an_answer_that_does_not_come_is_a_timeout_and_the_next_request_goes_out() -> None:
    protocol = made(FAST, SLOW)
    assert protocol.start(0.0).wake_at == 0.5
    step = protocol.on_timer(0.5)
    assert [fault.reason for fault in step.faults] == [Reason.TIMEOUT]
    assert sent(step) == b"s"


def test_a_device_that_never_answers_is_asked_as_often_as_it_may_be() -> None:
    slow = Poll(b"q", 0.2, 1.0)
    assert [at for at, _ in talk(made(slow), until=10.0, delay=inf)] == [float(second) for second in range(11)]


def test_a_late_answer_is_read_all_the_same() -> None:
    protocol = made(FAST)
    protocol.start(0.0)
    protocol.on_timer(0.5)
    step = protocol.on_packet(0.7, Packet(b"7\n"))
    assert (step.samples, step.faults, step.wake_at) == ((Measurement("value", 7.0),), (), 1.0)


def test_a_refused_frame_is_no_answer() -> None:
    protocol = made(FAST, SLOW)
    protocol.start(0.0)
    step = protocol.on_packet(0.1, Packet(b"what?\n"))
    assert ([fault.reason for fault in step.faults], sent(step), step.wake_at) == ([Reason.UNEXPECTED], b"", 0.5)
    assert sent(protocol.on_packet(0.2, Packet(b"ok\n"))) == b"s"


def test_half_an_answer_is_waited_for_until_the_deadline() -> None:
    protocol = made(FAST)
    protocol.start(0.0)
    assert protocol.on_packet(0.1, Packet(b"4")) == Step(wake_at=0.5)
    assert protocol.on_packet(0.4, Packet(b"2\n")).samples == (Measurement("value", 42.0),)


def test_a_device_that_only_talks_is_never_woken_for() -> None:
    protocol = made()
    assert protocol.start(0.0) == Step()
    assert protocol.on_packet(3.0, Packet(b"1\n2\n")).samples == (Measurement("value", 1.0), Measurement("value", 2.0))


def test_after_a_pause_of_the_hub_a_poll_is_sent_once_and_not_for_every_period_missed() -> None:
    protocol = made(FAST)
    protocol.start(0.0)
    protocol.on_packet(0.1, Packet(b"1\n"))
    assert sent(protocol.on_timer(60.4)) == b"f"
    protocol.on_packet(60.5, Packet(b"1\n"))
    assert protocol.on_timer(60.6).wake_at == 61.4


def test_frames_decode_in_order_and_faults_keep_theirs() -> None:
    garbage = ProtocolError(Reason.GARBAGE)
    samples, faults = decoded(decode, [b"1", garbage, b"x", b"2"])
    assert samples == [Measurement("value", 1.0), Measurement("value", 2.0)]
    assert [fault.reason for fault in faults] == [Reason.GARBAGE, Reason.UNEXPECTED]


def test_of_a_frame_that_turns_out_bad_half_way_nothing_is_taken() -> None:
    def half(frame: bytes) -> Iterable[Measurement]:
        yield Measurement("value", 1.0)
        raise ProtocolError(Reason.RANGE, frame.decode())

    samples, faults = decoded(half, [b"a"])
    assert (samples, [fault.reason for fault in faults]) == ([], [Reason.RANGE])


polls = st.builds(
    Poll, st.just(b"q"), st.sampled_from([0.0, 0.1, 0.5, 1.0, 7.0]), st.sampled_from([0.0, 0.05, 1.0, 3.0])
)
moves = st.tuples(
    st.sampled_from([0.0, 0.01, 0.3, 2.0, 50.0]), st.sampled_from([b"", b"1\n", b"?\n", b"1", b"\n\n2\n"])
)


@given(st.lists(polls, max_size=4), st.sampled_from([0.0, 0.2]), st.lists(moves, max_size=40))
def test_a_timer_fired_at_its_time_is_followed_by_progress(
    asked: list[Poll], gap: float, script: list[tuple[float, bytes]]
) -> None:
    """Whatever comes when: a protocol is never woken twice at one instant for nothing."""
    protocol, now = made(*asked, gap=gap), 10.0
    step = protocol.start(now)
    flying = sum(poll.timeout > 0 for poll in asked if poll.request in sent(step))
    assert flying == 0 or len(step.write) <= len(asked)
    for wait, data in script:
        until = now + wait
        turns = 0
        while step.wake_at is not None and step.wake_at <= until:
            turns = turns + 1 if step.wake_at <= now else 0
            now = max(now, step.wake_at)
            step = protocol.on_timer(now)
            assert turns <= len(asked) + 1
        now = until
        step = protocol.on_packet(now, Packet(data))


def number(frame: bytes, args: Mapping[str, object]) -> dict[str, float] | None:
    """A number is the answer, `ok` is not, and `no` refuses."""
    if frame == b"no":
        raise ProtocolError(Reason.REJECTED, "no")
    return {"value": float(frame)} if frame.isdigit() else None


ORDERS = {
    "ask": Order(lambda args: f"q{args['n']}".encode(), number, timeout=2.0),
    "tell": Order(lambda _: b"t"),
}


def commanded(*polls: Poll, gap: float = 0.0) -> FramedProtocol:
    return FramedProtocol(DelimiterFramer(b"\n"), decode, polls, gap, ORDERS)


def call(number: int, verb: str = "ask", expires: float = 100.0) -> Call:
    return Call(number, verb, {"n": number}, expires)


def test_a_command_waits_for_the_poll_in_flight_and_the_next_poll_for_the_command() -> None:
    protocol = commanded(FAST)
    protocol.start(0.0)
    assert sent(protocol.on_command(0.1, call(1))) == b""
    assert sent(protocol.on_packet(0.2, Packet(b"1\n"))) == b"q1"
    assert sent(protocol.on_timer(1.0)) == b""
    step = protocol.on_packet(1.1, Packet(b"5\n"))
    assert (step.ended, sent(step)) == ((Ended(1, CommandState.DONE, result={"value": 5.0}),), b"f")
    assert step.samples == (Measurement("value", 5.0),)


def test_frames_that_are_not_the_answer_are_decoded_and_waited_past() -> None:
    protocol = commanded()
    protocol.start(0.0)
    protocol.on_command(0.0, call(1))
    step = protocol.on_packet(0.5, Packet(b"ok\nbad\n"))
    assert (step.ended, [fault.reason for fault in step.faults]) == ((), [Reason.UNEXPECTED])
    assert protocol.on_packet(0.6, Packet(b"ok\n7\n8\n")).ended[0].result == {"value": 7.0}


def test_a_device_that_says_no_fails_the_command_and_one_that_says_nothing_times_out() -> None:
    protocol = commanded()
    protocol.start(0.0)
    step = protocol.on_command(0.0, call(1))
    assert step.wake_at == 2.0
    assert protocol.on_packet(0.5, Packet(b"no\n")).ended == (Ended(1, CommandState.FAILED, "rejected: no"),)
    protocol.on_command(1.0, call(2))
    late = protocol.on_timer(3.0)
    assert late.ended == (Ended(2, CommandState.TIMEOUT, "the device did not answer"),)
    assert [str(fault) for fault in late.faults] == ["timeout: no answer to ask"]


def test_what_needs_no_answer_is_done_once_it_is_sent_and_keeps_the_gap() -> None:
    protocol = commanded(gap=0.5)
    protocol.start(0.0)
    step = protocol.on_command(0.0, call(1, "tell"))
    assert (sent(step), step.ended) == (b"t", (Ended(1, CommandState.DONE),))
    later = protocol.on_command(0.1, call(2, "tell"))
    assert (sent(later), later.wake_at) == (b"", 0.5)
    assert sent(protocol.on_timer(0.5)) == b"t"


def test_a_command_that_has_expired_in_the_queue_is_not_begun() -> None:
    protocol = commanded()
    protocol.start(0.0)
    protocol.on_command(0.0, call(1))
    protocol.on_command(0.1, call(2, expires=1.0))
    step = protocol.on_timer(2.0)
    assert sent(step) == b""
    assert [(ended.number, ended.state) for ended in step.ended] == [
        (1, CommandState.TIMEOUT),
        (2, CommandState.TIMEOUT),
    ]
    assert "deadline passed" in step.ended[1].why


@given(
    st.lists(
        st.tuples(st.floats(0.01, 3.0), st.sampled_from(["ask", "tell", "1\n", "ok\n", "no\n", "x\n", ""])), max_size=60
    )
)
def test_every_command_ends_once_and_never_two_requests_are_in_flight(steps: list[tuple[float, str]]) -> None:
    protocol, now, given_ = commanded(FAST), 0.0, 0
    ended: list[int] = []
    step = protocol.start(now)
    for pause, what in steps:
        until = now + pause
        while step.wake_at is not None and step.wake_at <= until:
            now = max(now, step.wake_at)
            step = protocol.on_timer(now)
            ended += [one.number for one in step.ended]
        now = until
        if what in ORDERS:
            given_ += 1
            step = protocol.on_command(now, call(given_, what))
        elif what:
            step = protocol.on_packet(now, Packet(what.encode()))
        else:
            continue
        ended += [one.number for one in step.ended]
        assert sum(packet.data != b"t" for packet in step.write) <= 1
    for _ in range(4 * len(steps) + 4):
        now = now if step.wake_at is None else max(now, step.wake_at)
        step = protocol.on_timer(now)
        ended += [one.number for one in step.ended]
    assert ended == list(range(1, given_ + 1))
