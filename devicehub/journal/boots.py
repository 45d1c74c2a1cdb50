"""Whether the machine was restarted since a journal was opened last: only then may the power have cut a commit short.

The kernel's id of this boot is kept in `journal.sqlite-boot`, beside the journal.
"""

import contextlib
from pathlib import Path
from typing import Final

BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


def _boot() -> str:
    return BOOT.read_text() if BOOT.exists() else ""


def restarted(path: Path) -> bool | None:
    """Whether the machine was started anew since the journal was last opened: only then may a log be torn.

    The kernel keeps what a killed process wrote. None where it is not known: then the log counts as whole.
    """
    mark = path.with_name(path.name + "-boot")
    return mark.read_bytes() != _boot().encode() if mark.exists() else None


def note(path: Path) -> None:
    """The journal at `path` is opened in this boot. What cannot be noted leaves the careful answer."""
    with contextlib.suppress(OSError):
        path.with_name(path.name + "-boot").write_text(_boot())
