"""Every figure that is stated of a sample file, in `PROVENANCE.md` beside it, is what its bytes say and our readers find.

What the decoders make of whole files stands with their drivers: `test_flir_rjpeg`, `test_seek_compact`, `test_n42`,
`test_vendor_csv`. Here are the tables: sizes, digests, structure, words.
"""

import hashlib
import re
import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from devicehub.model.errors import Reason
from devicehub.wire.packet import Packet
from devicehub.wire.radiometry import AirConstants
from drivers.thermal._fff import CAMERA, COUNTS, camera_info, counts, fff_of, records
from drivers.thermal._seek_frame import dead_pixels
from drivers.thermal.flir_rjpeg import DRIVER as FLIR_FILES
from drivers.thermal.seek_compact import MODEL
from tests.drivers.seek_frames import Camera, pixels
from tests.samples import sample

SIZES = re.compile(r"^\| (?P<name>[\w.]+) \| (?P<size>\d+) \| (?P<digest>[0-9a-f]{16}) \|", re.MULTILINE)
WORDS = re.compile(r"^\| (?P<name>face_\w+) \| (?P<word10>\d+) \| (?P<word40>\d+) \| (?P<word1>\d+) \|$", re.MULTILINE)
SC660 = "thermimage_FLIR_SC660_rjpeg.jpg"
IMAGING = 6


def provenance(folder: str) -> str:
    return sample(folder, "PROVENANCE.md").decode()


def words(name: str) -> NDArray[np.uint16]:
    return np.frombuffer(sample("imaging", f"seek_compact_{name}.bin"), "<u2").reshape(156, 208)


def black() -> NDArray[np.bool_]:
    """Where a Seek Compact is blind by its make: columns k, k + 15, ... of row i, with k = (10 - 4 i) mod 15."""
    rows, columns = np.mgrid[:156, :208]
    predicted = (columns - 10 + 4 * rows) % 15 == 0
    return np.asarray(predicted & (columns < 206))


def test_the_imaging_files_are_those_that_are_described() -> None:
    stated = list(SIZES.finditer(provenance("imaging")))
    assert len(stated) == IMAGING
    for one in stated:
        data = sample("imaging", one["name"])
        assert (len(data), hashlib.sha256(data).hexdigest()[:16]) == (int(one["size"]), one["digest"]), one["name"]


def test_the_words_of_the_seek_frames_are_where_the_driver_looks_for_them() -> None:
    stated = list(WORDS.finditer(provenance("imaging")))
    assert len(stated) == 2
    for one in stated:
        frame = words(one["name"])
        flat = frame.ravel()
        found = [flat[at] for at in (MODEL.layout.id_word, MODEL.layout.counter_word, MODEL.layout.temperature_word)]
        assert found == [int(one["word10"]), int(one["word40"]), int(one["word1"])]
        assert 5755 <= frame[0, 206] <= 5777
        assert not frame[:, 207].any()


def test_2135_of_the_2143_black_pixels_are_0_and_the_others_are_those_that_are_named() -> None:
    frame = words("face_raw")
    predicted, area = black(), frame[:, :206]
    assert predicted.sum() == 2143
    assert (frame[predicted] == 0).sum() == 2135
    seen = {(int(row), int(column)) for row, column in np.argwhere(predicted & (frame != 0))}
    assert seen == {(0, 10), (0, 25), (0, 40), (25, 0), (55, 0), (85, 0), (115, 0), (145, 0)}
    assert ((area == 0) & ~predicted[:, :206]).sum() == 5


def test_the_driver_finds_the_black_pixels_and_the_five_dead_ones_and_puts_none_of_them_in_its_picture() -> None:
    layout = MODEL.layout
    inside = slice(layout.first_row, layout.first_row + layout.height), slice(0, layout.width)
    raw, cal = words("face_raw"), words("face_cal")
    blind = (cal == 0)[inside]
    assert (dead_pixels(cal[inside]) & blind).sum() == blind.sum()
    assert (blind & ~black()[inside]).sum() == 5
    first = bytearray(cal.tobytes())
    struct.pack_into("<H", first, 2 * layout.id_word, 4)  # no id-4 frame was recorded: it shows the same black pixels
    camera = Camera()
    camera.answer_start()
    camera.send(bytes(first))
    camera.send(cal.tobytes())
    (image,) = camera.send(raw.tobytes())
    picture = pixels(image).astype(int)
    uncorrected = (raw[inside].astype(int) + 0x4000 - cal[inside])[blind]
    assert set(uncorrected.tolist()) == {0x4000}
    assert abs(picture[blind].mean() - picture[~blind].mean()) < 5.0
    assert (picture[blind] == 0x4000).mean() < 0.01


