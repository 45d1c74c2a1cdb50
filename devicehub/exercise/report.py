"""A score as one page that prints: no script, nothing from elsewhere. Pure."""

from collections.abc import Iterator
from html import escape
from typing import Final

from devicehub.exercise.judge import Finding, Score
from devicehub.exercise.marks import Word
from devicehub.exercise.schema import Scenario, Step, seconds
from devicehub.exercise.timed import Intervention
from devicehub.exercise.tongue import Tongue

_STYLE: Final = (
    "body{font:12pt/1.4 sans-serif;margin:2cm auto;max-width:26cm;color:#000}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #777;padding:.2em .5em;text-align:left;"
    "vertical-align:top}td.n{text-align:right}tr.missed td:first-child{border-left:4px solid #000;font-weight:bold}"
    "p.exercise{border:3px double #000;padding:.3em;text-align:center;letter-spacing:.3em}"
    "@media print{body{margin:0}}"
)
_HEADS: Final = (
    "time",
    "what-happens",
    "expected",
    "came-out",
    "points",
    "raised-s",
    "acked-s",
    "closed-s",
    "disposition",
)


def html(scenario: Scenario, score: Score, tongue: Tongue) -> str:
    """The whole document."""
    title = escape(scenario.scenario.title[tongue.language])
    told = tongue.t("score", points=f"{score.points}", most=f"{score.most}", percent=f"{score.percent:g}")
    verdict = tongue.t("passed" if score.passed else "not-passed")
    mark = tongue.t("pass-mark", percent=f"{scenario.scenario.pass_mark}")
    rows = "".join(_row(scenario.at[one.step], one, tongue) for one in score.findings)
    heads = "".join(f"<th>{escape(tongue.t(head))}</th>" for head in _HEADS)
    return (
        f'<!doctype html><html lang="{tongue.language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><p class='exercise'>{escape(tongue.t('exercise'))}</p><h1>{title}</h1>"
        f"<p>{escape(score.scenario)}: <strong>{escape(told)}, {escape(verdict)}</strong> ({escape(mark)})</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{_interventions(score, tongue)}"
        f"<p>{escape(tongue.t('report-counts'))}</p></body></html>\n"
    )


def _interventions(score: Score, tongue: Tongue) -> str:
    """What the instructor did, line by line; nothing where he did nothing."""
    lines = "".join(f"<li>{escape(intervened(one))}</li>" for one in score.interventions)
    return f"<h2>{escape(tongue.t('instructor-did'))}</h2><ul>{lines}</ul>" if lines else ""


def intervened(one: Intervention) -> str:
    """What the instructor did, and when, in a line."""
    minutes, rest = divmod(one.at, 60)
    if one.mark.word is not Word.INJECTS:
        return f"{minutes:02.0f}:{rest:04.1f}  {one.mark.word} {one.mark.rest}".rstrip()
    act = one.mark.injected
    values = (f"{name}={value}" for name, value in act.values.items())
    return f"{minutes:02.0f}:{rest:04.1f}  {' '.join(filter(None, (act.do, act.device, *values)))}"


def _row(step: Step, finding: Finding, tongue: Tongue) -> str:
    cells = "".join(f"<td>{escape(text)}</td>" for text in _cells(step, finding, tongue))
    return f"<tr{'' if finding.passed else ' class=missed'}>{cells}</tr>"


def _cells(step: Step, finding: Finding, tongue: Tongue) -> Iterator[str]:
    yield finding.t
    yield " ".join(filter(None, (step.do, step.device)))
    yield "" if step.expect is None else tongue.expected(step.expect)
    yield tongue.t("outcome-met") if finding.passed else _missed(step, finding, tongue)
    yield f"{finding.points} / {finding.most}"
    for value in (finding.raised_s, finding.acked_s, finding.closed_s):
        yield "" if value is None else f"{value:.1f}"
    yield tongue.disposition(finding.disposition) if finding.disposition else ""


def _missed(step: Step, finding: Finding, tongue: Tongue) -> str:
    """That it is missed, and by what if that can be said in a word."""
    missed = tongue.t("outcome-missed")
    if step.expect is None or not step.expect.alarm:
        return missed
    limit = step.expect.ack_within
    if finding.raised_s is None:
        why = "missed.raised"
    elif limit is not None and (finding.acked_s is None or finding.acked_s > seconds(limit)):
        why = "missed.acked"
    else:
        why = "missed.otherwise" if finding.disposition else "missed.closed"
    return f"{missed}: {tongue.t(why)}"
