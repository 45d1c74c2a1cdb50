"""Who the hub runs as, from passwd(5) and group(5) of the examined root."""

import os
import pwd
from pathlib import Path

from devicehub.doctor.facts import Account

GROUP = "devicehub"


def account(root: Path, user: str = "") -> Account:
    """The account `user`; by default devicehub where there is one and root asks, else whoever asks."""
    users = {line[0]: (int(line[2]), int(line[3])) for line in _lines(root / "etc/passwd", 2, 3)}
    name = user or (GROUP if GROUP in users and os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    uid, gid = users.get(name, (os.geteuid(), os.getegid()))
    groups = {line[0]: (int(line[2]), line[3].split(",")) for line in _lines(root / "etc/group", 2)}
    gids = frozenset({gid, *(number for number, members in groups.values() if name in members)})
    return Account(name, uid, gids, groups[GROUP][0] if GROUP in groups else None)


def _lines(path: Path, *numbers: int) -> list[list[str]]:
    """The lines that have numbers in those places."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = [line.split(":") for line in text.splitlines()]
    return [line for line in lines if len(line) >= 4 and all(line[place].isdigit() for place in numbers)]
