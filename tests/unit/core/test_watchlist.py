"""The watch list: what is found on it, what the alarm says, and what it does not."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.core import Core, Setting
from devicehub.core.alarms import StandingAlarm
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.core.watchlist import POINT, WatchList, entry, keyed
from devicehub.model.alarm import AlarmState, Condition
from devicehub.model.message import Kind, Message
from devicehub.model.payload import AlarmData
from devicehub.model.reading import Scan
from tests.unit.core.bench import at, driver, ids, kinds, said, step
from tests.unit.core.operators import closed
from tests.unit.core.test_mrz import DIGITS, LONG_TD1, TD1, TD2, TD3, VISA

KEY = b"k" * 32


def watching(*texts: str, publish: Publish = Publish.HASH) -> Core:
    watch = WatchList.of("stolen-documents", [entry(text, KEY) for text in texts])
    return Core(Setting(devices={"dev": driver()}, scans=ScanPolicy(publish, KEY, watch), ids=ids()))


def scanned(one: Core, text: str | bytes, mono: float = 1.0) -> list[Message]:
    data = text if isinstance(text, bytes) else text.encode()
    return step(one, said(Scan("barcode", "qr", data), mono)).messages


def alarm(messages: list[Message]) -> AlarmData:
    data = [one.data for one in messages if one.kind is Kind.ALARM][-1]
    assert isinstance(data, AlarmData)
    return data


def test_an_entry_of_a_text_is_the_hash_that_is_published_of_its_scan() -> None:
    assert entry("TKT-1", KEY) == hmac.new(KEY, b"TKT-1", hashlib.sha256).digest() == keyed(b"TKT-1", KEY)


def test_a_scan_on_the_list_raises_a_detection_that_stays_until_it_is_closed() -> None:
    one = watching("TKT-1")
    messages = scanned(one, "TKT-1")
    assert kinds(messages) == ["scan", "alarm.raised", "alarm.raised", "alarm.returned", "alarm.returned"]
    told = alarm(messages)
    assert (told.state, told.latched, told.active, told.category) == (AlarmState.LATCHED, True, False, "threat")
    assert (told.condition, told.message.key) == (Condition.LISTED, "alarm.listed")
    assert told.message.args == {"device": "dev", "text": "stolen-documents"}
    assert messages[1].causation == messages[0].id
    assert "alarm.cleared" in kinds(closed(one, POINT, 2.0))


def test_a_second_hit_is_the_same_alarm_once_more() -> None:
    one = watching("TKT-1")
    first = alarm(scanned(one, "TKT-1"))
    second = alarm(scanned(one, "TKT-1", 2.0))
    assert (second.alarm, second.activations) == (first.alarm, 2)


def test_the_digest_of_a_list_is_of_its_label_and_entries_in_any_order() -> None:
    entries = [entry(text, KEY) for text in ("TKT-1", "TKT-2", "TKT-3")]
    digest = WatchList.of("x", entries).rules
    assert WatchList.of("x", reversed(entries + entries)).rules == digest
    assert digest not in {WatchList.of("y", entries).rules, WatchList.of("x", entries[1:]).rules}


@pytest.mark.parametrize("text", ["TKT-2", "tkt-1", "TKT-1 TKT-1", ""])
def test_what_is_not_on_the_list_raises_nothing(text: str) -> None:
    assert kinds(scanned(watching("TKT-1"), text)) == ["scan"]


def test_nothing_personal_is_in_what_is_told_of_a_hit() -> None:
    said_of_it = repr(scanned(watching(TD3), TD3))
    assert "ERIKSSON" not in said_of_it
    assert "L898902C3" not in said_of_it
    assert entry(TD3, KEY).hex() not in said_of_it


def test_with_nothing_published_the_list_is_watched_all_the_same() -> None:
    messages = scanned(watching("TKT-1", publish=Publish.OFF), "TKT-1")
    assert {one.kind for one in messages} == {Kind.EVENT, Kind.ALARM}
    assert messages[0].causation == ""


@pytest.mark.parametrize("text", [TD3, TD2, TD1, VISA, LONG_TD1])
@pytest.mark.parametrize("separator", ["\r", "\r\n", "\n", ""])
def test_a_document_is_found_however_its_lines_are_parted_and_whatever_else_it_says(text: str, separator: str) -> None:
    one = watching(text.replace("\n", ""))
    assert "alarm.raised" in kinds(scanned(one, text.replace("\n", separator) + "\r\n"))
    renamed = text.replace("ERIKSSON", "ERICSSON").replace("STEVENSON", "STEPHENSO")
    assert "alarm.raised" in kinds(scanned(one, renamed, 2.0))


def test_a_document_is_found_by_issuer_and_number_and_when_it_had_to_be_repaired() -> None:
    one = watching("UTO L898902C3")
    assert "alarm.raised" in kinds(scanned(one, TD3.replace("7408122F", "74O8I22F")))
    assert kinds(scanned(watching("D L898902C3"), TD3)) == ["scan"]


@given(st.binary(max_size=200), st.sampled_from([*DIGITS, "TKT-1"]))
def test_any_bytes_are_looked_up_and_found_only_where_they_are_listed(data: bytes, listed: str) -> None:
    watch = WatchList.of("x", [entry(listed, KEY)])
    assert watch.has(listed.encode(), KEY)
    assert not watch.has(listed.encode(), b"another key")
    if data.strip() != listed.encode():
        assert not watch.has(data, KEY)
    assert WatchList.of("x", [keyed(data, KEY)]).has(data, KEY)


def test_a_hit_outlives_a_restart_and_a_reload_without_the_list() -> None:
    told = alarm(scanned(watching("TKT-1"), "TKT-1"))
    again = watching()
    assert again.resume([StandingAlarm("dev", POINT, told)], at(100)) == []
    plain = Setting(devices={"dev": driver()}, scans=ScanPolicy(Publish.HASH, KEY), ids=ids())
    assert again.revise(plain, (), at(101)) == []
    assert again.alarms.count() == 1
