"""Every published vector decodes to its stated value, is made again of it, and survives being cut.

The vectors are read when the test runs, and none is left out: a driver, its simulated device or both decode it; the
driver, the simulated device or the test encodes what it means. What comes from the device comes in any pieces. What its
link carries whole, which a table lists, is cut all the same: then nothing comes of it that looks true and is not.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devicehub.devicefile.framers import Replies
from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_bytes
from devicehub.driver import BleLink
from devicehub.registry import device_files, driver_names, load_driver, load_simulator
from devicehub.simulator import SerialSimulator
from tests.real import vector_proofs_detect as detect
from tests.real import vector_proofs_imaging as imaging
from tests.real import vector_proofs_thermal as thermal
from tests.real.published_vectors import Cut, Vectors, samples, sections
from tests.real.vector_proofs_p2pro import p2pro_vendor
from tests.real.vector_proofs_seek import seek_compact
from tests.real.vector_proofs_wifi import wifi
from tests.samples import SAMPLES

pytestmark = pytest.mark.real
LONG = 64
LONG_FRAME = 1544
COUNTED = Counter(vectors=184, decoded=184, encoded=184, cut=74, torn=110)

# Section: the driver it belongs to, and its proof.
PROOFS: Mapping[str, tuple[str, Callable[[Vectors], None]]] = MappingProxyType(
    {
        "planck": ("thermal.flir_rjpeg", imaging.planck),
        "one_64th_kelvin": ("thermal.infiray_p2pro", imaging.one_64th_kelvin),
        "gy_mcu90640": ("thermal.gy_mcu90640", imaging.gy_mcu90640),
        "flir_one": ("thermal.flir_one", thermal.flir_one),
        "wifi": ("endoscope.i4season", wifi),
        "p3_commands": ("thermal.thermal_master_p3", thermal.p3_commands),
        "p2pro_vendor": ("thermal.infiray_p2pro_control", p2pro_vendor),
        "lepton_tlinear": ("thermal.flir_lepton", thermal.lepton_tlinear),
        "boson_fslp": ("thermal.flir_boson_control", thermal.boson_fslp),
        "seek_compact": ("thermal.seek_compact", seek_compact),
        "useeplus": ("endoscope.useeplus", imaging.useeplus),
        "radiacode": ("radiation.radiacode", detect.radiacode),
        "aci_pids3": ("trace.aci_pids3", detect.aci_pids3),
        "zebra_ssi": ("scanner.zebra_ssi", detect.zebra_ssi),
        "text": ("scanner.hid_pos", detect.text),
    }
)

# Section of a device file: its driver. A file proves its vectors whenever it is loaded, so they have to be in it.
FILES: Mapping[str, str] = MappingProxyType(
    {
        "kromek_d5_d3s": "radiation.kromek_d5",
        "uhf_reader18": "scanner.uhfreader18",
        "newland": "scanner.newland",
        "thingmagic": "scanner.thingmagic",
        "honeywell": "scanner.honeywell",
        "uhf_sw_ct": "scanner.sw_ct",
        "radex_one": "radiation.radex_one",
        "atom_fast": "radiation.atom_fast",
    }
)

# Vectors whose link never cuts them.
WHOLE: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("planck",): "a file is read when all of it is there",
        ("one_64th_kelvin",): "the kernel hands out whole images",
        ("lepton_tlinear",): "the same",
        ("p3_commands",): "a control transfer goes and is answered in one piece",
        ("p2pro_vendor",): "the same",
        ("seek_compact",): "the same, and an image comes in transfers of 16224 bytes",
        ("useeplus",): "a packet is a bulk transfer",
        ("atom_fast",): "a reading is one notification",
        ("text",): "a HID report is 64 bytes",
        ("wifi", "jhcmd"): "a message is a datagram",
        ("wifi", "i4season"): "the same",
        ("wifi", "ov780_eteq"): "the same",
    }
)


def test_every_sample_file_is_read_by_a_test() -> None:
    sections()
    files = {path.name for path in SAMPLES.glob("*/*") if path.name != "PROVENANCE.md"}
    texts = [path.read_text() for path in Path(__file__).parents[1].rglob("*.py") if path != Path(__file__)]
    assert {name for name in files if not any(name.removesuffix(".bin") in text for text in texts)} == set()


def test_every_section_is_proved_by_a_driver() -> None:
    assert sorted([*PROOFS, *FILES]) == sorted(sections())
    assert {*(driver for driver, _ in PROOFS.values()), *FILES.values()} <= set(driver_names())


def test_they_are_the_vectors_that_stand_beside_the_samples() -> None:
    assert sections() == samples()


def below(section: str, table: Iterable[tuple[str, ...]], vectors: Vectors) -> set[tuple[str, ...]]:
    """The vectors of a section that a table lists, each entry with all in it."""
    listed = [place[1:] for place in table if place[0] == section]
    return {one for one in vectors.all if any(one[: len(place)] == place for place in listed)}


def chosen(sizes: list[int]) -> Cut:
    """Pieces of those sizes in turn, again and again."""

    def cut(data: bytes) -> list[bytes]:
        pieces: list[bytes] = []
        at, turn = 0, cycle(sizes)
        while at < len(data) or not pieces:
            size = next(turn)
            pieces.append(data[at : at + size])
            at += size
        return pieces

    return cut


def in_two(at: int) -> Cut:
    """Two pieces, where there are as many bytes."""
    return lambda data: [piece for piece in (data[:at], data[at:]) if piece]


@pytest.mark.parametrize("section", PROOFS)
def test_every_vector_of_a_driver_has_its_stated_value_and_is_made_again(section: str) -> None:
    vectors = Vectors(sections()[section])
    PROOFS[section][1](vectors)
    assert (vectors.left(), vectors.unmade()) == (set(), set())


@pytest.mark.parametrize("section", sorted({place[0] for place in WHOLE} - set(FILES)))
def test_nothing_that_looks_true_comes_of_what_is_cut_and_never_is(section: str) -> None:
    vectors = Vectors(sections()[section], torn=True)
    PROOFS[section][1](vectors)
    assert vectors.torn


@pytest.mark.parametrize("section", [section for section in PROOFS if (section,) not in WHOLE])
def test_every_vector_survives_any_chunking(section: str) -> None:
    content, proof = sections()[section], PROOFS[section][1]
    for at in (*range(1, LONG), LONG_FRAME // 2, LONG_FRAME - 1):
        proof(Vectors(content, in_two(at)))
    proof(Vectors(content, chosen([1])))

    @settings(deadline=None, max_examples=50, database=None)
    @given(st.lists(st.integers(1, 2 * LONG), min_size=1, max_size=8))
    def cut(sizes: list[int]) -> None:
        proof(Vectors(content, chosen(sizes)))

    cut()


@pytest.mark.parametrize("section", FILES)
def test_every_vector_of_a_device_file_is_among_those_that_it_proves(section: str) -> None:
    """Those are decoded, or refused as the file says, and made again whenever it is loaded."""
    vectors, file = Vectors(sections()[section]), load(device_files()[FILES[section]]).file
    proved = {parse_bytes(vector.hex) for vector in file.vector}
    assert {place for place in vectors.all if vectors.data(*place) not in proved} == set()


@pytest.mark.parametrize("section", [section for section in FILES if (section,) not in WHOLE])
def test_every_vector_of_a_device_file_survives_any_chunking(section: str) -> None:
    """What the device says, in any pieces; what it is asked, by the simulated device that the file describes."""
    name, vectors = FILES[section], Vectors(sections()[section])
    proved = {parse_bytes(vector.hex): vector for vector in load(device_files()[name]).file.vector}
    wholes = [vectors.data(*place) for place in sorted(vectors.all)]

    def heard(data: bytes, pieces: list[bytes]) -> bytes | list[bytes | str]:
        if proved[data].request is not None:
            return simulated_answer(name, pieces)
        return (orders_of if proved[data].forbidden is not None else frames_of)(name, pieces)

    for data in wholes:
        expected = heard(data, [data])
        for cut in (chosen([1]), *(in_two(at) for at in range(1, len(data)))):
            assert heard(data, cut(data)) == expected, (data.hex(" "), [len(one) for one in cut(data)])

    @settings(deadline=None, max_examples=50, database=None)
    @given(st.sampled_from(wholes), st.lists(st.integers(1, 2 * LONG), min_size=1, max_size=8))
    def cut_anywhere(data: bytes, sizes: list[int]) -> None:
        assert heard(data, chosen(sizes)(data)) == heard(data, [data])

    cut_anywhere()


@pytest.mark.parametrize("section", [section for section in FILES if (section,) in WHOLE])
def test_nothing_that_looks_true_comes_of_what_is_cut_and_never_is_of_a_device_file(section: str) -> None:
    vectors, link = Vectors(sections()[section], torn=True), load_driver(FILES[section]).link
    assert isinstance(link, BleLink)
    for place in vectors.all:
        player = vectors.player(FILES[section])
        player.give(vectors.data(*place), link.notify[0])
        assert player.samples


def orders_of(name: str, pieces: list[bytes]) -> list[bytes | str]:
    """The requests that a device file finds in what its device is sent."""
    framer = load(device_files()[name]).asking.request_framer()
    return [frame if isinstance(frame, bytes) else str(frame) for piece in pieces for frame in framer.feed(piece)]


def frames_of(name: str, pieces: list[bytes]) -> list[bytes | str]:
    """The frames that a device file finds in what its device says."""
    framer = load(device_files()[name]).framing.framer()
    if isinstance(framer, Replies):
        framer.expect(sum(map(len, pieces)))
    found = [frame for piece in pieces for frame in framer.feed(piece)]
    return [frame if isinstance(frame, bytes) else str(frame) for frame in found]


def simulated_answer(name: str, pieces: list[bytes]) -> bytes:
    """What the simulated device answers."""
    device = cast(SerialSimulator, load_simulator(name)(Random(1)))
    return b"".join(device.on_bytes(piece) for piece in pieces)


def test_every_vector_is_counted() -> None:
    """How many there are, and what becomes of them."""
    counted = Counter[str]()
    for section, content in sections().items():
        vectors = Vectors(content)
        left, unmade = (set(), set()) if section in FILES else _undone(section, content)
        carried = below(section, WHOLE, vectors)
        counted += Counter(
            vectors=len(vectors.all), decoded=len(vectors.all - left), encoded=len(vectors.all - unmade),
            torn=len(carried), cut=len(vectors.all - carried),
        )  # fmt: skip
    print(", ".join(f"{number} {what}" for what, number in counted.items()))
    assert counted == COUNTED


def _undone(section: str, content: Any) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
    """The vectors of a section that are not decoded, and those that are not made again."""
    vectors = Vectors(content)
    PROOFS[section][1](vectors)
    return vectors.left(), vectors.unmade()
