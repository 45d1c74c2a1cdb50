"""The exit codes: one list, told in the help and in README.md, and which error ends with which."""

import errno
import re
from pathlib import Path

import pytest

from devicehub.cli.exits import MEANINGS, CommandError, Exit, exit_code
from devicehub.cli.parser import build_parser
from devicehub.model.errors import ConfigError, DeliveryError, JournalError, LinkMissingError, LinkPermissionError

README = Path(__file__).parents[3] / "README.md"


def test_every_exit_code_has_a_meaning() -> None:
    assert list(MEANINGS) == list(Exit)


def test_the_help_and_the_readme_tell_the_same_codes_with_the_same_words() -> None:
    told = {str(int(code)): meaning for code, meaning in MEANINGS.items()}
    epilog = " ".join((build_parser().epilog or "").split())
    found = re.findall(r"(\d+) ([^;]+)[;.]", epilog.partition("Exit codes: ")[2])
    assert dict(found) == told
    readme = re.findall(r"^\| (\d+) \| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(readme) == told


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 78),
        (LinkMissingError("x"), 69),
        (LinkPermissionError("x"), 77),
        (DeliveryError("x"), 69),
        (JournalError("x"), 75),
        (CommandError(Exit.CANNOT_CREATE, "x"), 73),
        (OSError(errno.ENOENT, "no", "f"), 66),
        (OSError(errno.EISDIR, "folder", "f"), 66),
        (OSError(errno.ENOTDIR, "file", "f/g"), 66),
        (OSError(errno.EACCES, "denied", "f"), 77),
        (OSError(errno.ENOSPC, "full", "f"), 74),
        (OSError(errno.ENOSPC, "full"), None),
        (ValueError("x"), None),
    ],
)
def test_an_error_has_its_code_and_a_bug_has_none(error: Exception, code: int | None) -> None:
    assert exit_code(error) == code
