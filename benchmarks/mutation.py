"""How much of the alarm core's behaviour its tests hold: small changes of the code, and whether a test fails with each.

    python benchmarks/mutation.py [alarms] [mobility] [thermal] [--sample N] [--seed S] [--folder F] [--write]

Works on a copy of the tree. mutmut 3, which is no part of the tests' environment, makes
the changes within functions and runs the tests that reach each; tables outside of functions are not changed. Chance in
the tests is the same for each change (Hypothesis under `CI`). A change that makes no difference survives as well.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
CORE = "devicehub/alarm"
MODULES = {
    "alarms": ("engine", "conditions", "scalar", "vector", "lifecycle", "acts", "deadlines", "tally"),
    "mobility": ("mobility/run", "mobility/state", "mobility/matches", "mobility/unmatched"),
    "thermal": ("thermal/counts", "thermal/judge", "thermal/spots", "thermal/watch"),
}
TESTS = {
    "alarms": ("test_acts", "test_deadlines", "test_engine", "test_engine_agrees", "test_lifecycle", "test_tally"),
    "mobility": ("test_mobility", "test_mobility_carry_over", "test_mobility_damage", "test_mobility_states"),
    "thermal": ("test_thermal_counts", "test_thermal_judge", "test_thermal_spots", "test_thermal_watch"),
}
FIRST = {  # one change that is tried before the others, so that all are made and the tests of each are known
    "alarms": "devicehub.alarm.lifecycle.x_returned__mutmut_1",
    "mobility": "devicehub.alarm.mobility.run.x_left__mutmut_1",
    "thermal": "devicehub.alarm.thermal.spots.x__flat__mutmut_1",
}
COPIED = ("devicehub", "drivers", "simulators", "tests", "config", "docs", "README.md", "pyproject.toml")
PAGE = ROOT / "docs/explanations/alarms.md"
BEGIN, END = "<!-- generated: mutation -->\n", "<!-- end -->"
SURVIVED, NO_TEST = 0, 33
LONG_RUN = "10000"
Outcomes = Mapping[str, int | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", default=list(MODULES), metavar="group", help=", ".join(MODULES))
    parser.add_argument("--sample", type=int, help="try so many changes of each group, drawn by chance, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="work here and keep it, for `mutmut show` and `mutmut browse`")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    if importlib.util.find_spec("mutmut") is None:
        sys.exit("mutmut is not installed: pip install mutmut")
    found: dict[str, Outcomes] = {}
    total = 0
    with TemporaryDirectory(prefix="devicehub-mutation-") as temporary:
        for group in given.groups:
            folder = (given.folder or Path(temporary)) / group
            prepare(folder, group)
            mutate(folder, FIRST[group])
            every = sorted(name for names in outcomes(folder, group).values() for name in names)
            total += len(every)
            chosen = every if given.sample is None else Random(given.seed).sample(every, min(given.sample, len(every)))
            mutate(folder, *chosen)
            found |= {
                module: {name: code for name, code in names.items() if name in set(chosen)}
                for module, names in outcomes(folder, group).items()
            }
    lines = table(found, total)
    print("\n".join(lines), "\nsurvivors:", *survivors(found), sep="\n")
    if given.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after, encoding="utf-8")


def prepare(folder: Path, group: str) -> None:
    """A copy of the tree that says what is to be changed, and what tests it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / name, folder / name)
    wanted = {
        "source_paths": [f"{CORE}/{module}.py" for module in MODULES[group]],
        "also_copy": [name for name in COPIED if name not in {"tests", "pyproject.toml"}],
        "pytest_add_cli_args_test_selection": [f"tests/unit/alarm/{name}.py" for name in TESTS[group]],
    }
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as project:
        project.write("\n[tool.mutmut]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in wanted.items()))


def mutate(folder: Path, *names: str) -> None:
    """Try the changes of these names. Ends the program if the tests fail without any change."""
    words = [sys.executable, "-m", "mutmut", "run", *names]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"CI": "true", "DEVICEHUB_ALARM_STEPS": LONG_RUN}
    if subprocess.run(words, cwd=folder, env=environment, check=False).returncode:
        sys.exit("mutmut failed, see above")


def outcomes(folder: Path, group: str) -> dict[str, Outcomes]:
    """Of each module the exit code of the tests by the name of the change; None: not tried."""
    found: dict[str, Outcomes] = {}
    for module in MODULES[group]:
        meta = (folder / "mutants" / CORE / f"{module}.py.meta").read_text(encoding="utf-8")
        found[module] = json.loads(meta)["exit_code_by_key"]
    return found


def survivors(found: Mapping[str, Outcomes]) -> list[str]:
    """The changes with which every test still passes, or which no test reaches."""
    return sorted(name for names in found.values() for name, code in names.items() if code in {SURVIVED, NO_TEST})


def table(found: Mapping[str, Outcomes], total: int) -> list[str]:
    """A Markdown table: of each module and of all what was tried, and how much of it was noticed."""
    lines = ["| module | changes tried | noticed | survived | noticed, % |", "|---|---|---|---|---|"]
    rows = [(f"`{module}`", list(names.values())) for module, names in found.items()]
    rows.append((f"**all**, of {total} possible", [code for _, codes in rows for code in codes]))
    return lines + [row(title, codes) for title, codes in rows if codes]


def row(title: str, codes: Sequence[int | None]) -> str:
    lived = sum(code in {SURVIVED, NO_TEST} for code in codes)
    killed = len(codes) - lived
    return f"| {title} | {len(codes)} | {killed} | {lived} | {100 * killed / len(codes):.0f} |"


if __name__ == "__main__":
    main()
