"""What is put out of a transcript is nowhere in it any more, and the rest stays as it was."""

import re
from functools import partial
from random import Random

import pytest

from devicehub.driver import FileLink, Options
from devicehub.model.reading import Identity, Result, Scan
from devicehub.record import Line, format_packet, parse, run_transcript, samples_of
from devicehub.redact import Redaction, redacted
from devicehub.registry import device_files, driver_names, load_driver, resealer_of
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol
from drivers.trace.aci_pids3 import encode
from tests.conformance import FIXTURES, options_of, transcripts
from tests.drivers.simulated_hour import heard

# A serial number with escaped bytes in it; one that the driver puts together of numbers: not found, so nothing is kept.
NOT_KEPT = {"thermal.flir_boson_control", "radiation.radex_one"}
# Device files whose device says something of that kind; of the others nothing tells one from another.
PERSONAL = set(device_files()) - NOT_KEPT - {"radiation.atom_fast", "radiation.gq_gmc", "radiation.rapiscan_vm250"}
PUT_OUT = set(b"\0\r0Xx<>-:. ")
SIMULATED = 130.0
TELLING = re.compile(r"serial|site|-id|name")


def _redacted(name: str, file: str) -> tuple[str, Redaction]:
    text = (FIXTURES / name.partition(".")[2] / file).read_text()
    return text, redacted(parse(text), lambda: load_driver(name).open(options_of(text)))


def _secrets(protocol: DeviceProtocol, lines: list[Line]) -> set[bytes]:
    """What scans hold, what people wrote and what is telling, unless all of it was put out."""
    samples = samples_of(protocol, lines)
    scans = {sample.data for sample in samples if isinstance(sample, Scan)}
    facts = [fact for sample in samples if isinstance(sample, Identity) for fact in sample.facts]
    found = scans | {value.encode() for fact, value in facts if TELLING.search(fact)}
    results = [sample for sample in samples if isinstance(sample, Result)]
    found |= {text.encode() for one in results for text in (one.operator, *one.note.split(": ")) if len(text) > 3}
    return {one for one in found if set(one) - PUT_OUT}


@pytest.mark.parametrize("name", driver_names())
async def test_nothing_secret_is_left_in_any_transcript_and_it_replays(name: str) -> None:
    """What a device file's device says comes from its simulated one, which knows a serial number, documents and tags."""
    driver, found = load_driver(name), 0
    for options, lines in await said(name):
        opened = partial(driver.open, options)
        secrets = _secrets(opened(), lines)
        result = redacted(lines, opened, rename=isinstance(driver.link, FileLink), reseal=resealer_of(driver))
        if result.left:
            assert name in NOT_KEPT
            continue
        found += result.values
        data = _heard(result.lines)
        assert [one for one in secrets if len(one) > 3 and one in data] == []
        assert [
            one for one in secrets if {one[at : at + 4] for at in range(len(one) - 3)} & _told(opened(), result)
        ] == []
        again = run_transcript(opened(), result.lines)
        assert [str(line) for line in again] == [str(line) for line in result.lines]
        assert list(map(len, _packets(result.lines))) == list(map(len, _packets(lines)))
    assert found or name not in PERSONAL


async def said(name: str) -> list[tuple[Options, list[Line]]]:
    """The driver's transcripts, or for a device file what was heard of its simulated device."""
    texts = [path.read_text() for path in transcripts(name)]
    if texts:
        return [(options_of(text), parse(text)) for text in texts]
    return [({}, run_transcript(load_driver(name).open({}), await heard(name, SIMULATED)))]


def _packets(lines: list[Line]) -> list[bytes]:
    return [line.packet.data for line in lines if line.sign == "<" and line.packet is not None]


def _heard(lines: list[Line]) -> bytes:
    return b"".join(_packets(lines))


def _told(protocol: DeviceProtocol, result: Redaction) -> set[bytes]:
    """Every four bytes in a row of what the driver now takes for a scan or for telling, zeros and letters X aside."""
    values = _secrets(protocol, result.lines)
    return {value[at : at + 4] for value in values for at in range(len(value) - 3)}


@pytest.mark.parametrize("name", sorted(PERSONAL))
async def test_a_frame_of_a_device_file_passes_its_checks_again_without_what_was_in_it(name: str) -> None:
    """A tag's number, a page of a document, a serial number: none of the frames is refused, as many samples come."""
    driver, values = load_driver(name), 0
    for options, lines in await said(name):
        result = redacted(lines, partial(driver.open, options), reseal=resealer_of(driver))
        assert (result.broken, result.left) == (0, ())
        assert sum(line.sign == "=" for line in result.lines) == sum(line.sign == "=" for line in lines)
        values += result.values
    assert values > 0


async def test_a_tag_s_number_is_zeros_not_the_letters_that_some_of_its_bytes_look_like() -> None:
    driver = load_driver("scanner.uhfreader18")
    ((_, lines),) = await said(driver.name)
    result = redacted(lines, partial(driver.open, {}), reseal=resealer_of(driver))
    scans = {sample.data for sample in samples_of(driver.open({}), result.lines) if isinstance(sample, Scan)}
    assert scans == {bytes(12)}


def test_a_serial_number_is_other_letters_in_a_frame_that_still_passes_its_check() -> None:
    _, result = _redacted("trace.aci_pids3", "start-up.txt")
    assert (result.values, result.broken) == (1, 0)
    told = [line.text for line in result.lines if line.text.startswith("identity")]
    assert "serial='X000000000'" in told[-1]
    assert "firmware='1.02.030'" in told[-1]


def test_what_people_wrote_of_a_screening_is_put_out_and_its_outcome_and_reading_stay() -> None:
    text, result = _redacted("screening.operator_entry", "entries.txt")
    before, after = ([line.text for line in lines if line.sign == "="] for lines in (parse(text), result.lines))
    assert "result alarm AA1234BB dense filling" in before
    assert "result alarm XX0000XX dense filling" in after
    assert (result.left, result.broken, len(after)) == ((), 0, len(before))
    assert b"driver's door" not in _heard(result.lines)
    assert "reading 64.2 good" in after


def test_a_boarding_pass_keeps_its_length_and_its_marks() -> None:
    text, result = _redacted("scanner.hid_pos", "boarding-pass.txt")
    assert "GOOD/MICHAEL" in text
    (scan,) = [line.text for line in result.lines if line.sign == "=" and line.text.startswith("barcode")]
    assert "X0XXXXXXXXXX/XXXXXXX  XXXXXXX XXXXXXXX 0000 000X000X00   000" in scan


def test_a_value_in_pieces_is_put_out_of_every_piece() -> None:
    """A serial line cuts anywhere; the check of a frame in pieces is not made right, which is told."""
    frame, random = encode("device.serialno A792003460"), Random(1)
    whole = [Line(0.01, "<", "", Packet(frame))]
    cut = random.randrange(24, 30)
    pieces = [Line(0.01, "<", format_packet(Packet(part)), Packet(part)) for part in (frame[:cut], frame[cut:])]
    for lines, broken in ((whole, 0), (pieces, 1)):
        result = redacted(lines, lambda: load_driver("trace.aci_pids3").open({}))
        data = b"".join(line.packet.data for line in result.lines if line.sign == "<" and line.packet is not None)
        assert b"X000000000" in data
        assert result.broken == broken
