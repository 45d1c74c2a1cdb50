"""On a fresh Debian without network: package and bundle install, the demonstration runs, an upgrade keeps every event.

Alone: `pytest -m fresh`. Needs debootstrap and systemd-nspawn, which `packaging/test.sh` installs; without root or the
registries of packages it is skipped, in CI too, and the reason said.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import devicehub
from devicehub.config.migrate import migrated
from tests.guides import blocks
from tests.packaging.conftest import FORMER, Built
from tests.packaging.debian import INSIDE, SUITE, Machine, built
from tests.real.hub_process import ROOT

pytestmark = [pytest.mark.real, pytest.mark.fresh]

GUIDE = ROOT / "docs" / "guides" / "install-a-workstation.md"
# A reading that comes over the broker of the demonstration, at most half a minute after its start.
FIRST_READING = """
devicehub demo --port 18830 >/dev/null 2>/tmp/demo.log &
until devicehub watch --broker mqtt://127.0.0.1:18830 --count 1 --for 20 --json 'devicehub-sim/v1/+/+/reading/#' 2>/dev/null; do
    [ -d /proc/$! ] || exit 1
done
kill $!
wait $!
"""
DEVICES = {
    "serial": "open", "hidraw": "ENODEV", "keyboard": "EPERM", "disk": "EPERM", "fuse": "EPERM", "terminal": "opened",
}  # fmt: skip
FILES = {
    "program files": "EROFS", "configuration": "EROFS", "home": "EACCES", "state": "open", "temporary": "open",
    "others' temporary": "['x']", "others' processes": "[]", "boot": "37",
}  # fmt: skip
NETWORK = {
    "page": "bound", "any port": "bound", "privileged port": "EACCES", "hot-plug": "made", "raw packets": "EAFNOSUPPORT",
    "bus": "named", "libusb": "loaded",
}  # fmt: skip
# To a file, and not to the sources, which are not installed.
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
# 127.0.0.1 and ::1, as /proc/net has them.
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
# Systemd 252 filters the call, a later one has the kernel refuse it.
_EXECUTABLE = {"bookworm": "EPERM", "trixie": "EACCES"}[SUITE]
KERNEL = {"clock read": "done", "clock set": "EPERM", "name space": "EPERM", "writable and executable": _EXECUTABLE}


def follow(computer: Machine, word: str, folder: str = "/srv") -> None:
    """Do what the blocks of this word in the guide say, where the files of a release lie in `folder`."""
    done = [block for block in blocks(GUIDE) if block.word == word]
    assert done
    for block in done:
        computer.run("/bin/sh", "-ec", f"cd {folder}\n{block.text}")


def first_reading(computer: Machine) -> dict[str, Any]:
    said = computer.run("/bin/sh", "-c", FIRST_READING)
    (told,) = lines(said, "topic")
    return told


def system_files(computer: Machine) -> str:
    """What the bundle's installer has put outside its folder."""
    return computer.run("cat", "/etc/systemd/system/devicehub.service", "/etc/udev/rules.d/60-devicehub.rules")


def assert_documented(computer: Machine, place: str) -> None:
    """`man` and bash find what they look for."""
    page = f"{place}/share/man/man1/devicehub.1"
    assert ".TH DEVICEHUB 1" in computer.run("sh", "-c", f"zcat -f {page}.gz 2>/dev/null || cat {page}").upper()
    completed = f". {place}/share/bash-completion/completions/devicehub; COMP_WORDS=(devicehub pre); COMP_CWORD=1; _devicehub; echo ${{COMPREPLY[*]}}"
    assert "preflight" in computer.run("bash", "-c", completed)


def assert_links_lead_somewhere(folder: Path) -> None:
    """Of the documents as they are installed; what a link to the sources leads to is not."""
    pages = [page for page in folder.rglob("*.md") if "wheels" not in page.parts]
    assert {"README.md", "SECURITY.md", "CONTRIBUTING.md"} <= {page.name for page in pages}
    links = [(page, link) for page in pages for link in _LINK.findall(page.read_text())]
    assert links
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def lines(said: str, key: str) -> list[dict[str, Any]]:
    """The lines of JSON with this key."""
    print(said)
    found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return [one for one in found if key in one]


def test_the_package_installs_by_the_guide_and_the_demonstration_gives_a_reading(
    computer: Machine, release: Built
) -> None:
    computer.put(release.package, "/srv/")
    follow(computer, "package")
    assert json.loads(computer.run("devicehub", "version", "--json"))["devicehub"] == devicehub.__version__
    assert_documented(computer, "/usr")
    assert_links_lead_somewhere(computer.folder / "upper/usr/share/doc/devicehub")
    assert "/reading/" in first_reading(computer)["topic"]


