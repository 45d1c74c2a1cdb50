"""Mends what was found, as far as that is ours to mend. Each says what it did."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from devicehub.config import ConfigProblems, load_config
from devicehub.doctor.findings import Allow, CommentOut, InstallRules, MaskRules, Mend, Rebuild
from devicehub.journal import salvage
from devicehub.lock import held
from devicehub.model.errors import ConfigError, DeviceHubError
from devicehub.tomlfile.problems import Problem
from devicehub.udev import NAME

_OURS = "etc/udev/rules.d"
KEPT = ".before-doctor"


class UnmendableError(DeviceHubError):
    """It was left as it is, for the reason that this says."""


def mend(what: Mend, root: Path, fresh: Callable[[], str]) -> str:
    """Do it below `root`; what was done. `fresh`: names. Raises `UnmendableError`, and then nothing has changed."""
    try:
        match what:
            case InstallRules(text=text):
                return _install(root, text)
            case Allow(path=path, gid=gid):
                return _allow(root / path.lstrip("/"), path, gid)
            case MaskRules(name=name):
                return _mask(root, name)
            case CommentOut(problem=problem):
                return _comment(problem)
            case Rebuild(journal=journal):
                return _rebuild(journal, fresh())
    except PermissionError as error:
        raise UnmendableError(f"{error.filename}: {error.strerror}; do it as root") from None
    except OSError as error:
        raise UnmendableError(f"{error.filename}: {error.strerror}") from None


def _install(root: Path, text: str) -> str:
    path = root / _OURS / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"wrote /{_OURS}/{NAME}{_read_again(root)}"


def _mask(root: Path, name: str) -> str:
    """As udev(7) has it: a link to /dev/null of the same name."""
    path = root / _OURS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(os.devnull)
    return f"masked {name} by /{_OURS}/{name}{_read_again(root)}"


def _read_again(root: Path) -> str:
    """Udev reads its rules, and looks at what is plugged in; only on the computer that this runs on."""
    program = shutil.which("udevadm")
    if root != Path("/") or program is None:
        return ""
    for words in (("control", "--reload"), ("trigger",)):
        if trouble := asyncio.run(_told(program, *words)):
            return f"; udevadm {words[0]} failed: {trouble}"
    return "; udev has read it"


async def _told(program: str, *words: str) -> str:
    """What a program complains of; empty where it is content."""
    process = await asyncio.create_subprocess_exec(program, *words, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    return (said.decode(errors="replace").strip() or f"code {process.returncode}") if process.returncode else ""


def _allow(file: Path, path: str, gid: int) -> str:
    os.chown(file, -1, gid)
    file.chmod(0o660)
    return f"gave {path} to the group devicehub until it is plugged in again"


def _comment(problem: Problem) -> str:
    """Only if the file is better for it: what spans several lines is left to a person."""
    before = _problems(problem.file)
    lines = problem.file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = problem.file.with_name(problem.file.name + KEPT)
    shutil.copy2(problem.file, kept)
    lines[problem.line - 1] = f"#{lines[problem.line - 1]}"
    problem.file.write_text("".join(lines), encoding="utf-8")
    if not _problems(problem.file) < before:
        kept.replace(problem.file)
        raise UnmendableError(f"{problem.file}:{problem.line}: more than this line belongs to it; take it out by hand")
    return f"commented out line {problem.line} of {problem.file}; as it was it is {kept}"


def _problems(file: Path) -> set[str]:
    try:
        load_config(file)
    except ConfigProblems as error:
        return {f"{one.line} {one.text}" for one in error.problems}
    except ConfigError as error:
        return {str(error)}
    return set()


def _rebuild(journal: Path, epoch: str) -> str:
    try:
        with held(journal.parent):
            journal.with_name(journal.name + salvage.SUSPECT).touch()
            salvage.ready(journal, epoch)
    except DeviceHubError as error:
        raise UnmendableError(str(error)) from None
    return f"took over what is whole of {journal}; the damaged file lies beside it, the next start tells what is lost"
