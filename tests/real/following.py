"""Does what a guide says, block by block, in a folder with a configuration."""

import os
import subprocess
import sys
from pathlib import Path

from tests.guides import Block
from tests.real.hub_process import ROOT


def command(folder: Path) -> None:
    """`devicehub` as a reader types it, for `follow`."""
    (folder / "bin").mkdir()
    (folder / "bin" / "devicehub").write_text(f'#!/bin/sh\nexec {sys.executable} -m devicehub "$@"\n')
    (folder / "bin" / "devicehub").chmod(0o700)


def follow(block: Block, folder: Path) -> None:
    """Do what it says: `shows` or `fails` with what is said then, or `file` with its name beside the configuration."""
    if block.word == "file":
        (folder / block.rest).parent.mkdir(exist_ok=True)
        (folder / block.rest).write_text(block.text)
        return
    environment = {name: value for name, value in os.environ.items() if name != "DEVICEHUB_CONFIG"}
    done = subprocess.run(
        ["/bin/sh", "-ec", block.text],
        cwd=folder, env=environment | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = f"{block.text}\n{done.stdout}\n{done.stderr}"
    assert (done.returncode == 0) == (block.word == "shows"), said
    assert block.rest in done.stdout + done.stderr, said
