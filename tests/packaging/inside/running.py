"""Tells, as one line of JSON, what a running hub looks like from outside: process, page, sockets, messages, log."""

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


def listeners() -> list[str]:
    """Where somebody listens for TCP or UDP, as hexadecimal addresses; nobody else has sockets here."""
    found = set()
    for name, listening in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        table = Path(f"/proc/net/{name}")
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        rows = (line.split() for line in lines)
        found |= {row[1].partition(":")[0] for row in rows if row[3] == listening}
    return sorted(found)


def logged(device: str) -> list[str]:
    """What the journal of the system has of one device."""
    words = ["journalctl", "--unit=devicehub", f"DEVICEHUB_DEVICE={device}", "--output=cat", "--no-pager"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()


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
told = {
    "process": process(),
    "page": page(),
    "listeners": listeners(),
    "heard": heard(set(sys.argv[1:])),
    "logged": {device: logged(device) for device in sys.argv[1:]},
    "credentials": credentials,
}
print(json.dumps(told))