def test_the_bundle_installs_by_the_guide_goes_back_and_the_demonstration_gives_a_reading(
    computer: Machine, release: Built, former: Built
) -> None:
    computer.put(former.bundle, "/srv/former")
    computer.run("sh", "/srv/former/install.sh")
    computer.put(release.bundle.with_name(f"{release.bundle.name}.tar.gz"), "/srv/")
    follow(computer, "bundle")
    assert devicehub.__version__ in computer.run("devicehub", "version")
    assert_documented(computer, "/usr/local")
    assert_links_lead_somewhere(release.bundle)
    assert FORMER not in system_files(computer)
    assert "/reading/" in first_reading(computer)["topic"]
    follow(computer, "back")
    assert FORMER in computer.run("devicehub", "version")
    assert system_files(computer).count(FORMER) == 2, "unit and rules are those of the former version as well"
    computer.run("sh", "/srv/former/install.sh", "--remove")
    assert "not found" in computer.fails("sh", "-c", "devicehub version")


def test_what_the_guide_says_of_the_service_and_of_building_is_done_by_these_tests() -> None:
    scripts = "\n".join((INSIDE / name).read_text() for name in ("life.sh", "sandbox.sh"))
    for word in ("service", "upgrade"):
        shown = [line for block in blocks(GUIDE) if block.word == word for line in block.text.splitlines()]
        assert shown
        assert [line for line in shown if line not in scripts] == []
    (build,) = [block.text for block in blocks(GUIDE) if block.word == "build"]
    assert build.splitlines() == [
        "python packaging/bundle.py dist",
        f"python packaging/deb.py dist/devicehub-{devicehub.__version__}-linux-x86_64 dist",
    ]


def test_bundle_and_package_are_the_same_bytes_when_they_are_built_again(tmp_path: Path, release: Built) -> None:
    bundle, package = built(tmp_path, wheels=release.bundle / "wheels")
    first, again = release.bundle.with_name(f"{bundle.name}.tar.gz"), bundle.with_name(f"{bundle.name}.tar.gz")
    assert first.read_bytes() == again.read_bytes()
    assert release.package.read_bytes() == package.read_bytes()


@pytest.mark.parametrize("kind", ["package", "bundle"])
def test_an_upgrade_migrates_the_configuration_and_keeps_every_event_and_so_does_the_way_back(
    computer: Machine, release: Built, former: Built, kind: str
) -> None:
    if kind == "package":
        computer.put(former.package, "/srv/former.deb")
        computer.put(release.package, "/srv/")
    else:
        computer.put(former.bundle, "/srv/former")
        computer.put(release.bundle, "/srv/")
    said = computer.boot(f"life.sh {kind}")
    assert "after installing: inactive" in said, said
    assert "+schema_version = 1" in said, "the dry run shows the change"
    before, upgraded, back = lines(said, "rows")
    assert [one["version"] for one in (before, upgraded, back)] == [FORMER, devicehub.__version__, FORMER]
    for one in (before, upgraded, back):
        assert (one["active"], one["verified"]) == ("active", 0), one
    ours = (INSIDE / "station.toml").read_text()
    assert before["configuration"] == ours, "the dry run changes nothing"
    assert upgraded["configuration"] == migrated(INSIDE / "station.toml")[1]
    assert "after going back: active" not in said, "a former version runs with no format that it does not know"
    assert back["configuration"] == ours
    assert len(before["rows"]) >= 12
    for earlier, later in ((before, upgraded), (upgraded, back)):
        assert earlier["rows"].items() < later["rows"].items()
    assert "after removing: 0 files, /etc/devicehub\n/var/lib/devicehub/journal.sqlite" in said, said
    assert f"after purging: {'/etc/devicehub' * (kind == 'bundle')} /var/lib/devicehub/journal.sqlite" in said, said


def test_the_hub_works_in_its_sandbox_and_can_do_nothing_else(computer: Machine, release: Built) -> None:
    computer.put(release.package, "/srv/")
    follow(computer, "package")
    said = computer.boot("sandbox.sh")
    (running,), (allowed,) = lines(said, "process"), lines(said, "serial")
    process = running["process"]
    assert (process["CapEff"], process["CapBnd"]) == ("0" * 16, "0" * 16)
    assert (process["NoNewPrivs"], process["Seccomp"]) == ("1", "2")
    assert "0" not in process["Uid"].split()
    assert running["page"] == 200
    assert running["credentials"] == ["mqtt.password"]
    assert {"thermal-1", "trace-1", "scanner-2", "endoscope-1", "gamma-1"} <= set(running["heard"])
    assert running["listeners"]
    assert set(running["listeners"]) <= LOOPBACK, "broker and page listen on this computer alone"
    for device, lines_of_it in running["logged"].items():
        assert lines_of_it, device
        assert all(device in line for line in lines_of_it)
    expected = DEVICES | FILES | NETWORK | KERNEL
    assert {name: allowed[name] for name in expected} == expected
    # A kernel without these kinds of device has no numbers for them, and refuses the node as the unit would.
    assert {allowed["usb"], allowed["video"]} <= {"open", "ENODEV", "ENXIO", "ENOENT"}
    assert "Traceback" not in said
