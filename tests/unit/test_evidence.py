"""A driver's level of evidence is computed from what is there and holds: without it the level is lower."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from devicehub.devicefile.load import load
from devicehub.model.device import EvidenceLevel
from devicehub.model.errors import ConfigError
from devicehub.registry import device_files, load_driver
from tests.evidence import ROOT, evidence, prove
from tests.samples import SAMPLES

FIXTURES = ROOT / "tests" / "fixtures"
START_UP = FIXTURES / "aci_pids3" / "start-up.txt"
PUBLISHED = FIXTURES / "flir_boson_control" / "published.txt"
BENCH = ["# Device vapour-1, driver trace.aci_pids3, recorded 2026-11-29T12:00:00.000Z.", "# Instrument: PIDS3 1.02"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Drivers, transcripts and tests, to be changed."""
    for name in ("drivers", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def changed(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text(encoding="utf-8")
    assert change(before) != before
    path.write_text(change(before), encoding="utf-8")


def without_vectors(text: str) -> str:
    """A device file whose vectors are computed, all of them."""
    return text.replace('evidence = "published"', 'evidence = "computed"')


def test_without_its_transcript_a_driver_is_no_more_than_simulated(tree: Path) -> None:
    assert evidence("thermal.flir_boson_control", tree) is EvidenceLevel.BYTE_TESTED
    (tree / PUBLISHED.relative_to(ROOT)).unlink()
    assert evidence("thermal.flir_boson_control", tree) is EvidenceLevel.SIMULATED


def test_a_transcript_without_the_bytes_that_it_names_is_refused(tree: Path) -> None:
    path = tree / "tests" / "fixtures" / "zebra_ssi" / "start-up-and-first-scan.txt"
    changed(path, lambda text: re.sub(r"^[0-9].* < 04 d0 00 80 fe ac\n", "", text, flags=re.MULTILINE))
    with pytest.raises(ValueError, match=r"first-scan\.txt: '# Evidence: part', and 04 d0 00 80 fe ac is not in it"):
        evidence("scanner.zebra_ssi", tree)


def test_a_transcript_that_names_no_bytes_is_refused() -> None:
    text = re.sub(r"^# Bytes.*\n", "", START_UP.read_text(), flags=re.MULTILINE)
    with pytest.raises(ValueError, match="no line '# Bytes: HEX, SOURCE'"):
        prove("published", load_driver("trace.aci_pids3"), START_UP, text)


def test_a_transcript_of_which_the_driver_makes_something_else_is_refused() -> None:
    text = PUBLISHED.read_text().replace("serial='93588'", "serial='93589'", 1)
    assert text != PUBLISHED.read_text()
    with pytest.raises(ValueError, match="makes something else of it"):
        prove("published", load_driver("thermal.flir_boson_control"), PUBLISHED, text)


@pytest.mark.parametrize(
    ("driver", "transcript"),
    [
        pytest.param("endoscope.jhcmd", "jhcmd/start-and-disorder", id="requests"),
        pytest.param("trace.aci_pids3", "aci_pids3/start-up", id="a request"),
        pytest.param("thermal.gy_mcu90640", "gy_mcu90640/published-sums", id="a head and a word"),
        pytest.param("endoscope.useeplus", "useeplus/published-header-stream-11", id="a beginning"),
    ],
)
def test_what_is_no_whole_answer_is_a_part_and_no_evidence(driver: str, transcript: str) -> None:
    path = FIXTURES / f"{transcript}.txt"
    prove("part", load_driver(driver), path, path.read_text())
    assert evidence(driver) is EvidenceLevel.SIMULATED
    with pytest.raises(ValueError, match="is no whole answer in it"):
        prove("published", load_driver(driver), path, path.read_text())


def test_a_published_answer_without_a_value_is_no_evidence() -> None:
    lines = PUBLISHED.read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not (line.startswith("# Bytes") and "7c bd ce" in line))
    with pytest.raises(ValueError, match="nothing measured, scanned or found comes of what it names"):
        prove("published", load_driver("thermal.flir_boson_control"), PUBLISHED, text)


def test_an_acknowledgement_is_no_evidence() -> None:
    path = FIXTURES / "zebra_ssi" / "start-up-and-first-scan.txt"
    text = path.read_text().replace("# Bytes: 04 d0 04 00 ff 28, the same\n", "")
    with pytest.raises(ValueError, match="nothing measured, scanned or found comes of what it names"):
        prove("published", load_driver("scanner.zebra_ssi"), path, text)


def test_without_its_published_vectors_a_device_file_is_no_more_than_simulated(tree: Path) -> None:
    assert evidence("scanner.uhfreader18", tree) is EvidenceLevel.BYTE_TESTED
    changed(tree / "drivers" / "scanner" / "uhfreader18.toml", without_vectors)
    assert evidence("scanner.uhfreader18", tree) is EvidenceLevel.SIMULATED


@pytest.mark.parametrize("name", ["scanner.newland", "scanner.elyctis_idbox"])
def test_a_published_request_or_acknowledgement_shows_nothing_of_what_a_device_reads(name: str) -> None:
    assert any(vector.evidence == "published" for vector in load(device_files()[name]).file.vector)
    assert evidence(name) is EvidenceLevel.SIMULATED


def test_a_vector_that_does_not_hold_is_no_evidence(tree: Path) -> None:
    changed(tree / "drivers" / "scanner" / "newland.toml", lambda text: text.replace("DFMADD0699", "DFMADD0698"))
    with pytest.raises(ConfigError, match="newland"):
        evidence("scanner.newland", tree)


@pytest.mark.parametrize("name", ["radiation.n42", "screening.vendor_csv", "thermal.seek_compact"])
def test_a_recording_counts_while_its_file_and_the_test_that_reads_it_are_there(
    name: str, tree: Path, tmp_path: Path
) -> None:
    without_samples = tmp_path / "nowhere"
    assert evidence(name, tree, without_samples) is EvidenceLevel.SAMPLE_TESTED
    without_samples.mkdir()
    assert evidence(name, tree, without_samples) is EvidenceLevel.SIMULATED
    changed(tree / "tests" / "fixtures" / "recordings.toml", lambda text: text.replace("::test_", "::was_"))
    assert evidence(name, tree, SAMPLES) is EvidenceLevel.SIMULATED


@pytest.mark.parametrize("left_out", ["# Device vapour-1", "# Instrument"])
def test_a_transcript_that_claims_a_bench_shows_device_driver_and_instrument(left_out: str) -> None:
    driver, text = load_driver("trace.aci_pids3"), START_UP.read_text()
    prove("bench", driver, START_UP, "\n".join([*BENCH, text]))
    with pytest.raises(ValueError, match="needs a line"):
        prove("bench", driver, START_UP, "\n".join([*(one for one in BENCH if not one.startswith(left_out)), text]))
