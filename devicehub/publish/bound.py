"""Become another program that ends when its parent does: `python -P bound.py PARENT PROGRAM [ARGUMENT ...]`.

A hub killed with SIGKILL cannot stop its broker, and a broker left over would hold the port and the
state folder of the next one. Linux sends SIGTERM to this process when its parent ends (PR_SET_PDEATHSIG,
kept across exec). Done here and not in `preexec_fn`, which is not safe in a process with threads.
Where there is no prctl the program runs all the same, and after a SIGKILL of the hub it is left over.

Source: prctl(2).
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Replace this process; returns never. Exits at once if the parent is gone already."""
    parent, program, *rest = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # it ended before prctl took effect
            sys.exit(1)
    os.execvp(program, [program, *rest])  # noqa: S606  no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
