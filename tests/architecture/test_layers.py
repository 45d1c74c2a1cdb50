"""The import contracts of pyproject.toml hold, and would notice if they did not."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import PRODUCT, ROOT, sources

pytestmark = pytest.mark.real


def _lint(config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    return subprocess.run(
        [*command, "--config", str(config), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_every_import_goes_with_the_flow() -> None:
    done = _lint(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def test_a_contract_that_is_broken_is_noticed(tmp_path: Path) -> None:
    """The model above the command line: every import of the model is then against the flow."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    broken = tmp_path / "pyproject.toml"
    broken.write_text(text.replace('    "model",\n]', "]").replace('    "cli",\n', '    "model",\n    "cli",\n', 1))
    done = _lint(broken)
    assert done.returncode != 0
    assert "devicehub.record is not allowed to import devicehub.model" in " ".join(done.stdout.split())


def test_the_layers_name_exactly_what_exists() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    folder = ROOT / "devicehub"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert named == modules | packages


def test_drivers_and_simulators_lie_in_the_same_folders() -> None:
    """Every driver has its simulator under the same name, and there is none without a driver."""
    public = {
        folder: {
            source.name.removeprefix(f"{folder}/")
            for source in sources(folder)
            if source.path.parent.name != folder and not source.path.name.startswith("_")
        }
        for folder in PRODUCT[1:]
    }
    assert public["drivers"] == public["simulators"]


def test_every_driver_has_transcripts_and_every_folder_of_transcripts_a_driver() -> None:
    """A device file has its vectors within, and may have transcripts too."""
    stems = {source.path.stem for source in sources("drivers") if not source.path.name.startswith("_")}
    files = {path.stem for path in (ROOT / "drivers").glob("*/*.toml")}
    folders = {path.parent.name for path in (ROOT / "tests" / "fixtures").glob("*/*.txt")}
    assert stems <= folders <= stems | files
