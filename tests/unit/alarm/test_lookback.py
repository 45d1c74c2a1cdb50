"""Figures from what is on record: the same as the running hub has, and what only a longer look shows."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.alarm.lookback import Figures, LookBack, Told
from devicehub.alarm.tally import WINDOW
from devicehub.core import Core
from devicehub.model.alarm import Disposition, Verb
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData, RateData
from tests.unit.core.bench import HIGH, LOW, at, core, level, step
from tests.unit.core.operators import act, operate

POINT = "dev/level-high"


def told(messages: Iterable[Message]) -> list[Told]:
    return [
        Told(one.time, one.device, one.point, one.type.removeprefix("alarm."), one.data)
        for one in messages
        if one.kind is Kind.EVENT and isinstance(one.data, AlarmData)
    ]


def looked_back(messages: Iterable[Message], now: float, since: float | None = None) -> Figures:
    back = LookBack(since)
    for one in told(messages):
        back.take(one)
    return back.figures(at(now).utc)


def came_and_went(one: Core, *times: float) -> list[Message]:
    return [message for mono in times for value in (20.0, 0.0) for message in step(one, level(value, mono)).messages]


def closed(one: Core, mono: float, disposition: Disposition) -> list[Message]:
    acts = [act(Verb.ACK), act(Verb.CONFIRM, disposition=disposition)]
    return [message for what in acts for message in operate(one, what, mono).messages]


def test_nothing_on_record_is_no_alarm() -> None:
    figures = LookBack().figures(at(0).utc)
    assert (figures.alarms, figures.standing, figures.span_s, figures.ack_p50_s) == (0, 0, 0.0, None)
    assert {share.share for share in figures.priorities.values()} == {None}


def test_what_people_did_becomes_response_times_and_rates() -> None:
    one = core(HIGH)
    messages: list[Message] = []
    for start, disposition in (
        (0.0, Disposition.NUISANCE),
        (1000.0, Disposition.CONFIRMED_THREAT),
        (2000.0, Disposition.TEST),
    ):
        messages += came_and_went(one, start) + closed(one, start + 60.0, disposition)
    figures = looked_back(messages, 3000.0)
    assert (figures.alarms, figures.standing, figures.span_s) == (3, 0, 3000.0)
    assert figures.per_10min == pytest.approx(3 * WINDOW / 3000.0, abs=0.001)
    assert (figures.ack_p50_s, figures.ack_p95_s) == (60.0, 60.0)
    assert figures.false_alarms == {POINT: RateData(2, 1, 0.5)}
    assert figures.false_by_device == {"dev": RateData(2, 1, 0.5)}
    assert {name: share.alarms for name, share in figures.priorities.items()} == {"low": 0, "medium": 0, "high": 3}
    assert figures.priorities["high"].share == 1.0


def test_a_point_that_came_three_times_in_a_minute_chattered_however_long_ago() -> None:
    figures = looked_back(came_and_went(core(HIGH), 0.0, 20.0, 40.0, 500.0), 86_400.0)
    assert figures.chattering == {POINT: 1}
    assert (figures.alarms, figures.standing) == (4, 1), "one alarm that was heard four times"


def test_what_stands_for_more_than_a_day_is_stale() -> None:
    messages = came_and_went(core(HIGH), 0.0)
    assert looked_back(messages, 86_300.0).stale == ()
    assert looked_back(messages, 86_500.0).stale == (POINT,)
    assert looked_back(messages, 86_500.0).standing == 1


def test_what_was_before_is_known_and_not_counted() -> None:
    one = core(HIGH)
    messages = came_and_went(one, 0.0) + closed(one, 1000.0, Disposition.NUISANCE) + came_and_went(one, 2000.0)
    figures = looked_back(messages, 3000.0, at(500.0).utc)
    assert (figures.alarms, figures.standing, figures.span_s) == (1, 1, 2500.0)
    assert figures.ack_p50_s is None, "the alarm came before, so that nobody knows how long of it was waited"
    assert figures.false_alarms == {POINT: RateData(1, 1, 1.0)}


def test_a_clock_that_is_set_back_does_not_count_backwards() -> None:
    one = core(HIGH)
    first, *rest = told(came_and_went(one, 0.0) + closed(one, 60.0, Disposition.NUISANCE))
    back = LookBack()
    back.take(first)
    for one_told in rest:
        back.take(Told(one_told.time - 86_400.0, one_told.device, one_told.point, one_told.word, one_told.data))
    figures = back.figures(at(100.0).utc - 86_400.0)
    assert (figures.span_s, figures.ack_p50_s) == (100.0, 60.0)


STEPS = st.one_of(
    st.tuples(st.just("value"), st.floats(-30, 30), st.floats(0.1, 400)),
    st.tuples(st.sampled_from(["ack", "confirm", "out-of-service", "in-service"]), st.just(0.0), st.floats(0.1, 400)),
)


@given(st.lists(STEPS, max_size=60))
def test_it_says_what_the_running_hub_says(steps: list[tuple[str, float, float]]) -> None:
    one, messages, now = core(HIGH, LOW), list[Message](), 0.0
    for what, value, wait in steps:
        now += wait
        if what == "value":
            messages += step(one, level(value, now)).messages
            continue
        disposition = Disposition.NUISANCE if what == "confirm" else None
        messages += operate(one, act(Verb(what), disposition=disposition), now).messages
    hub = one.alarms._register.statistics(at(now))
    figures = looked_back(messages, now)
    assert figures.standing == hub.data.standing  # type: ignore[union-attr]  # statistics
    assert figures.alarms == hub.data.alarms  # type: ignore[union-attr]
    assert figures.peak_10min == hub.data.peak_10min  # type: ignore[union-attr]
    assert figures.floods == hub.data.floods  # type: ignore[union-attr]
    assert figures.false_alarms == hub.data.false_alarms  # type: ignore[union-attr]
    assert figures.ack_p50_s == pytest.approx(hub.data.ack_p50_s, abs=0.002)  # type: ignore[union-attr]
