"""What carries the integrity where there is no check; packed numbers; the device's own time; a request sent again."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.devicefile.conversation import Conversation
from devicehub.devicefile.framing import Framing
from devicehub.devicefile.load import load
from devicehub.devicefile.messages import Codec
from devicehub.devicefile.telling import Teller
from devicehub.model.errors import ConfigError, ProtocolError, Reason
from devicehub.model.reading import Measurement
from tests.unit.devicefile.files import SMALL, compiled, tables, write

LEVEL = '{ name = "level", type = "u8", unit = "%", channel = "level" }'


def codec(**field: object) -> Codec:
    message = {"name": "m", "match": {"kind": 1}, "fields": [{"name": "kind", "type": "u8"}, {"name": "x", **field}]}
    file = tables(message=[message])
    return Codec(file, Framing(file.frame, ()))


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ({"type": "i16", "scale": 0.1, "within": [-5, 5]}, b"\x01\x32\x00", b"\x01\x33\x00"),
        ({"type": "f32", "within": [-1e38, 1e38]}, b"\x01\x00\x00\x80\x3f", b"\x01\x00\x00\xc0\x7f"),
        ({"type": "decimal", "size": 2, "within": [0, 59]}, b"\x0159", b"\x0160"),
        ({"type": "decimal", "within": [0, 59]}, b"\x0159", b"\x01160"),
        ({"type": "u24", "within": [1, 2]}, b"\x01\x02\x00\x00", b"\x01\x03\x00\x00"),
    ],
)
def test_a_frame_with_a_value_that_cannot_be_is_refused(field: dict[str, object], good: bytes, bad: bytes) -> None:
    assert codec(**field).decode(good, (), {})[0].name == "m"
    with pytest.raises(ProtocolError) as caught:
        codec(**field).decode(bad, (), {})
    assert caught.value.reason is Reason.RANGE


def test_what_means_no_value_is_not_held_against_it() -> None:
    assert codec(type="u8", none=[255], within=[0, 10]).decode(b"\x01\xff", (), {})[1]["x"] is None


@pytest.mark.parametrize(("endian", "data"), [("little", "2c 31 01 ff ff 0f"), ("big", "12 c0 13 ff f0 ff")])
def test_two_numbers_of_twelve_bits_lie_in_three_bytes(endian: str, data: str) -> None:
    packed = codec(type="array", of="u12", endian=endian)
    values = packed.decode(b"\x01" + bytes.fromhex(data), (), {})[1]
    assert values["x"].tolist() == [0x12C, 0x013, 0xFFF, 0x0FF]
    assert packed.encode("m", {"x": values["x"]}, {}) == b"\x01" + bytes.fromhex(data)


@given(numbers=st.lists(st.integers(0, 4095), max_size=9), endian=st.sampled_from(["little", "big"]))
def test_packed_numbers_come_back_however_many(numbers: list[int], endian: str) -> None:
    packed = codec(type="array", of="u12", endian=endian, count=len(numbers))
    frame = packed.encode("m", {"x": np.array(numbers, np.uint16)}, {})
    assert len(frame) == 1 + (len(numbers) * 3 + 1) // 2
    assert packed.decode(frame, (), {})[1]["x"].tolist() == numbers


@pytest.mark.parametrize("data", [b"\x01\x00", b"\x01\x00\x00\x00\x00"])
def test_packed_numbers_that_do_not_fill_the_frame_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        codec(type="array", of="u12").decode(data, (), {})
    assert caught.value.reason is Reason.LENGTH


def dated(folder: Path, device_time: str, fields: str, data: str) -> tuple[list[float | None], list[str]]:
    """What the samples of one frame say of their time, and the faults. `data`: without its sum."""
    data += f" {sum(bytes.fromhex(data)) & 0xFF:02x}"
    made = compiled(
        folder,
        (f"fields = [{LEVEL}]", f"fields = [{LEVEL}{fields}]\ndevice_time = {device_time}"),
        ("03 01 32 36", data),
        ('["level 50 good"]', "[]"),
        ("samples = []", ""),
    )
    faults: list[ProtocolError] = []
    frame = bytes.fromhex(data)
    message, values = made.codec.decode(frame, ("level",), {})
    samples = Teller(made.meanings, (), untested=False).tell(message.name, values, faults)
    return [one.device_time for one in samples if isinstance(one, Measurement)], [str(one.reason) for one in faults]


DATE = "".join(f', {{ name = "{name}", type = "u8" }}' for name in ("year", "month", "day", "hour", "minute", "second"))
BY_DATE = '["year + 2000", "month", "day", "hour", "minute", "second"]'


def test_a_date_of_the_device_is_the_time_of_its_values(tmp_path: Path) -> None:
    """30 November 2026, 2:03:04 UTC."""
    assert dated(tmp_path, BY_DATE, DATE, "09 01 32 1a 0b 1e 02 03 04") == ([1_796_004_184], [])


def test_seconds_of_the_device_are_too(tmp_path: Path) -> None:
    found = dated(tmp_path, '"epoch"', ', { name = "epoch", type = "u32" }', "07 01 32 00 5e 0b 6b")
    assert found == ([0x6B0B5E00], [])


def test_a_date_that_cannot_be_is_a_fault_and_the_value_stays(tmp_path: Path) -> None:
    assert dated(tmp_path, BY_DATE, DATE, "09 01 32 1a 0d 1e 02 03 04") == ([None], ["range"])


def test_some_formulas_are_no_date(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be one formula, or six"):
        dated(tmp_path, '["level", "level"]', "", "03 01 32")


def test_a_request_that_is_sent_again_can_say_so(tmp_path: Path) -> None:
    text = SMALL.replace('send = "01"', 'send = "01 {resend:u8}"\nretries = 1')
    protocol = Conversation(load(write(tmp_path, text)), {})
    assert [one.data.hex() for one in protocol.start(0.0).write] == ["03010004"]
    assert [one.data.hex() for one in protocol.on_timer(0.5).write] == ["03010105"]
