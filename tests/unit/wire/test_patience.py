"""The rest of a frame is waited for, but not for ever: a line that is silent within one ends it."""

import pytest

from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Measurement, Sample
from devicehub.wire.framer import DelimiterFramer, SyncFramer
from devicehub.wire.packet import Packet
from devicehub.wire.patience import REST_WITHIN, Patience
from devicehub.wire.protocol import FramedProtocol, Poll, Step
from tests.unit.wire.test_framer import MOST, SYNC, Seen, built, check, seen, size

FALSE = SYNC + bytes([MOST - 4])
SECOND = 1.0


def patient() -> Patience:
    return Patience(SyncFramer(SYNC, 3, size, check), SECOND)


def wakes(patience: Patience) -> float | None:
    return patience.wake_at


def timed(patience: Patience, now: float) -> Seen:
    return seen(patience.on_timer(now))


def test_nothing_is_timed_between_frames() -> None:
    patience = patient()
    assert seen(patience.feed(5.0, built(b"1"))) == [built(b"1")]
    assert wakes(patience) is None
    assert timed(patience, 500.0) == []


def test_half_a_frame_is_given_up_when_nothing_came_for_as_long_as_it_says_and_not_before() -> None:
    patience = patient()
    assert seen(patience.feed(5.0, FALSE + built(b"1"))) == []
    assert wakes(patience) == 6.0
    assert timed(patience, 5.9) == []
    assert seen(patience.feed(5.9, built(b"2"))) == []
    assert wakes(patience) == 6.9, "each byte begins the wait anew"
    assert timed(patience, 6.9) == [Reason.TRUNCATED, built(b"1"), built(b"2")]
    assert wakes(patience) is None
    assert timed(patience, 9.0) == []


def test_a_rest_that_comes_late_is_still_the_rest() -> None:
    """Whoever is late reading, not the line, has no timer called in between."""
    patience = patient()
    frame = built(b"late")
    assert seen(patience.feed(5.0, frame[:4])) == []
    assert seen(patience.feed(9.0, frame[4:])) == [frame]
    assert wakes(patience) is None


def test_a_frame_between_delimiters_waits_for_its_delimiter_alone() -> None:
    patience = Patience(DelimiterFramer(b"\n"), SECOND)
    assert seen(patience.feed(5.0, b"on")) == []
    assert wakes(patience) is None
    assert timed(patience, 50.0) == []
    assert seen(patience.feed(50.0, b"e\n")) == [b"one"]


def told(step: Step) -> tuple[list[Sample], list[Reason]]:
    return list(step.samples), [fault.reason for fault in step.faults]


def framed(*polls: Poll) -> FramedProtocol:
    def decode(frame: bytes) -> list[Sample]:
        if len(frame) < 5:
            raise ProtocolError(Reason.LENGTH)
        return [Measurement("value", frame[3])]

    return FramedProtocol(SyncFramer(SYNC, 3, size, check), decode, polls)


def test_an_ordinary_device_is_heard_behind_a_head_that_promised_too_much() -> None:
    protocol = framed()
    assert protocol.start(0.0).wake_at is None
    step = protocol.on_packet(1.0, Packet(FALSE + built(b"\x07")))
    assert (told(step), step.wake_at) == (([], []), 1.0 + REST_WITHIN)
    assert told(protocol.on_timer(1.0 + REST_WITHIN / 2)) == ([], [])
    step = protocol.on_timer(1.0 + REST_WITHIN)
    assert told(step) == ([Measurement("value", 7)], [Reason.TRUNCATED])
    assert step.wake_at is None


@pytest.mark.parametrize("timeout", [REST_WITHIN, 3.0])
def test_an_answer_that_was_swallowed_frees_the_line_and_is_no_timeout(timeout: float) -> None:
    protocol = framed(Poll(b"?", 10.0, timeout))
    assert protocol.start(0.0).wake_at == timeout
    assert protocol.on_packet(0.0, Packet(FALSE + built(b"\x07"))).wake_at == REST_WITHIN
    step = protocol.on_timer(REST_WITHIN)
    assert told(step) == ([Measurement("value", 7)], [Reason.TRUNCATED])
    assert step.wake_at == 10.0
