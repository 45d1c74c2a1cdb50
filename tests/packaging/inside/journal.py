"""Tells, as one line of JSON, which version is installed, whether the service runs, its configuration, and what its journal holds.

Arguments: a name for this instant, and how many events to wait for.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

CONFIG = "/etc/devicehub/devicehub.toml"
PATH = "file:/var/lib/devicehub/journal.sqlite?mode=ro"


def said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def rows() -> dict[int, str]:
    if not os.path.exists("/var/lib/devicehub/journal.sqlite"):
        return {}
    journal = sqlite3.connect(PATH, uri=True)
    try:
        found = journal.execute("SELECT position, payload FROM event").fetchall()
    finally:
        journal.close()
    return {position: hashlib.sha256(payload).hexdigest() for position, payload in found}


def main(at: str, least: int) -> None:
    until = time.monotonic() + 60
    while len(rows()) < least and time.monotonic() < until:
        time.sleep(0.2)
    verified = subprocess.run(["devicehub", "journal", "verify"], capture_output=True, text=True, check=False)
    told = {
        "at": at,
        "version": json.loads(said("devicehub", "version", "--json"))["devicehub"],
        "active": said("systemctl", "is-active", "devicehub"),
        "configuration": Path(CONFIG).read_text(),
        "rows": rows(),
        "verified": verified.returncode,
        "verify": verified.stdout + verified.stderr,
    }
    print(json.dumps(told), flush=True)


main(sys.argv[1], int(sys.argv[2]))
