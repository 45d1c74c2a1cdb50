"""The commands of CONTRIBUTING.md and docs/reference/device-file.md are executed in a copy of the checkout.

That which builds the documents is by `tests/real/test_site.py`.
"""

import subprocess
import sys
from pathlib import Path

from tests.architecture.test_every_command import ALL_TESTS, commands
from tests.guides import Block
from tests.system.checkout import ROOT, Checkout

ACTIVATE = ". .venv/bin/activate"


def test_what_is_shown_of_a_device_file_and_of_the_tests_of_one_device_works(tmp_path: Path) -> None:
    copy = Checkout(tmp_path / "checkout")
    shown = [*commands(ROOT / "docs/reference/device-file.md"), *commands(ROOT / "CONTRIBUTING.md")]
    for line in dict.fromkeys(shown):
        if line not in {ALL_TESTS, ACTIVATE} and "sphinx" not in line:
            copy.follow(Block("sh", "", "", line))


def test_the_environment_that_the_set_up_makes_is_entered_as_shown(tmp_path: Path) -> None:
    assert ACTIVATE in commands(ROOT / "CONTRIBUTING.md")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=tmp_path, check=True)
    script = f"{ACTIVATE}\npython -c 'import sys; print(sys.prefix)'"
    done = subprocess.run(["/bin/sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / ".venv")
