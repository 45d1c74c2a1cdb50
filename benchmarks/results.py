"""Runs the end-to-end scenarios against the hub and its peers, and writes their part of `benchmarks/RESULTS.md`.

    python benchmarks/results.py HARNESS [--peers naive,aio,nodered] [--scenarios steady,outage,...]

HARNESS is the end-to-end benchmark of serial-to-MQTT daemons, `e2e.py`. One run after the other, each with the same
rig: ten devices, ten readings a second each, quality of service 1; `steady` is a hundred devices. A peer that is not
installed is left out, and the table says so.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from written import PAGE, put, table

from devicehub.process import GROUP

ROOT = Path(__file__).parents[1]
HUB = "devicehub"
PREPARE = f"{sys.executable} benchmarks/e2e/make_config.py {{run}}"
COMMAND = f"{sys.executable} -m devicehub run --config {{state}}/config.toml"
SCENARIOS = ("steady", "outage", "coldstart", "kill9", "outage-kill9", "blackhole", "replug")
PEERS = ("floor", "naive", "aio", "nodered")
TITLES = {
    "floor": "C, no parsing to speak of (the floor)",
    HUB: "**devicehub, journal on**",
    "naive": "pyserial + paho, a thread per port",
    "aio": "pyserial + aiomqtt on asyncio",
    "nodered": "Node-RED",
}
Run = Mapping[str, Any]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("harness", type=Path)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--scenarios", default=",".join(SCENARIOS))
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--raw", type=Path, help="keep the figures here, and go on from what is there")
    args = parser.parse_args()
    results: dict[str, dict[str, Run]] = {}
    if args.raw is not None and args.raw.exists():
        results = json.loads(args.raw.read_text(encoding="utf-8"))
    for scenario in args.scenarios.split(","):
        for who in (HUB, *args.peers.split(",")):
            results.setdefault(scenario, {})[who] = measured(args.harness.resolve(), scenario, who)
            if args.raw is not None:
                args.raw.write_text(json.dumps(results), encoding="utf-8")
    put("end to end", text(results), args.out)


def measured(harness: Path, scenario: str, who: str) -> Run:
    """One run of the harness: its JSON, or `error`."""
    words = [sys.executable, str(harness), "--scenario", scenario, "-q", "1", "-r", "10"]
    words += ["-n", "100"] if scenario == "steady" else ["-n", "10", "--down", "8", "--after", "12"]
    words += ["--peer", who] if who != HUB else ["--prepare", PREPARE, "--cmd", COMMAND]
    path = {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin",
        "PERF_TOOLS": os.environ.get("PERF_TOOLS", ""),
    }
    print(f"{scenario}: {who}", flush=True)
    done = subprocess.run(words, cwd=ROOT, env=path, capture_output=True, text=True, check=False, timeout=300)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"error": (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]}
    result: Run = json.loads(lines[-1])
    print(f"  {lines[-1][:400]}", flush=True)
    return result


def text(results: Mapping[str, Mapping[str, Run]]) -> str:
    """The part of the page."""
    parts = [HEAD]
    if steady := results.get("steady"):
        parts += [
            "### Steady: 100 devices x 10 Hz",
            table(STEADY, [steady_row(who, run) for who, run in steady.items()]),
            *goals(steady),
        ]
    faults = {name: runs for name, runs in results.items() if name != "steady"}
    if faults:
        parts += ["### Faults: 10 devices x 10 Hz", EXPLAINED]
        for name, runs in faults.items():
            parts += [f"#### {name}", table(FAULT, [fault_row(who, run) for who, run in runs.items()])]
    return "\n\n".join(parts)


STEADY = ("", "p50 ms", "p99 ms", "processor, % of a core", "PSS MB", "lost")
FAULT = ("", "readings", "lost", "back after s", "remarks")
HEAD = """## End to end

Made by `python benchmarks/results.py HARNESS`. From a line written to a pseudo-terminal to its arrival at
a subscriber of a real Mosquitto, QoS 1, one daemon after the other on the same machine. Only devicehub has every
reading on stable storage before it is published."""
EXPLAINED = """`outage`: the broker refuses connections for 8 s. `coldstart`: it is away when the daemon starts, and
for 8 s after; counted from the start of the process, so that what a device says before its port is open is lost too.
`kill9`: SIGKILL of the daemon, started again after 1 s; what was sent 100 ms before is counted.
`outage-kill9`: killed while the broker is away. `blackhole`: connections stay open and silent for 8 s. `replug`: one
device is away for 3 s."""


def why(run: Run) -> str:
    """What the harness said, without the daemon's last words."""
    return ";".join(str(run["error"]).split(";")[:2])


def steady_row(who: str, run: Run) -> Sequence[str]:
    """Latency and cost."""
    if "error" in run:
        return (TITLES[who], "-", "-", "-", "-", f"not measured: {why(run)}")
    latency = run["latency_ms"]
    figures = (f"{latency['p50']:.2f}", f"{latency['p99']:.2f}", f"{run['cpu_pct']:.1f}", f"{run['pss_mb']:.0f}")
    return (TITLES[who], *figures, str(run["lost"]))


def goals(steady: Mapping[str, Run]) -> Sequence[str]:
    """What was aimed at, and whether it was reached, of those that were measured."""
    known = {who: run for who, run in steady.items() if "error" not in run}
    if HUB not in known:
        return ()
    hub, told = known[HUB], list[Sequence[str]]()
    if "nodered" in known:
        told.append(aim("processor, % of a core", hub["cpu_pct"], known["nodered"]["cpu_pct"], "as Node-RED"))
    if "floor" in known:
        floor = known["floor"]["latency_ms"]
        for name, times in (("p50", 2), ("p99", 3)):
            most = times * floor[name] + GROUP * 1000
            told.append(aim(f"{name} ms", hub["latency_ms"][name], most, f"{times} x the floor and a group commit"))
    return ["Goals, at most as much:", table(("", "devicehub", "goal", "", ""), told)] if told else ()


def aim(what: str, reached: float, most: float, why: str) -> Sequence[str]:
    """One goal as a row."""
    return (what, f"{reached:.1f}", f"{most:.1f}", why, "reached" if reached <= most else "missed")


def fault_row(who: str, run: Run) -> Sequence[str]:
    """What became of the readings, and how soon it went on."""
    if "error" in run:
        return (TITLES[who], "-", "-", "-", f"not measured: {why(run)}")
    phases = [run[name] for name in ("before", "during", "after", "after_restart") if run.get(name)]
    sent, lost = (sum(phase.get(key) or 0 for phase in phases) for key in ("sent", "lost"))
    if "others_lost" in run:
        lost = run["others_lost"]
    if "lost_older_than_100ms" in run:
        lost = run["lost_older_than_100ms"] + (run["after"].get("lost") or 0)
    known = [run[key] for key in ("back_first_s", "restart_first_s", "replug_first_s") if key in run]
    back = "-" if not known else next((f"{seconds:.2f}" for seconds in known if seconds is not None), "never")
    remarks: list[str] = []
    if not run.get("peer_alive", True):
        remarks.append("the daemon had ended")
    return (
        TITLES[who],
        str(sent) if phases else "-",
        str(lost),
        back,
        ", ".join(remarks),
    )


if __name__ == "__main__":
    main()
