"""The figure and the table of `roc_mobility.py`: SVG and Markdown by hand."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import log10

from devicehub.alarm.mobility import Finding, RunResult, Verdict

WIDTH, HEIGHT = 720, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 60
LEAST = 1e-4
COLOURS = ("#0b5fa5", "#4c9a2a", "#b3261e")
DASHES = ("", "7 4", "2 4")
BANDS = ((0.1, 0.3), (0.3, 1.0), (1.0, 3.0), (3.0, 10.0), (10.0, 30.04))


@dataclass(frozen=True)
class Curve:
    """Rates (false, detected) from the highest threshold down, and those at the shipped threshold."""

    name: str
    rates: list[tuple[float, float]]
    operating: tuple[float, float]


def place(false: float, detected: float) -> tuple[float, float]:
    """Logarithmic to the right, linear upwards."""
    x = LEFT + (WIDTH - LEFT - RIGHT) * (log10(max(false, LEAST)) - log10(LEAST)) / -log10(LEAST)
    return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * detected


def path(curve: Curve) -> str:
    """Steps thinned to what can be seen."""
    points: list[tuple[float, float]] = []
    for rates in curve.rates:
        x, y = place(*rates)
        if not points or abs(x - points[-1][0]) + abs(y - points[-1][1]) >= 1.0:
            points.append((x, y))
    points.append(place(*curve.rates[-1]))
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def figure(curves: list[Curve], runs: int) -> str:
    """The whole SVG."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="13">',
        "<title>Detected against false alarms, synthetic runs</title>",
        f"<desc>The ion mobility judge on {runs} runs of a simulator; nothing is said of a real device.</desc>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{runs} synthetic runs, half of them with 0.1 to 30 ng</text>',
    ]
    for tenths in range(0, 11, 2):
        _, y = place(1.0, tenths / 10)
        out.append(f'<path d="M{LEFT} {y:.1f} H{right}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenths / 10:.1f}</text>')
    for power in range(round(log10(LEAST)), 1):
        x, _ = place(10.0**power, 0.0)
        out.append(f'<path d="M{x:.1f} {TOP} V{bottom}" stroke="#dddddd"/>')
        label = "0" if power == round(log10(LEAST)) else f"{10.0**power:g}"
        out.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
    for number, curve in enumerate(curves):
        colour, dash = COLOURS[number], DASHES[number]
        dots = f' stroke-dasharray="{dash}"' if dash else ""
        x, y = place(*curve.operating)
        out.append(f'<path d="{path(curve)}" fill="none" stroke="{colour}" stroke-width="2"{dots}/>')
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
        line = TOP + 24 + 20 * number
        out.append(f'<path d="M{LEFT + 12} {line - 4} h36" stroke="{colour}" stroke-width="2"{dots}/>')
        out.append(f'<text x="{LEFT + 56}" y="{line}">{curve.name}</text>')
    middle = (LEFT + right) / 2
    out.append(f'<text x="{middle}" y="{HEIGHT - 16}" text-anchor="middle">runs without a substance that alarm</text>')
    centre = (TOP + bottom) / 2
    turn = f'transform="rotate(-90 18 {centre})"'
    out.append(f'<text x="18" y="{centre}" text-anchor="middle" {turn}>runs in which the substance alarms</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def table(runs: Iterable[tuple[float, str, str, RunResult]], curves: list[Curve]) -> list[str]:
    """Verdicts by what was on the swab, then the curves at the shipped threshold."""
    known = list(runs)
    lines = ["| on the swab | runs | right alarm | other alarm | clear | inconclusive | uncalibrated |"]
    lines.append("|---|" + "---:|" * 6)
    for low, high in BANDS:
        lines.append(row(f"{low:g} to {round(high, 1):g} ng", [one for one in known if low <= one[0] < high]))
    lines.append(row("nothing", [one for one in known if not one[0] and not one[2]]))
    others = ("ascorbic acid", "hand cream", "any ion")
    lines += [row(f"nothing but {name}", [one for one in known if not one[0] and one[2] == name]) for name in others]
    lines += ["", "| threshold of 150 counts | detected | false alarms |", "|---|---:|---:|"]
    lines += [f"| {one.name} | {one.operating[1]:.1%} | {one.operating[0]:.2%} |" for one in curves]
    return lines


def row(name: str, runs: list[tuple[float, str, str, RunResult]]) -> str:
    """One line of the table: how the verdicts are distributed."""
    counts: Counter[str] = Counter()
    for _, substance, _, result in runs:
        found = {match.substance for match in result.matches if match.finding is Finding.ALARM}
        if result.verdict is Verdict.ALARM:
            counts["right" if substance in found else "other"] += 1
        else:
            counts[result.verdict] += 1
    columns = ("right", "other", Verdict.CLEAR, Verdict.INCONCLUSIVE, Verdict.UNCALIBRATED)
    return f"| {name} | {len(runs)} | " + " | ".join(f"{counts[one] / max(1, len(runs)):.1%}" for one in columns) + " |"
