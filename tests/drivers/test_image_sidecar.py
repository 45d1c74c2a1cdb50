"""Pictures with sidecars: in any order, one of them missing, and files that anybody may have made."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.model.errors import Reason
from devicehub.model.reading import Cause, DeviceAlarm, Image, Layout, Outcome, Result
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, Step
from drivers.screening.image_sidecar import DRIVER, MOST_FOUND, MOST_WAITING
from simulators.screening.image_sidecar import Cabinet
from tests.drivers.hostile import HANG
from tests.drivers.worked import seconds_of


def picture() -> bytes:
    cabinet = Cabinet(Random(1))
    cabinet.do("fault", kind="alone")
    cabinet.do("scan")
    ((_, data),) = cabinet.advance(1.0)
    return data


def given_to(protocol: DeviceProtocol, name: str, data: bytes, now: float = 0.0) -> Step:
    return protocol.on_packet(now, Packet(data, name))


def result(step: Step) -> Result:
    (one,) = [one for one in step.samples if isinstance(one, Result)]
    return one


SIDECAR = json.dumps({"Verdict": "Alarm", "finding": "Knife", "item": "bag", "time": "2026-01-01T00:00:00Z"}).encode()


@pytest.mark.parametrize("names", [("a.png", "a.json"), ("a.json", "a.png"), ("a.PNG", "a.png.json")])
def test_picture_and_sidecar_are_told_at_once_in_any_order_and_share_a_name(names: tuple[str, str]) -> None:
    protocol = DRIVER.open({})
    steps = [given_to(protocol, name, SIDECAR if name.endswith("json") else picture()) for name in names]
    samples = [one for step in steps for one in step.samples]
    (image,) = [one for one in samples if isinstance(one, Image)]
    assert (image.layout, image.width, image.height, image.run) == (Layout.PNG, 96, 64, "a")
    (found,) = [one for one in samples if isinstance(one, Result)]
    assert (found.outcome, found.sample_id, found.note, found.defects) == (Outcome.ALARM, "a", "bag", ())
    assert found.device_time == 1767225600.0
    assert [(one.point, one.active) for one in samples if isinstance(one, DeviceAlarm)] == [
        ("found-knife", True),
        ("found-knife", False),
    ]
    assert steps[-1].wake_at is None


def test_a_picture_whose_sidecar_does_not_come_is_inconclusive_and_never_clear() -> None:
    protocol = DRIVER.open({"wait": 10.0})
    assert given_to(protocol, "a.png", picture(), 5.0).wake_at == 15.0
    late = result(protocol.on_timer(15.0))
    assert (late.outcome, late.sample_id, late.cause) == (Outcome.INCONCLUSIVE, "a", Cause.INCOMPLETE)
    assert protocol.on_timer(30.0) == Step()


def test_a_sidecar_whose_picture_does_not_come_is_a_fault() -> None:
    protocol = DRIVER.open({"wait": 10.0})
    given_to(protocol, "a.json", SIDECAR)
    (fault,) = protocol.on_timer(10.0).faults
    assert (fault.reason, fault.detail) == (Reason.TIMEOUT, "a: no picture within 10 s")


def test_names_and_words_are_those_of_the_maker() -> None:
    options = {"verdict-name": "Decision", "clear-words": "OK,Pass", "alarm-words": "Suspect", "finding-name": "Object"}
    for text, outcome in (("pass", Outcome.CLEAR), ("SUSPECT", Outcome.ALARM), ("maybe", Outcome.INCONCLUSIVE)):
        step = given_to(DRIVER.open(options), "a.txt", f"decision = {text}\n".encode())
        assert result(step).outcome is outcome
        assert bool(result(step).defects) == (outcome is Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("name", "text", "outcome"),
    [
        ("a.json", '{"left":{"verdict":"clear"},"right":{"verdict":"alarm"}}', Outcome.ALARM),
        ("a.json", '{"verdict":"clear","findings":[{"verdict":"alarm"}]}', Outcome.ALARM),
        ("a.json", '{"verdict":["clear","alarm","clear"]}', Outcome.ALARM),
        ("a.json", '{"verdict":"alarm","verdict":"clear"}', Outcome.ALARM),
        ("a.json", '{"Verdict":"clear","verdict":"perhaps"}', Outcome.INCONCLUSIVE),
        ("a.json", '{"left":{"verdict":"clear"},"right":{"verdict":null}}', Outcome.INCONCLUSIVE),
        ("a.json", '{"left":{"verdict":"clear"},"right":{"verdict":[]}}', Outcome.INCONCLUSIVE),
        ("a.xml", "<a><b verdict='clear'/><c><verdict>alarm</verdict></c></a>", Outcome.ALARM),
        ("a.xml", "<a><verdict>clear</verdict><verdict/></a>", Outcome.INCONCLUSIVE),
        ("a.txt", "verdict = clear\nverdict: alarm\n", Outcome.ALARM),
        ("a.txt", "verdict = clear\nverdict =\n", Outcome.INCONCLUSIVE),
    ],
)
def test_of_verdicts_that_differ_the_worst_counts_and_is_told(name: str, text: str, outcome: Outcome) -> None:
    told = result(given_to(DRIVER.open({}), name, text.encode()))
    assert told.outcome is outcome
    assert told.defects[-1].startswith("verdicts that differ: ")


def test_verdicts_that_agree_are_one() -> None:
    told = result(given_to(DRIVER.open({}), "a.json", b'{"left":{"verdict":"clear"},"right":{"verdict":"Clear"}}'))
    assert (told.outcome, told.defects) == (Outcome.CLEAR, ())


def test_all_findings_of_a_list_are_alarms_and_of_other_texts_the_first_is_told() -> None:
    text = '{"verdict":"alarm","item":["bag","box"],"found":[{"finding":"knife"},{"finding":"gun"}]}'
    step = given_to(DRIVER.open({}), "a.json", text.encode())
    assert [one.name for one in result(step).identified] == ["knife", "gun"]
    assert [one.point for one in step.samples if isinstance(one, DeviceAlarm) and one.active] == [
        "found-knife",
        "found-gun",
    ]
    assert result(step).note == "bag"
    assert result(step).defects == ("2 texts of the item: the first is told",)


def test_findings_that_are_not_told_are_counted() -> None:
    text = json.dumps({"verdict": "alarm", "finding": [f"f{number}" for number in range(MOST_FOUND + 1)]})
    step = given_to(DRIVER.open({}), "a.json", text.encode())
    assert len([one for one in step.samples if isinstance(one, DeviceAlarm) and one.active]) == MOST_FOUND
    assert result(step).defects == (f"of {MOST_FOUND + 1} findings {MOST_FOUND} are told",)


HOSTILE = pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", picture()[:-20]),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.jpg", b"\xff\xd8\xff\xd9"),
        ("a.json", b"{" * 60_000),
        ("a.json", b'{"a":' * 10_000),
        ("a.json", b" " * 70_000),
        ("a.json", b"[" * 60_000),
        ("a.json", b"[" * 800 + b"1," * 20_000),
        ("a.txt", b"".join(b"%d=1\n" % number for number in range(2000))),
        ("a.xml", b"<!DOCTYPE a><a/>"),
        ("a.exe", b""),
        ("a.png", bytes(17 * 1024 * 1024)),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(16_000_000)),
        ("a.jpg", b"\xff\xd8" + b"\xff\xfe\x00\x02" * 4_000_000),
    ],
    ids=range(14),
)


@HOSTILE
def test_what_is_refused_is_refused_by_name(name: str, data: bytes) -> None:
    (fault,) = given_to(DRIVER.open({}), name, data).faults
    assert name in str(fault)


@pytest.mark.alone
@HOSTILE
def test_what_is_refused_is_refused_soon(name: str, data: bytes) -> None:
    assert seconds_of(lambda: given_to(DRIVER.open({}), name, data)) < HANG


def test_what_waits_is_bounded_and_the_oldest_is_told_first() -> None:
    protocol = DRIVER.open({})
    data = picture()
    steps = [given_to(protocol, f"{number}.png", data) for number in range(MOST_WAITING + 1)]
    assert result(steps[-1]).sample_id == "0"


@pytest.mark.alone
@pytest.mark.parametrize(
    "data",
    [b'{"a":' + b"[" * 800 + b"1," * 20_000 + b"1" + b"]" * 800 + b"}", b'{"verdict":[' + b'"",' * 15_000 + b'""]}'],
    ids=["deep", "long"],
)
def test_a_sidecar_of_many_values_is_read_soon(data: bytes) -> None:
    assert seconds_of(lambda: result(given_to(DRIVER.open({}), "a.json", data))) < HANG


@settings(deadline=None)
@given(
    st.text(alphabet='{}[]":,<>/=a verdictclear\n\x00é', max_size=80),
    st.sampled_from(["a.json", "a.xml", "a.txt", "a.png", "a", ".json", "..", "a.png.xml"]),
)
def test_any_text_under_any_name_gives_samples_or_a_fault_of_ours(text: str, name: str) -> None:
    for data in (text.encode(), text.encode("latin-1")):
        step = given_to(DRIVER.open({}), name, data)
        assert step.samples or step.faults