def test_the_sc660_picture_has_the_stated_segments_records_and_counts() -> None:
    data = sample("imaging", SC660)
    assert re.findall(rb"\xff\xe1..FLIR\x00\x01(.)\x09", data, re.DOTALL) == [bytes([index]) for index in range(10)]
    fff = fff_of(data)
    assert (len(fff), *struct.unpack_from(">III", fff, 0x14)) == (618308, 100, 64, 14)
    entries = [struct.unpack_from(">HHIIII", fff, 64 + 32 * slot) for slot in range(14)]
    listed = {(kind, offset): (subtype, size) for kind, subtype, _, _, offset, size in entries if kind}
    assert {place: size for place, (_, size) in listed.items()} == {
        (0x20, 512): 2476, (0x22, 2988): 784, (0x21, 3772): 104, (0x01, 3876): 614432,
    }  # fmt: skip
    found = records(fff)
    assert (listed[0x01, 3876][0], found[COUNTS].subtype) == (2, 2)
    raw = counts(found[COUNTS])
    assert raw.shape == (480, 640)
    assert (raw.min(), raw.max(), raw[0, 0], raw[240, 320]) == (17917, 20218, 18090, 18426)


def test_the_sc660_camera_record_is_little_endian_and_has_the_stated_constants() -> None:
    record = records(fff_of(sample("imaging", SC660)))[CAMERA]
    info = camera_info(record)
    assert (record.order, info.model, info.serial) == ("<", "FLIR SC660", "404003980")
    planck, around = info.planck, info.around
    assert (planck.r1, planck.b, planck.f, planck.o, planck.r2) == pytest.approx(
        (21106.77, 1501, 1, -7340, 0.012545258)
    )
    set_to = (around.emissivity, around.distance, around.window_transmission, around.humidity)
    assert set_to == pytest.approx((0.95, 1.0, 1.0, 0.5))
    assert (around.reflected, around.air, around.window) == pytest.approx((20.0, 20.0, 20.0), abs=1e-4)
    assert isinstance(around.constants, AirConstants)


def test_the_i7_file_states_a_png_of_120_by_120_and_holds_one_of_8_by_8() -> None:
    (camera, pictures) = (
        records(fff_of(sample("imaging", "exiftool_FLIR_i7_rjpeg.jpg")))[kind] for kind in (CAMERA, COUNTS)
    )
    assert struct.unpack_from(f"{pictures.order}HH", pictures.data, 2) == (120, 120)
    assert pictures.data[0x20:0x28] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack_from(">II", pictures.data, 0x30) == (8, 8)
    info = camera_info(camera)
    assert (info.model, info.raw_median, info.raw_range) == ("FLIR_i7", 12582, 1980)


def test_a_flir_public_format_file_has_the_stated_header_and_is_refused_by_name() -> None:
    """No driver reads that format: the pixels of this one were cut off, and no device of the facts writes it."""
    data = sample("imaging", "exiftool_FLIR_E40.fpf")
    assert data[:32].rstrip(b"\0") == b"FPF Public Image Format"
    assert struct.unpack_from("<II4H", data, 32) == (2, 892, 0, 2, 160, 120)  # temperatures, 4-byte floats
    assert len(data) < 892 + 160 * 120 * 4
    model, _, serial = (data[at : at + 32].rstrip(b"\0").decode() for at in (0x78, 0x98, 0xB8))
    assert (model, serial) == ("FLIR E40", "49033333")
    assert struct.unpack_from("<f", data, 0x1E0) == pytest.approx((0.95,))
    assert [round(kelvin, 1) for kelvin in struct.unpack_from("<2f", data, 0x2A4)] == [267.3, 277.1]
    step = FLIR_FILES.open({}).on_packet(0.0, Packet(data, "IR_0001.fpf"))
    assert ([fault.reason for fault in step.faults], step.samples) == ([Reason.UNSUPPORTED], ())
    assert "IR_0001.fpf" in step.faults[0].detail


def test_the_log_of_detections_is_latin_1_with_13_columns_and_rows_that_lack_a_comma() -> None:
    data = sample("detect", "kromek-d3s-detections-log.csv")
    header, _, _, *rows = data.decode("latin-1").splitlines()
    assert (b"\xb5" in data, header.count(",")) == (True, 12)
    found = [row for row in rows if row.startswith("Cs-137")]
    assert found
    assert all("7/10/2023NA,NA," in row for row in found)


def test_the_identifier_s_export_counts_its_zeroes() -> None:
    data = sample("detect", "kromek-d3s-searchmode-cs137.n42")
    assert b'compressionCode="CountedZeroes"' in data
    assert len(data) < 20_000
