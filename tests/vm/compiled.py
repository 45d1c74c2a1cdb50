"""Modules compiled outside for a machine, whose emulated processor would need a minute for it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.vm.kernel import ROOT, Kernel


def compile_for(folder: Path, statements: str) -> Path:
    """What these statements import, compiled below `folder`."""
    compiled = folder / "compiled"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": str(compiled), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", statements]
    subprocess.run(words, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return compiled


def script_of(kernel: Kernel, compiled: Path, name: str, **settings: object) -> str:
    """A task's script, behind its settings."""
    settings |= {"ROOT": ROOT, "PYTHON": sys.executable, "KERNEL": kernel.folder.resolve()}
    lines = [f"{key}='{value}'" for key, value in settings.items()]
    lines.append(f"export PYTHONPYCACHEPREFIX='{compiled}'")
    return "\n".join(lines) + "\n" + Path(__file__).with_name(name).read_text()
