"""Every published vector of a delivered driver decodes to its stated value.

The vectors are read when the test runs, and none is left out in silence: a section is proved, or it is
listed with the reason why it cannot be, and so is every vector in it. What a vector means is encoded again, by the driver
or by its simulated device, and what comes from the device comes in any pieces, unless a table says why not.
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
from devicehub.registry import device_files, driver_names, load_driver, load_simulator
from devicehub.simulator import SerialSimulator
from devicehub.wire.packet import Packet
from drivers.thermal._thermal_master import ORDER_PORT
from tests.real import vector_proofs_detect as detect
from tests.real import vector_proofs_imaging as imaging
from tests.real import vector_proofs_thermal as thermal
from tests.real.published_vectors import Cut, Vectors, sections
from tests.real.vector_proofs_seek import seek_compact
from tests.real.vector_proofs_wifi import wifi
from tests.samples import SAMPLES

pytestmark = pytest.mark.real
LONG = 64
LONG_FRAME = 1544
COUNTED = Counter(vectors=184, decoded=147, cut=69, encoded=122, left=37)
_CORRECTION = "libseek_correction raw+0x4000-cal over ROI y1..154,x0..206, valid px (2000<v<16383 in both)"

# Section: the driver it belongs to, and its proof.
PROOFS: Mapping[str, tuple[str, Callable[[Vectors], None]]] = MappingProxyType(
    {
        "planck": ("thermal.flir_rjpeg", imaging.planck),
        "one_64th_kelvin": ("thermal.infiray_p2pro", imaging.one_64th_kelvin),
        "gy_mcu90640": ("thermal.gy_mcu90640", imaging.gy_mcu90640),
        "flir_one": ("thermal.flir_one", thermal.flir_one),
        "wifi": ("endoscope.i4season", wifi),
        "p3_commands": ("thermal.thermal_master_p3", thermal.p3_commands),
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

# Vectors of those sections that neither a driver nor a simulated device decodes.
UNPROVED: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("newland", "DFMADD set"): "to the scanner; it makes a setting permanent, which the driver's link refuses",
        ("flir_one", "fileio_header"): "to the file channel, which the driver's link refuses",
        (
            "p3_commands",
            "status",
        ): "nobody knows what it does, and the driver's link refuses it: status is asked by C1/22",
        ("p3_commands", "gain_low"): "to the camera; it sets the gain for good, which the driver's link refuses",
        ("p3_commands", "gain_high"): "the same",
        ("gy_mcu90640", "commands", "save"): "to the module; it wears out the flash, which the driver's link refuses",
        ("wifi", "ov780_eteq", "beacon"): "not waited for: the camera's address is configured",
        ("seek_compact", "frames", "floor_raw"): "of the floor there is no recording",
        ("seek_compact", "frames", "floor_cal"): "the same",
        ("seek_compact", _CORRECTION, "floor"): "the same",
    }
)

# Vectors that are decoded and that nothing of ours encodes.
UNMADE: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("seek_compact", "frames"): "words of a recorded frame",
        ("seek_compact", _CORRECTION): "a figure of recorded frames",
        ("gy_mcu90640", "commands"): "a setting: the driver sends none",
        ("wifi", "jhcmd", "stop"): "the driver never sends it: the camera stops by itself",
        ("useeplus", "stop_ep1"): "the driver never sends it: the camera stops with the link",
        ("useeplus", "uvc_probe_480p"): "the driver leaves the camera's resolution as it is",
        ("useeplus", "uvc_probe_720p_index"): "the same",
    }
)

# Vectors that cannot be cut, since their link never cuts them; what is cut all the same is refused.
WHOLE: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("planck",): "a file is read when all of it is there",
        ("one_64th_kelvin",): "the kernel hands out whole images",
        ("lepton_tlinear",): "the same",
        ("p3_commands",): "a control transfer goes and is answered in one piece",
        ("seek_compact",): "the same, and an image comes in transfers of 16224 bytes",
        ("useeplus",): "a packet is a bulk transfer",
        ("atom_fast",): "a reading is one notification",
        ("text",): "a HID report is 64 bytes",
        ("wifi", "jhcmd"): "a message is a datagram",
        ("wifi", "i4season"): "the same",
        ("wifi", "ov780_eteq"): "the same",
    }
)

# Sections without a delivered driver, by a word of the name that such a driver would have.
UNDELIVERED: Mapping[str, str] = MappingProxyType({})

# Sections of a delivered driver whose vectors all go to the device, and which it never sends.
NEVER_SENT: Mapping[str, str] = MappingProxyType(
    {"p2pro_vendor": "thermal.infiray_p2pro is a UVC camera of the kernel and is sent no vendor commands"}
)


def test_every_sample_file_is_read_by_a_test() -> None:
    sections()
    files = {path.name for path in SAMPLES.glob("*/*") if path.name != "PROVENANCE.md"}
    texts = [path.read_text() for path in Path(__file__).parents[1].rglob("*.py") if path != Path(__file__)]
    assert {name for name in files if not any(name.removesuffix(".bin") in text for text in texts)} == set()


def test_every_section_is_proved_or_listed_with_a_reason() -> None:
    listed = [*PROOFS, *FILES, *UNDELIVERED, *NEVER_SENT]
    assert sorted(listed) == sorted(sections())


def test_a_section_is_listed_as_undelivered_only_while_it_is() -> None:
    names = driver_names()
    assert {section: name for section, word in UNDELIVERED.items() for name in names if word in name} == {}
    assert {driver for driver, _ in PROOFS.values()} <= set(names)


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
def test_every_vector_of_a_delivered_driver_has_its_stated_value_and_is_made_again(section: str) -> None:
    vectors = Vectors(sections()[section])
    PROOFS[section][1](vectors)
    unproved = below(section, UNPROVED, vectors)
    assert vectors.left() == unproved
    assert vectors.unmade() - unproved == vectors.unmade() & below(section, UNMADE, vectors) - unproved
    assert all(below(section, [place], vectors) & vectors.unmade() for place in UNMADE if place[0] == section)


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
    vectors, file = Vectors(sections()[section]), load(device_files()[FILES[section]]).file
    proved = {parse_bytes(vector.hex) for vector in file.vector}
    unproved = {place for place in vectors.all if vectors.data(*place) not in proved}
    assert unproved == below(section, UNPROVED, vectors)


@pytest.mark.parametrize("section", [section for section in FILES if (section,) not in WHOLE])
def test_every_vector_of_a_device_file_survives_any_chunking(section: str) -> None:
    """What the device says, in any pieces; what it is asked, by the simulated device that the file describes."""
    name = FILES[section]
    compiled, content = load(device_files()[name]), sections()[section]
    asked = {parse_bytes(vector.hex) for vector in compiled.file.vector if vector.request is not None}
    refused = below(section, UNPROVED, vectors := Vectors(content))
    wholes = [vectors.data(*place) for place in sorted(vectors.all - refused)]

    def heard(data: bytes, pieces: list[bytes]) -> bytes | list[bytes | str]:
        return (simulated_answer if data in asked else frames_of)(name, pieces)

    for data in wholes:
        expected = heard(data, [data])
        for cut in (chosen([1]), *(in_two(at) for at in range(1, len(data)))):
            assert heard(data, cut(data)) == expected, (data.hex(" "), [len(one) for one in cut(data)])

    @settings(deadline=None, max_examples=50, database=None)
    @given(st.sampled_from(wholes), st.lists(st.integers(1, 2 * LONG), min_size=1, max_size=8))
    def cut_anywhere(data: bytes, sizes: list[int]) -> None:
        assert heard(data, chosen(sizes)(data)) == heard(data, [data])

    cut_anywhere()


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


@pytest.mark.parametrize(
    ("section", "place", "port"),
    [
        ("newland", ("DFMADD set",), ""),
        ("flir_one", ("fileio_header", "0"), "out:02"),
        ("p3_commands", ("status",), ORDER_PORT),
        ("p3_commands", ("gain_low",), ORDER_PORT),
        ("p3_commands", ("gain_high",), ORDER_PORT),
        ("gy_mcu90640", ("commands", "save"), ""),
    ],
)
def test_what_is_said_to_be_refused_is_refused(section: str, place: tuple[str, ...], port: str) -> None:
    stated = Vectors(sections()[section]).take(*place)
    data = bytes.fromhex(stated if isinstance(stated, str) else stated.get("hex") or stated["header_hex"])
    driver = load_driver(FILES[section] if section in FILES else PROOFS[section][0])
    assert [one.title for one in driver.forbidden if one.names(Packet(data, port))] != []


def test_every_vector_is_counted() -> None:
    """How many there are, and what becomes of them: the tables above are all that is left out."""
    counted = Counter[str]()
    for section, content in sections().items():
        vectors = Vectors(content)
        unproved = vectors.all if section in NEVER_SENT else below(section, UNPROVED, vectors)
        decoded = vectors.all - unproved
        made = decoded if section in FILES else decoded - _unmade(section, content)
        counted += Counter(
            vectors=len(vectors.all), decoded=len(decoded), encoded=len(made), left=len(unproved),
            cut=len(decoded - below(section, WHOLE, vectors)),
        )  # fmt: skip
    assert counted["vectors"] == counted["decoded"] + counted["left"]
    print(", ".join(f"{number} {what}" for what, number in counted.items()))
    assert counted == COUNTED


def _unmade(section: str, content: Any) -> set[tuple[str, ...]]:
    vectors = Vectors(content)
    if section in PROOFS:
        PROOFS[section][1](vectors)
    return vectors.unmade()
