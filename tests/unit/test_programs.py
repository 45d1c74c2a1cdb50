"""A machine that lacks what tests need skips them; in CI nothing is left untried in silence."""

import pytest

from tests.architecture.tree import ROOT
from tests.programs import needed, needed_package

# Where a test is skipped in CI too: what `packaging/test.sh` cannot bring to every machine.
SKIPPED_ANYWHERE = {
    "tests/samples.py": "the samples are not part of the repository",
    "tests/packaging/test_wheels.py": "a registry of packages that cannot be reached",
    "tests/packaging/test_readme.py": "a registry of packages that cannot be reached",
    "tests/packaging/debian.py": "a fresh Debian takes root, a registry, and for some a computer that can boot a container",
    "tests/real/test_downstream_guide.py": "npm's registry that cannot be reached",
    "tests/vm/test_power_cuts.py": "QEMU and a kernel",
    "tests/real/test_file_folder.py": "a file system with names of any bytes",
    "tests/real/test_hotplug.py": "uevents of the kernel",
    "tests/torture/test_disk_faults.py": "a full disk takes root and the right to mount",
    "tests/programs.py": "outside CI",
}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.mark.usefixtures("bare")
def test_in_ci_a_program_or_a_package_that_is_missing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such or nor-that is not installed, and this is CI"):
        needed("no-such", "nor-that")
    with pytest.raises(pytest.fail.Exception, match="no_such is not in this environment"):
        needed_package("no_such")


@pytest.mark.usefixtures("bare")
def test_anywhere_else_the_test_is_skipped_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such is not installed"):
        needed("no-such")
    with pytest.raises(pytest.skip.Exception, match="no_such is not in this environment"):
        needed_package("no_such")


def test_of_several_programs_that_are_as_good_the_first_that_is_there_is_used() -> None:
    assert needed("no-such", "sh") == needed("sh")
    needed_package("pytest")


def test_no_test_is_skipped_on_its_own_account_where_ci_has_what_it_needs() -> None:
    """`pytest.mark.skipif` is for the operating system and for root, which nothing can install."""
    words = ("pytest." + "skip(", "importor" + "skip")
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")
    }
    assert {name for name, text in texts.items() if any(word in text for word in words)} == set(SKIPPED_ANYWHERE)
    which = "skipif(" + "shutil.which"
    assert {name for name, text in texts.items() if which in text} == set()
