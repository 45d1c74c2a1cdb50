"""The project speaks of itself alone: no machine of ours, no forgotten excuse, one version everywhere."""

import re
import tomllib
from pathlib import Path

import pytest

import devicehub
from tests.architecture.tree import EVERYTHING, PRODUCT, ROOT, sources, text_of, tracked

# Sites that are cited. A host of a package index or of our own is not among them.
CITED = frozenset(
    {"json-schema.org", "www.asyncapi.com", "github.com", "ucum.org", "no-color.org", "example.org", "www.apache.org"}
    | {"www.freedesktop.org", "keepachangelog.com", "semver.org", "cloudevents.io", "spec.commonmark.org"}
    | {"www.w3.org"}  # the namespace of SVG
    | {"www.sqlite.org"}  # its file format
    | {"prometheus.io", "systemd.io"}  # text format of metrics, protocol of the journal
    | {"physics.nist.gov"}  # the namespace of N42.42
)
STAND_INS = re.compile(r"^(?:[a-z]|broker|host|localhost|127\.0\.0\.1)$")
HOST = re.compile(r"\b(?:https?|ssh|git|ftp)://(?:[^/@\s]*@)?([A-Za-z0-9.-]+)")
OUR_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|tmp/venv)(?:/|\b)")
NOQA = re.compile(r"#\s*noqa(?::\s*(?P<codes>[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*))?(?P<reason>.*)")
IGNORE = re.compile(r"#\s*type:\s*ignore(?:\[[\w,-]+\])?(?P<reason>.*)")
NOQA_BUDGET = 60


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_only_public_sources_are_cited() -> None:
    found = {
        f"{_name(path)}: {host}"
        for path in tracked()
        for host in HOST.findall(text_of(path))
        if host.rstrip(".").lower() not in CITED and not STAND_INS.match(host)
    }
    assert found == set()


def test_no_path_of_a_developers_machine_is_in_a_file() -> None:
    found = {f"{_name(path)}: {match[0]}" for path in tracked() for match in OUR_PATHS.finditer(text_of(path))}
    assert found == set()


def _excuses() -> list[tuple[str, re.Match[str]]]:
    return [
        (f"{source.name}:{number}", match)
        for source in sources(*EVERYTHING)
        if source.path != Path(__file__)
        for number, line in enumerate(source.text.splitlines(), 1)
        if (match := NOQA.search(line))
    ]


def test_every_noqa_names_its_rule_and_its_reason() -> None:
    found = [place for place, match in _excuses() if not match["codes"] or not re.search(r"\w{4,}", match["reason"])]
    assert found == []


def test_noqa_stays_rare() -> None:
    assert len([place for place, _ in _excuses() if place.startswith(PRODUCT)]) <= NOQA_BUDGET


def test_every_ignored_type_error_says_why() -> None:
    found = [
        f"{source.name}:{number}"
        for source in sources(*PRODUCT)
        for number, line in enumerate(source.text.splitlines(), 1)
        if (match := IGNORE.search(line)) and not re.search(r"\w{4,}", match["reason"])
    ]
    assert found == []


def test_one_broad_except_in_the_whole_product() -> None:
    found = [source.name for source in sources(*PRODUCT) if "noqa: BLE001" in source.text]
    assert found == ["devicehub/collect/supervisor.py"]


def test_nothing_is_left_to_do() -> None:
    word = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
    assert [_name(path) for path in tracked() if word.search(text_of(path))] == []


def test_the_versions_agree() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[([^\]]+)\]", changes, re.MULTILINE)
    assert newest is not None
    assert newest[1] == devicehub.__version__


def test_the_package_takes_its_version_from_the_code() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "devicehub/__init__.py"


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".ci/run"])
def test_the_house_is_complete(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip()


LINK = re.compile(r"\[[^\]]*\]\((?!https?://|#|mailto:)([^)#\s]+)")


def test_links_between_documents_lead_somewhere() -> None:
    documents = [path for path in tracked() if path.suffix == ".md"]
    broken = [
        f"{_name(path)} -> {target}"
        for path in documents
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert documents
    assert broken == []
