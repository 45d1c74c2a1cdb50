"""What a check finds, and what would mend it."""

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from devicehub.tomlfile.problems import Problem


class Level(StrEnum):
    """FAIL: something does not work. WARN: it will not, or not always."""

    FAIL = "FAIL"
    WARN = "warn"


class InstallRules(Struct, frozen=True):
    """Write our udev rules and have udev read them."""

    text: str


class Allow(Struct, frozen=True):
    """Give a device file to a group, until it is plugged in the next time."""

    path: str
    gid: int


class MaskRules(Struct, frozen=True):
    """Have udev ignore a rule file of that name."""

    name: str


class CommentOut(Struct, frozen=True):
    """Take one line of the configuration out of use."""

    problem: Problem


class Rebuild(Struct, frozen=True):
    """Make the journal whole again, as the next start of the hub would; the damaged file is kept."""

    journal: Path


Mend = InstallRules | Allow | MaskRules | CommentOut | Rebuild


class Finding(Struct, frozen=True):
    """A fault. `check`: which kind, `subject`: of what, `what`: in a sentence, `remedy`: what to do about it."""

    level: Level
    check: str
    subject: str
    what: str
    remedy: str
    mend: Mend | None = None
