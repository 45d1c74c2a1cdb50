"""The alarm core beside its peers, in one run: limits, thermal frames, ion mobility.

    python benchmarks/alarm.py [core] [thermal] [mobility] [--rounds 15] [--write]

Everything that is compared gives the same answers, or nothing is told. numba, pandas, scipy and opencv-python-headless
are no part of the product: what is not installed is left out, and that is said. `--write` puts each part
into `benchmarks/RESULTS.md`.
"""

import argparse

import alarm_core
import mobility
import thermal
import written

PARTS = {
    "core": ("Alarm core", alarm_core.part),
    "thermal": ("Thermal frames", thermal.part),
    "mobility": ("Ion mobility", mobility.part),
}


def main() -> None:
    """Measure, print, and write if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts", nargs="*", choices=[[], *PARTS], metavar="part", help=f"{', '.join(PARTS)}: all of them"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    for name in args.parts or PARTS:
        title, part = PARTS[name]
        told, missing = part(args.rounds)
        if missing:
            told += f"\n\nNot installed, so left out: {', '.join(missing)}."
        text = f"## {title}\n\nMade by `python benchmarks/alarm.py {name} --write`.\n\n{told}"
        print(f"{text}\n")
        if args.write:
            written.put(title.lower(), text)


if __name__ == "__main__":
    main()
