"""`devicehub alarms stats`: how well the alarms do, out of the journal."""

import argparse
from collections.abc import Iterator

import msgspec

from devicehub.alarm.lookback import TARGET_RATE, Figures, LookBack
from devicehub.alarm.tally import FLOOD_ABOVE
from devicehub.cli.alarms_told import events_told, since_utc
from devicehub.cli.exits import Exit
from devicehub.cli.output import print_json, print_table
from devicehub.clock import Clock
from devicehub.model.payload import RateData

DAY = 86_400.0
HOUR = 3600.0
_NAMED = 5

Row = tuple[str, str, str]


def run(args: argparse.Namespace) -> int:
    """Print the figures beside what IEC 62682 wants them to be."""
    clock = Clock()
    back = LookBack(since_utc(args, clock))
    with events_told(args) as told:
        for one in told:
            back.take(one)
    figures = back.figures(clock.utc())
    if args.json:
        print_json(msgspec.to_builtins(figures))
    else:
        print_table(("FIGURE", "IS", "TARGET"), list(_rows(figures)))
    return Exit.OK


def _rows(figures: Figures) -> Iterator[Row]:
    yield "looked back over", _duration(figures.span_s), ""
    yield "alarms", str(figures.alarms), ""
    yield "alarms in 10 min, mean", f"{figures.per_10min:.2f}", f"at most {TARGET_RATE:g}"
    yield "alarms in 10 min, most", str(figures.peak_10min), f"at most {FLOOD_ABOVE}"
    yield "floods", str(figures.floods), "0"
    yield "standing now", str(figures.standing), ""
    yield "standing for more than 24 h", _listed(figures.stale), "none"
    yield "chattering points", _listed(figures.chattering), "none"
    for name, share in figures.priorities.items():
        words = "high and critical" if name == "high" else name
        yield f"of priority {words}", _share(share.alarms, share.share), f"{share.target:.0%}"
    yield "time to acknowledge, median", _seconds(figures.ack_p50_s), ""
    yield "time to acknowledge, 95 %", _seconds(figures.ack_p95_s), ""
    for device, rate in figures.false_by_device.items():
        yield f"false alarms of {device}", _rate(rate), ""
    for point, rate in figures.false_alarms.items():
        yield f"false alarms of {point}", _rate(rate), ""


def _listed(names: tuple[str, ...] | dict[str, int]) -> str:
    """The first few by name."""
    shown = list(names)[:_NAMED]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*shown, *more]) or "none"


def _share(alarms: int, share: float | None) -> str:
    return "-" if share is None else f"{share:.0%} ({alarms})"


def _rate(rate: RateData) -> str:
    return f"{rate.rate:.0%} ({rate.false} of {rate.judged})"


def _seconds(value: float | None) -> str:
    return "-" if value is None else _duration(value)


def _duration(seconds: float) -> str:
    if seconds >= DAY:
        return f"{seconds / DAY:.1f} days"
    return f"{seconds / HOUR:.1f} h" if seconds >= HOUR else f"{seconds:.1f} s"
