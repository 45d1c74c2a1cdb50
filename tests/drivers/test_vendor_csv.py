"""CSV files by a column map: a real log with its defects, and what is doubtful, refused and bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.config.columns import CsvConfig, column_map
from devicehub.model.columns import USUAL
from devicehub.model.errors import Reason
from devicehub.model.reading import Cause, DeviceAlarm, Measurement, Outcome, Quality, Result
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step
from drivers.screening._csv_rows import MOST_BYTES, MOST_ROWS
from drivers.screening.vendor_csv import DRIVER, mapped
from tests.drivers.hostile import HANG
from tests.drivers.worked import seconds_of
from tests.samples import sample

LOG: dict[str, object] = {
    "ignore": ["Search Activity"],
    "finding": "Detection ID",
    "time": {"columns": ["Date", "Time"], "format": "%m/%d/%Y %H:%M:%S.%f", "zone": "-05:00"},
    "column": [
        {"column": "Dose", "channel": "dose-rate", "unit": "uSv/h"},
        {"column": "Total Count", "channel": "counts"},
        {"column": "Longitude", "channel": "longitude"},
    ],
}
SMALL: dict[str, object] = {
    "delimiter": ";",
    "decimal": ",",
    "encoding": "cp1251",
    "column": [{"column": "Щільність", "channel": "density", "unit": "g/cm2"}],
    "time": {"columns": ["Дата"], "format": "%d.%m.%Y %H:%M", "zone": "Europe/Kyiv"},
    "verdict": {"column": "Вердикт", "clear": ["норма"], "alarm": ["*"]},
    "item": "Предмет",
}
HEADER = "Дата;Предмет;Щільність;Вердикт\r\n"


def read(config: dict[str, object], data: bytes) -> Step:
    return mapped(column_map(CsvConfig.model_validate(config))).open({}).on_packet(0.0, Packet(data, "a.csv"))


def usual(data: bytes) -> Step:
    return DRIVER.open({}).on_packet(0.0, Packet(data, "a.csv"))


def small(rows: str, **changes: object) -> Step:
    return read(SMALL | changes, (HEADER + rows).encode("cp1251"))


def results(step: Step) -> list[Result]:
    return [one for one in step.samples if isinstance(one, Result)]


def numbers(step: Step) -> list[tuple[str, float, Quality]]:
    return [(one.channel, one.value, one.quality) for one in step.samples if isinstance(one, Measurement)]


def test_a_real_log_in_latin_1_with_a_missing_comma_is_read_up_to_it_and_flagged() -> None:
    step = read(LOG, sample("detect", "kromek-d3s-detections-log.csv"))
    assert not step.faults
    assert len(results(step)) == 35
    assert {one.outcome for one in results(step)} == {Outcome.ALARM}
    first = results(step)[0]
    assert first.cause is Cause.INCONSISTENT
    assert first.defects == (
        "not utf-8: read as Latin-1",
        "line 4: '7/10/2023NA' holds two columns: a delimiter is missing",
        "line 4: column 'Longitude' is behind the missing one and was not taken",
    )
    assert first.device_time == 1689009707.964  # 12:21:47.964 five hours behind UTC
    assert numbers(step)[:2] == [("dose-rate", 0.03, Quality.UNCERTAIN), ("counts", 90.4, Quality.UNCERTAIN)]
    assert len(numbers(step)) == 70
    assert max(value for channel, value, _ in numbers(step) if channel == "dose-rate") == 0.43


def test_a_decimal_comma_another_alphabet_a_zone_and_words_of_the_vendor_s() -> None:
    step = small("01.07.2026 12:00;двері;12,5;Норма\r\n01.01.2026 12:00;колесо;64,2;УВАГА\r\n")
    clear, alarm = results(step)
    assert (clear.outcome, clear.sample_id, clear.device_time) == (Outcome.CLEAR, "двері", 1782896400.0)  # 09:00 UTC
    assert (alarm.outcome, alarm.device_time) == (Outcome.ALARM, 1767261600.0)  # 10:00 UTC
    assert numbers(step) == [("density", 12.5, Quality.GOOD), ("density", 64.2, Quality.GOOD)]
    assert [(one.point, one.active) for one in step.samples if isinstance(one, DeviceAlarm)] == [
        ("found", True),
        ("found", False),
    ]


@pytest.mark.parametrize(
    ("row", "outcome", "told"),
    [
        ("01.07.2026 12:00;x;1;", Outcome.INCONCLUSIVE, "is not one of the column map's"),
        ("01.07.2026 12:00;x;1", Outcome.INCONCLUSIVE, "is not one of the column map's"),
        ("25.10.2026 03:30;x;1;норма", Outcome.CLEAR, "came twice that day"),
        ("2026-07-01;x;1;норма", Outcome.CLEAR, "is no time of the form"),
        ("01.07.2026 12:00;x;1.5;норма", Outcome.CLEAR, "is no number"),
    ],
)
def test_what_is_doubtful_is_told_and_not_repaired(row: str, outcome: Outcome, told: str) -> None:
    (result,) = results(small(row))
    assert result.outcome is outcome
    assert told in result.defects[-1]


def test_without_a_verdict_a_row_that_ends_early_is_not_clear() -> None:
    config: dict[str, object] = {"column": [{"column": "a", "channel": "a"}], "finding": "c"}
    assert [one.outcome for one in results(read(config, b"a,b,c\n1,2,\n1,2\n1,2,x\n"))] == [
        Outcome.CLEAR, Outcome.INCONCLUSIVE, Outcome.ALARM,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ("clear,alarm", Outcome.ALARM),
        ("alarm,clear", Outcome.ALARM),
        ("clear,perhaps", Outcome.INCONCLUSIVE),
        ("clear,", Outcome.INCONCLUSIVE),
        ("clear,aborted", Outcome.ABORTED),
        ("clear,clear", Outcome.CLEAR),
    ],
)
def test_of_two_columns_of_verdicts_the_worse_counts_and_both_are_told(verdicts: str, outcome: Outcome) -> None:
    (told,) = results(usual(f"time,item,reading,finding,note,verdict,verdict\n,,,,,{verdicts}\n".encode()))
    assert (told.outcome, told.cause) == (outcome, Cause.INCONSISTENT)
    assert told.defects[0] == "2 columns 'verdict'"


def test_a_row_that_ends_before_its_second_verdict_is_not_clear() -> None:
    (told,) = results(usual(b"time,item,reading,finding,note,verdict,verdict\n,,,,,clear\n"))
    assert told.outcome is Outcome.INCONCLUSIVE


def test_of_two_columns_of_findings_both_are_alarms_and_of_two_of_numbers_the_first_is_uncertain() -> None:
    step = usual(b"time,item,reading,reading,finding,finding,note,verdict\n,,1,2,knife,gun,,alarm\n")
    assert [one.point for one in step.samples if isinstance(one, DeviceAlarm) and one.active] == [
        "found-knife",
        "found-gun",
    ]
    assert numbers(step) == [("reading", 1.0, Quality.UNCERTAIN)]
    assert results(step)[0].defects == ("2 columns 'reading'", "2 columns 'finding'")


def test_without_a_verdict_the_second_column_of_findings_is_an_alarm_too() -> None:
    config: dict[str, object] = {"column": [{"column": "a", "channel": "a"}], "finding": "c"}
    assert [one.outcome for one in results(read(config, b"a,c,c\n1,,x\n"))] == [Outcome.ALARM]


def test_two_columns_of_a_name_that_the_map_does_not_take_are_nothing() -> None:
    (told,) = results(usual(b"time,item,reading,finding,note,verdict,a,a\n,,,,,clear,1,2\n"))
    assert (told.outcome, told.cause, told.defects) == (Outcome.CLEAR, Cause.NONE, ())


def test_numbers_name_columns_where_there_is_no_header() -> None:
    config: dict[str, object] = {"header": False, "skip": 1, "column": [{"column": "2", "channel": "a"}]}
    step = read(config, b"Export 1\n7;8,9\n\n1,2\n")
    assert numbers(step) == [("a", 9.0, Quality.GOOD), ("a", 2.0, Quality.GOOD)]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [("x;y;1;норма;5", Reason.LENGTH), (";;12x;норма", Reason.RANGE), ('"' + "x" * 140_000, Reason.CORRUPT)],
)
def test_what_is_refused_is_named(rows: str, reason: Reason) -> None:
    (fault,) = small(rows).faults
    assert fault.reason is reason
    assert "line 2" in str(fault)


def test_a_file_without_its_columns_is_refused() -> None:
    (fault,) = read(SMALL, b"a;b\r\n1;2").faults
    assert fault.reason is Reason.UNSUPPORTED
    assert "no column" in str(fault)


HOSTILE = pytest.mark.parametrize(
    "data",
    [
        b"reading,verdict,item,finding,note,time\n" + b"1,clear,,,,\n" * (MOST_ROWS + 1),
        b"reading,verdict,item,finding,note,time\n" + b"x,y\n" * 200_000,
        b"," * 1_000_000,
        b"\n" * 1_000_000,
        b'"' * 1_000_000,
        b"time," + b"x" * 999_000,
        b"reading,verdict,item,finding,note,time\n" + b"1" * 130_000 + b",clear,,,," + b"9" * 130_000,
        b"reading,verdict,item,finding,note,time\n"
        + (b"1.5,alarm,%b,%b,%b,2026-01-01T00:00:00+02:00\n" % (b"i" * 300, b"f" * 300, b"n" * 300)) * 999,
        b"reading,verdict,item,finding,note,time,"
        + b"finding," * 20
        + b"\n"
        + (b"1,alarm,i,f,n," + b",a,b,c,d" * 5 + b"\n") * 999,
        b"reading,verdict,item,finding,note,time\n" + b"x,who,i,f,n,2026-13-01\n" * 1999,
        b"reading\n" + (b"a," * 200 + b"\n") * 1999,
        bytes(MOST_BYTES),
        bytes(MOST_BYTES + 1),
    ],
    ids=range(13),
)


@pytest.mark.alone
@HOSTILE
def test_no_file_takes_long(data: bytes) -> None:
    assert seconds_of(lambda: usual(data)) < HANG


@HOSTILE
def test_no_file_gives_more_samples_than_a_file_may_have_rows_for(data: bytes) -> None:
    step = usual(data)
    assert len(step.samples) <= 2 * MOST_ROWS


@settings(deadline=None)
@given(
    st.text(alphabet='time,\n\r";\x00 0123456789-:TZalrmcé', max_size=200),
    st.sampled_from(["utf-8", "latin-1", "utf-16"]),
)
def test_any_text_gives_samples_or_faults_of_ours(text: str, encoding: str) -> None:
    for column_config in (USUAL, column_map(CsvConfig.model_validate(SMALL))):
        for data in (text.encode(encoding), b"time,item,verdict,finding,reading,note\n" + text.encode(encoding)):
            mapped(column_config).open({}).on_packet(0.0, Packet(data, "a.csv"))
