"""How long `devicehub --help` takes, beside an empty Python in the same run.

Run: python benchmarks/start.py [--rounds 20] [--json]

The two are started in turn, and the fastest of each is compared: the fastest start is the one that
nothing else disturbed.
"""

import argparse
import json
import subprocess
import sys
import time

GOAL = 0.15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "devicehub --help": [sys.executable, "-m", "devicehub", "--help"],
    "devicehub version": [sys.executable, "-m", "devicehub", "version"],
    "devicehub drivers list": [sys.executable, "-m", "devicehub", "drivers", "list"],
    "devicehub config check": [sys.executable, "-m", "devicehub", "config", "check", "config/demo.toml"],
}


def seconds(command: list[str]) -> float:
    """One start to its end."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How long the command line takes to start.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(arguments.rounds):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    fastest = {name: min(times) for name, times in taken.items()}
    if arguments.json:
        print(json.dumps(fastest))
        return
    empty = fastest["python -c pass"]
    for name, best in fastest.items():
        goal = f"   (goal < {GOAL * 1000:g} ms)" if name.endswith("--help") else ""
        print(f"{name:24} {best * 1000:7.1f} ms   {best / empty:5.2f} x an empty Python{goal}")


if __name__ == "__main__":
    main()
