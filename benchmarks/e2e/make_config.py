"""Turns a run description of an end-to-end benchmark into a devicehub configuration beside it.

    python make_config.py RUN.json

RUN.json: `devices` (name, path), `mqtt` (host, port), `threshold`, `state` (a folder). Writes
`state/config.toml`: one line sensor per device, a high limit on each, one message per poll.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Read the run, write the configuration."""
    run = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    state = Path(run["state"])
    lines = [
        "[hub]",
        'site = "bench"',
        'node = "ws-1"',
        f'state = "{state / "hub"}"',
        'readings = "batch"',
        "[mqtt]",
        f'url = "mqtt://{run["mqtt"]["host"]}:{run["mqtt"]["port"]}"',
    ]
    for device in run["devices"]:
        name = device["name"].lower()
        lines += ["[[device]]", f'id = "{name}"', 'driver = "screening.line_sensor"', f'port = "{device["path"]}"']
        lines += ["[[limit]]", f'device = "{name}"', 'channel = "value"', f"high = {run['threshold']}"]
    (state / "config.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
