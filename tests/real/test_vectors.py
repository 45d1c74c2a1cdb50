"""Every published vector of a delivered driver decodes to its stated value.

The vectors are read when the test runs, and none is left out in silence: a section is proved, or it is
listed with the reason why it cannot be, and so is every vector in it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_bytes
from devicehub.registry import device_files, driver_names
from tests.real import vector_proofs_detect as detect
from tests.real import vector_proofs_imaging as imaging
from tests.real import vector_proofs_thermal as thermal
from tests.real.published_vectors import Vectors, sections
from tests.real.vector_proofs_wifi import wifi
from tests.samples import SAMPLES

pytestmark = pytest.mark.real

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
        "seek_compact": ("thermal.seek_compact", imaging.seek_compact),
        "useeplus": ("endoscope.useeplus", imaging.useeplus),
        "radiacode": ("radiation.radiacode", detect.radiacode),
        "atom_fast": ("radiation.atom_fast", detect.atom_fast),
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
    }
)

# Vectors of those sections that nothing here can prove.
UNPROVED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("zebra_ssi", "host START_SESSION"): "to the scanner; the operator pulls the trigger, the driver never does",
        ("zebra_ssi", "host SCAN_ENABLE status 08"): "to the scanner; status 08 makes a setting permanent",
        ("newland", "DFMADD set"): "to the scanner; it makes a setting permanent, which the driver's link refuses",
        ("flir_one", "fileio_header"): "to the file channel, which the driver does not use",
        ("p3_commands", "status"): "the camera is asked for its status by a request of its own, C1/22",
        ("useeplus", "uvc_probe_480p"): "to the camera in UVC mode, which the kernel drives",
        ("useeplus", "uvc_probe_720p_index"): "to the camera in UVC mode, which the kernel drives",
    }
)

# Sections without a delivered driver, by a word of the name that such a driver would have.
UNDELIVERED: Mapping[str, str] = MappingProxyType({})

# Sections of a delivered driver whose vectors all go to the device, and which it never sends.
NEVER_SENT: Mapping[str, str] = MappingProxyType(
    {"p2pro_vendor": "thermal.infiray_p2pro is a UVC camera of the kernel and is sent no vendor commands"}
)

# Sample files that no driver here reads.
UNREAD: Mapping[str, str] = MappingProxyType(
    {"exiftool_FLIR_E40.fpf": "a FLIR Public Format file without its pixels; no driver reads that format"}
)


def test_every_sample_file_is_read_by_a_test_or_listed_with_a_reason() -> None:
    sections()
    files = {path.name for path in SAMPLES.glob("*/*") if path.name != "PROVENANCE.md"}
    texts = [path.read_text() for path in Path(__file__).parents[1].rglob("*.py") if path != Path(__file__)]
    unread = {name for name in files if not any(name.removesuffix(".bin") in text for text in texts)}
    assert unread == set(UNREAD)


def test_every_section_is_proved_or_listed_with_a_reason() -> None:
    listed = [*PROOFS, *FILES, *UNDELIVERED, *NEVER_SENT]
    assert sorted(listed) == sorted(sections())


def test_a_section_is_listed_as_undelivered_only_while_it_is() -> None:
    names = driver_names()
    assert {section: name for section, word in UNDELIVERED.items() for name in names if word in name} == {}
    assert {driver for driver, _ in PROOFS.values()} <= set(names)


@pytest.mark.parametrize("section", PROOFS)
def test_every_vector_of_a_delivered_driver_has_its_stated_value(section: str) -> None:
    vectors = Vectors(sections()[section])
    PROOFS[section][1](vectors)
    assert vectors.left() == {name for of, name in UNPROVED if of == section}


@pytest.mark.parametrize("section", FILES)
def test_every_vector_of_a_device_file_is_among_those_that_it_proves(section: str) -> None:
    vectors, file = Vectors(sections()[section]), load(device_files()[FILES[section]]).file
    proved = {parse_bytes(vector.hex) for vector in file.vector}
    unproved = {name for name in vectors.names() if vectors.data(name) not in proved}
    assert unproved == {name for of, name in UNPROVED if of == section}
