"""Tells, as one line of JSON, what a running hub looks like from outside: its process, its page, what it publishes."""

import http.cookiejar
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

STATE = Path("/var/lib/devicehub")
FIELDS = ("Uid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")


def process() -> dict[str, str]:
    asked = subprocess.run(
        ["systemctl", "show", "--property=MainPID", "--value", "devicehub"], capture_output=True, text=True, check=True
    )
    lines = Path(f"/proc/{asked.stdout.strip()}/status").read_text().splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name: value.strip() for name, _, value in pairs if name in FIELDS}


def page() -> int:
    address = (STATE / "page-address").read_text().strip()
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    with urllib.request.build_opener(jar).open(address) as answer:
        return int(answer.status)


def heard(wanted: set[str]) -> list[str]:
    """Devices that gave readings, results, scans or frames; asked until it is all of these, at most a minute."""
    broker = (STATE / "broker" / "address").read_text().strip()
    words = ["devicehub", "watch", "--json", "--for", "5", "--broker", broker, "devicehub-sim/#"]
    found: set[str] = set()
    until = time.monotonic() + 60
    while not wanted <= found and time.monotonic() < until:
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        levels = [json.loads(line)["topic"].split("/") for line in said.splitlines()]
        found |= {one[5] for one in levels if one[4] in {"reading", "result", "scan", "frame"}}
    return sorted(found)


until = time.monotonic() + 30
while not (STATE / "page-address").exists() and time.monotonic() < until:
    time.sleep(0.1)
credentials = sorted(one.name for one in Path("/run/credentials/devicehub.service").iterdir())
print(json.dumps({"process": process(), "page": page(), "heard": heard(set(sys.argv[1:])), "credentials": credentials}))
