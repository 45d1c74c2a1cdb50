"""Topics: legal whatever the text, by the contract's table."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.model.message import Kind
from devicehub.publish.topics import RULES, Lane, Topics, segment
from tests.unit.publish.examples import message, messages

SEGMENT = re.compile(r"[a-z0-9-]{1,64}")
ANY_TEXT = st.text(st.characters(), max_size=200)  # every code point, surrogates included
TOPICS = Topics("xk-merdare", "lane2-ws1", exercise=False)


@given(ANY_TEXT)
def test_any_text_gives_a_legal_segment(text: str) -> None:
    assert SEGMENT.fullmatch(segment(text))


@given(st.from_regex(SEGMENT, fullmatch=True))
def test_a_legal_segment_stays_as_it_is(text: str) -> None:
    assert segment(text) == text


@given(ANY_TEXT, ANY_TEXT)
def test_two_texts_never_meet_in_one_segment(one: str, other: str) -> None:
    assert (segment(one) == segment(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "legible"), [("FLIR E8-XT", "flir-e8-xt-"), ("Пункт/#", ""), ("Grenzübergang", "grenzubergang-")]
)
def test_what_is_legible_stays_legible(text: str, legible: str) -> None:
    assert re.fullmatch(rf"{legible}[0-9a-f]{{12}}", segment(text))


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.sampled_from([Kind.READING, Kind.ALARM, Kind.DEVICE]))
def test_no_topic_ever_contains_what_a_broker_chokes_on(
    site: str, node: str, device: str, point: str, kind: Kind
) -> None:
    topics = Topics(segment(site), segment(node), exercise=True)
    topic = topics.topic(message(kind, None, device=segment(device), point=segment(point)))
    assert not set(topic) & set("+#\0 $")
    assert all(SEGMENT.fullmatch(level) for level in topic.split("/"))


@given(ANY_TEXT.filter(lambda text: not SEGMENT.fullmatch(text)))
def test_a_text_that_did_not_come_from_the_encoder_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a topic segment"):
        Topics(text, "node", exercise=False)
    with pytest.raises(ValueError, match="not a topic segment"):
        Topics("site", text, exercise=False)
    with pytest.raises(ValueError, match="not a topic segment"):
        TOPICS.topic(message(Kind.READING, None, device=text))


@pytest.mark.parametrize("point", ["a/b", "a b", "+", "#", "tnt\0", "TNT"])
def test_an_illegal_point_is_refused_even_where_the_topic_does_not_show_it(point: str) -> None:
    for kind in (Kind.READING, Kind.FRAME, Kind.STATUS):
        with pytest.raises(ValueError, match="not a topic segment"):
            TOPICS.topic(message(kind, None, point=point))


@pytest.mark.parametrize("kind_of", ["alarm/raised", "alarm raised", "alarm\0", "Alarm", "alarm.+"])
def test_an_illegal_type_is_refused_whatever_the_kind(kind_of: str) -> None:
    for kind in (Kind.READING, Kind.EVENT, Kind.STATUS):
        with pytest.raises(ValueError, match="not a topic segment"):
            TOPICS.topic(message(kind, None, kind_of=kind_of))


def test_topics_are_those_of_the_contract() -> None:
    prefix = "devicehub/v1/xk-merdare/lane2-ws1/"
    assert {TOPICS.topic(one).removeprefix(prefix) for one in messages()} == {
        "status",
        "info",
        "health",
        "describe/trace-1",
        "device/trace-1",
        "capability/trace-1",
        "lane",
        "state/trace-1",
        "reading/trace-1",
        "reading/trace-1/tnt",
        "result/trace-1",
        "frame/trace-1",
        "capture/trace-1",
        "scan/trace-1",
        "alarm/trace-1/tnt-high",
        "event/alarm-raised",
        "event/device-lost",
        "event/lane-changed",
        "inspection/desk-1",
        "event/inspection-ended",
        "event/preflight-ended",
        "event/hub-started",
        "gap/journal",
        "res/trace-1/identify",
        "event/command",
    }
    assert TOPICS.status == prefix + "status"


def test_an_exercise_never_shares_a_branch_with_what_is_real() -> None:
    topics = Topics("site", "node", exercise=True)
    assert topics.status == "devicehub-sim/v1/site/node/status"


def test_a_gap_must_carry_gap_data() -> None:
    with pytest.raises(ValueError, match="a gap message carries NoneType"):
        TOPICS.topic(message(Kind.GAP, None))


def test_rules_are_those_of_the_contract() -> None:
    board = {kind for kind, rule in RULES.items() if rule.lane is Lane.BOARD}
    assert board == {
        Kind.STATUS,
        Kind.INFO,
        Kind.HEALTH,
        Kind.DESCRIBE,
        Kind.DEVICE,
        Kind.CAPABILITY,
        Kind.LANE,
        Kind.STATE,
        Kind.FRAME,
    }
    assert {kind for kind, rule in RULES.items() if rule.retain} == board - {Kind.FRAME} | {Kind.ALARM, Kind.INSPECTION}
    assert {kind for kind, rule in RULES.items() if rule.qos == 0} == {Kind.HEALTH, Kind.STATE, Kind.FRAME}
    assert {kind: rule.expiry for kind, rule in RULES.items() if rule.expiry} == {
        Kind.HEALTH: 60,
        Kind.LANE: 60,
        Kind.FRAME: 10,
        Kind.SCAN: 300,
        Kind.RES: 300,
    }
    assert set(RULES) == set(Kind)
    assert {rule.qos for rule in RULES.values()} == {0, 1}
