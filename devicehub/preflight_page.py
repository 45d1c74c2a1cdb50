"""How the check of a desk came out, in words of the page: lines for a terminal, and one HTML page that prints. Pure."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

import msgspec
from msgspec import Struct

from devicehub.exercise.schema import LANGUAGES
from devicehub.exercise.tongue import Tongue, tongue
from devicehub.log import escaped
from devicehub.model.payload import PreflightCheckData, PreflightData
from devicehub.model.preflight import CheckReason, CheckVerdict
from devicehub.model.units import Unit

_STYLE: Final = (
    "body{font:12pt/1.4 sans-serif;margin:2cm auto;max-width:26cm;color:#000}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #777;padding:.2em .5em;text-align:left;"
    "vertical-align:top}tr.open td:first-child{border-left:4px solid #000;font-weight:bold}"
    "p.exercise{border:3px double #000;padding:.3em;text-align:center;letter-spacing:.3em}"
    "p.signed{margin-top:2cm;border-top:1px solid #000;width:10cm}"
    "@media print{body{margin:0}}"
)
_HEADS: Final = ("device", "what", "subject", "preflight.verdict", "why")
_WRITTEN: Final[Mapping[Unit, str]] = {Unit.CELSIUS: "°C", Unit.ONE: ""}
_SIGNS: Final[Mapping[CheckVerdict, str]] = {
    CheckVerdict.PASSED: " ok  ",
    CheckVerdict.FAILED: " FAIL",
    CheckVerdict.UNKNOWN: " ??  ",
    CheckVerdict.WAIVED: " --  ",
}


class _Event(Struct, frozen=True):
    data: PreflightData
    source: str
    exercise: bool = False


def lines(data: PreflightData, tongue: Tongue) -> Iterator[str]:
    """What came of it, check by check, and in a word."""
    for one in data.checks:
        about = " ".join(filter(None, (one.device, tongue.t(f"preflight.check.{one.check}"), one.subject)))
        yield escaped(f"{_SIGNS[one.verdict]} {about}" + (f": {why}" if (why := _why(one, tongue)) else ""))
    yield escaped(f"{desk_name(data, tongue)}: {verdict(data, tongue)}")


def desk_name(data: PreflightData, tongue: Tongue) -> str:
    """The desk, or that it is none."""
    return data.desk or tongue.t("preflight.rest")


def verdict(data: PreflightData, tongue: Tongue) -> str:
    """How it came out, in a word; nothing while it lasts."""
    return "" if data.outcome is None else tongue.t(f"preflight.outcome.{data.outcome}")


def html(data: PreflightData, node: str, tongue: Tongue, *, exercise: bool) -> str:
    """The whole document. `node`: the workstation as it is to be named."""
    title = escape(f"{tongue.t('preflight')}: {node}, {desk_name(data, tongue)}")
    mark = f"<p class='exercise'>{escape(tongue.t('exercise'))}</p>" if exercise else ""
    heads = "".join(f"<th>{escape(tongue.t(head))}</th>" for head in _HEADS)
    rows = "".join(_row(one, tongue) for one in data.checks)
    times = " / ".join(filter(None, (data.began, data.ended)))
    return (
        f'<!doctype html><html lang="{tongue.language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{mark}<h1>{title}</h1>"
        f"<p><strong>{escape(verdict(data, tongue))}</strong></p>"
        f"<p>{escape(times)}<br>{escape(tongue.t('preflight.by'))}: {escape(data.by)}<br>{escape(data.preflight)}</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>{escape(tongue.t('preflight.counts'))}</p>"
        f"<p class='signed'>{escape(tongue.t('preflight.signed'))}</p></body></html>\n"
    )


def _row(one: PreflightCheckData, tongue: Tongue) -> str:
    cells = (
        one.device,
        tongue.t(f"preflight.check.{one.check}"),
        one.subject,
        tongue.t(f"preflight.verdict.{one.verdict}"),
        _why(one, tongue),
    )
    open_ = "" if one.verdict is CheckVerdict.PASSED else " class=open"
    return f"<tr{open_}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _why(one: PreflightCheckData, tongue: Tongue) -> str:
    """Why it was not passed, and by which figures."""
    parts = [] if one.reason is CheckReason.NONE else [tongue.t(f"preflight.reason.{one.reason}")]
    parts += [str(part) for part in (one.cause, one.detail) if part]
    if one.value is not None:
        parts.append(_number(one.value, one))
    for word, limit in (("least", one.least), ("most", one.most)):
        if limit is not None:
            parts.append(tongue.t(f"preflight.{word}", value=_number(limit, one)))
    if one.due:
        parts.append(tongue.t("preflight.due", date=one.due))
    return ", ".join(parts)


def _number(value: float, one: PreflightCheckData) -> str:
    unit = "" if one.unit is None else _WRITTEN.get(one.unit, one.unit.value.strip("[]{}"))
    return f"{value:g} {unit}".rstrip()


def printed(payload: bytes, language: str) -> str:
    """The page of an event as it was published, in English where there is no such language. Raises `ValueError`."""
    event = msgspec.json.decode(payload, type=_Event)
    spoken = next((one for one in LANGUAGES if one == language), LANGUAGES[0])
    _, _, site, node = event.source.split(":")
    return html(event.data, f"{site}/{node}", tongue(spoken), exercise=event.exercise)
