"""A score as one page that prints: no script, nothing from elsewhere. Pure."""

from collections.abc import Iterator
from html import escape
from typing import Final

from devicehub.exercise.judge import Finding, Score
from devicehub.exercise.marks import Word
from devicehub.exercise.schema import Language, Scenario
from devicehub.exercise.timed import Intervention

_STYLE: Final = (
    "body{font:12pt/1.4 sans-serif;margin:2cm auto;max-width:26cm;color:#000}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #777;padding:.2em .5em;text-align:left;"
    "vertical-align:top}td.n{text-align:right}tr.missed td:first-child{border-left:4px solid #000;font-weight:bold}"
    "p.exercise{border:3px double #000;padding:.3em;text-align:center;letter-spacing:.3em}"
    "@media print{body{margin:0}}"
)
_HEADS: Final = ("Time", "Expected", "Raised s", "Acknowledged s", "Closed s", "Closed as", "Points", "Outcome")


def html(scenario: Scenario, score: Score, language: Language = "en") -> str:
    """The whole document."""
    title = scenario.scenario.title[language]
    verdict = "passed" if score.passed else "not passed"
    rows = "".join(map(_row, score.findings))
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><p class='exercise'>EXERCISE</p><h1>{escape(title)}</h1>"
        f"<p>{escape(score.scenario)}: <strong>{score.points} of {score.most} points, {score.percent:g} %, {verdict}"
        f"</strong> (pass mark {scenario.scenario.pass_mark} %)</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"{_interventions(score)}"
        "<p>Raised counts from the step, acknowledged and closed from the alarm.</p></body></html>\n"
    )


def _interventions(score: Score) -> str:
    """What the instructor did, line by line; nothing where he did nothing."""
    lines = "".join(f"<li>{escape(intervened(one))}</li>" for one in score.interventions)
    return f"<h2>The instructor</h2><ul>{lines}</ul>" if lines else ""


def intervened(one: Intervention) -> str:
    """What the instructor did, and when, in a line."""
    minutes, rest = divmod(one.at, 60)
    if one.mark.word is not Word.INJECTS:
        return f"{minutes:02.0f}:{rest:04.1f}  {one.mark.word} {one.mark.rest}".rstrip()
    act = one.mark.injected
    values = (f"{name}={value}" for name, value in act.values.items())
    return f"{minutes:02.0f}:{rest:04.1f}  {' '.join(filter(None, (act.do, act.device, *values)))}"


def _row(finding: Finding) -> str:
    cells = "".join(f"<td>{escape(text)}</td>" for text in _cells(finding))
    return f"<tr{'' if finding.passed else ' class=missed'}>{cells}</tr>"


def _cells(finding: Finding) -> Iterator[str]:
    yield from (finding.t, finding.expected)
    for value in (finding.raised_s, finding.acked_s, finding.closed_s):
        yield "" if value is None else f"{value:.1f}"
    yield finding.disposition
    yield f"{finding.points} / {finding.most}"
    yield finding.why or "met"
