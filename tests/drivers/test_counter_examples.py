"""Where published devices do otherwise than one expects, and drivers of others go wrong: each on the shipped driver.

The document readers' two are in `tests/unit/devicefile/test_readers.py`: the bottom line in field 3, arming anew.
"""

import pytest

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.load import load
from devicehub.driver import FileLink, OperatorLink
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Capability, Level, Measurement, Sample
from devicehub.registry import device_files, driver_names, load_driver
from devicehub.wire.checksum import crc16_ccitt_false, crc_not_augmented
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol


def opened(name: str) -> DeviceProtocol:
    return load_driver(name).open({})


@pytest.mark.parametrize(
    ("model", "cpm", "value"), [("GMC-320Re 4.19", "001c", 28), ("GMC-600+Re 1.14", "0000001c", 28)]
)
def test_a_gmc_of_two_bytes_and_one_of_four_are_each_read_in_step(model: str, cpm: str, value: int) -> None:
    """The other width would leave two bytes on the line, which shift every answer that follows."""
    counter = opened("radiation.gq_gmc")
    assert [packet.data for packet in counter.start(0.0).write] == [b"<GETVER>>"]
    counter.on_packet(0.1, Packet(model.encode()))
    answers = {
        b"<GETVER>>": model.encode(), b"<GETSERIAL>>": bytes(7), b"<GETCPM>>": bytes.fromhex(cpm), b"<GETVOLT>>": b"3.97v",
        b"<GETDATETIME>>": bytes.fromhex("1a0b17080000aa"),
    }  # fmt: skip
    step, now, samples = counter.on_timer(0.35), 0.35, list[Sample]()
    while now < 9:
        now += 0.1
        sent = b"".join(packet.data for packet in step.write)
        answer = b"\xff" * 1024 if sent.startswith(b"<SPIR") else answers.get(sent)
        step = counter.on_timer(now) if answer is None else counter.on_packet(now, Packet(answer))
        samples += step.samples
        assert step.faults == ()
    counts = [one.value for one in samples if isinstance(one, Measurement) and one.channel == "count-rate"]
    assert len(counts) >= 2
    assert set(counts) == {value}


def test_a_battery_of_99_9_volts_is_refused_since_nothing_else_shows_a_shifted_answer() -> None:
    codec = load(device_files()["radiation.gq_gmc"]).codec
    with pytest.raises(ProtocolError) as refused:
        codec.decode(b"99.9v", ("voltage",), {})
    assert refused.value.reason is Reason.RANGE


def test_a_kromek_message_without_a_check_is_taken_and_one_with_a_wrong_one_is_not() -> None:
    framing = load(device_files()["radiation.kromek_d5"]).framing
    body = bytes.fromhex("0700 00 07 c7")
    framing.verify(body + b"\0\0")
    framing.verify(body + crc16_ccitt_false(body).to_bytes(2, "little"))
    with pytest.raises(Exception, match="checksum"):
        framing.verify(body + b"\1\0")


def test_no_tag_in_the_field_of_a_uhf_reader_is_no_fault_and_the_reader_works() -> None:
    reader = opened("scanner.uhfreader18")
    step = reader.start(0.0)
    while not any(packet.data[2] == 0x01 for packet in step.write):
        assert step.wake_at is not None
        step = reader.on_timer(now := step.wake_at)
    step = reader.on_packet(now, Packet(bytes.fromhex("05 00 01 fb f2 3d")))
    assert step.faults == ()
    assert [one for one in step.samples if isinstance(one, Capability)] == [Capability("tags", Level.FULL)]


def test_the_check_of_a_thingmagic_module_is_not_the_usual_one_of_its_polynomial() -> None:
    version = bytes.fromhex("ff 00 03")
    assert crc_not_augmented(width=16, poly=0x1021, init=0xFFFF)(version[1:]) == 0x1D0C
    assert crc16_ccitt_false(version[1:]) != 0x1D0C
    asked = Conversation(load(device_files()["scanner.thingmagic"]), {}).start(0.0).write
    assert version + bytes.fromhex("1d0c") in [packet.data for packet in asked]


def _on_a_wire(name: str) -> bool:
    return not isinstance(load_driver(name).link, FileLink | OperatorLink)


def _may_be_unchecked(name: str) -> bool:
    return name in device_files() and any(check.zero_is_unchecked for check in load(device_files()[name]).file.check)


@pytest.mark.parametrize("name", [name for name in driver_names() if _on_a_wire(name)])
def test_a_driver_without_a_crc_says_that_swapped_bytes_pass_and_what_carries_the_integrity(name: str) -> None:
    """A CRC sees every swap of neighbours; a sum, an exclusive or, a length do not, nor does a CRC that is not filled in."""
    driver = load_driver(name)
    if "crc" in driver.integrity.lower() and not _may_be_unchecked(name):
        assert driver.plausibility == ""
        return
    passes, _, carries = driver.plausibility.partition("; ")
    assert "swapped" in passes
    assert carries
