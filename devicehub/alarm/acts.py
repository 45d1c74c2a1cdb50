"""What a person may do to an alarm point, and when it is refused. Pure.

Sources: OPC 10000-9, 5.7.3 (Acknowledge), 5.7.4 (Confirm), 5.8.10 to 5.8.17 (Silence, Suppress, RemoveFromService,
Reset, shelving); ISA-18.2-2016, clause 11 (shelving is limited in time and has a reason).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from math import isfinite
from types import MappingProxyType

from msgspec import Struct, convert
from msgspec.structs import replace

from devicehub.alarm.lifecycle import Care, Life, acknowledged, confirmed
from devicehub.model.alarm import Disposition, Shelf, Verb

SHELVE_MOST = 8 * 3600.0
SILENCE = 120.0
SILENCE_MOST = 600.0
_LONGEST = 500
_ADDRESS_LONGEST = 64
_NEEDS_REASON = frozenset(
    {Verb.SHELVE, Verb.SUPPRESS, Verb.OUT_OF_SERVICE, Verb.DISABLE, Verb.ENABLE, Verb.COMMENT, Verb.IN_SERVICE}
)


class Refusal(StrEnum):
    """Why an act was not done."""

    INVALID = "invalid"
    UNKNOWN_ALARM = "unknown-alarm"
    WRONG_REVISION = "wrong-revision"
    NOTHING_STANDS = "nothing-stands"
    STILL_STANDS = "still-stands"
    ALREADY = "already"
    NOT_ACKNOWLEDGED = "not-acknowledged"
    NOT_CONFIRMABLE = "not-confirmable"
    HIGHLY_MANAGED = "highly-managed"
    DISPOSITION_MISSING = "disposition-missing"
    REASON_MISSING = "reason-missing"
    DURATION_MISSING = "duration-missing"
    TOO_LONG = "too-long"


class RefusedActError(Exception):
    """An act that is not done: its reason as a word, and in plain English."""

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(f"{refusal}: {text}")
        self.refusal = refusal


class Act(Struct, frozen=True, kw_only=True):
    """A person's act. The point is named by `device` and `point`, or the standing alarm by its id `alarm`.

    `command`: id of the command; the same one twice is one act. `revision`: what the person saw, None for
    whatever it is now. `seconds`: how long to shelve or silence. `record_only`: a comment that stands in the record of
    the act and nowhere else, so that what somebody wrote for others to read stays the alarm's comment.
    """

    verb: Verb
    command: str
    issuer: str
    device: str = ""
    point: str = ""
    alarm: str = ""
    revision: int | None = None
    why: str = ""
    disposition: Disposition | None = None
    seconds: float | None = None
    one_shot: bool = False
    record_only: bool = False


class _Arguments(Struct, frozen=True, forbid_unknown_fields=True):
    device: str = ""
    point: str = ""
    alarm: str = ""
    revision: int | None = None
    why: str = ""
    disposition: Disposition | None = None
    seconds: float | None = None
    until: datetime | None = None
    one_shot: bool = False
    record_only: bool = False


def act_of(verb: str, command: str, issuer: str, arguments: Mapping[str, object], utc: float) -> Act:
    """An act from the arguments of a command: the fields of `Act`, or `until`, an instant, instead of `seconds`.

    `utc`: now, which `until` is held against once. Raises `RefusedActError` for what is no act.
    """
    try:
        said = {name: value for name, value in arguments.items() if value}  # what is empty or 0 was not said
        known, given = Verb(verb), convert(said, _Arguments)
    except ValueError as error:  # msgspec.ValidationError too
        raise RefusedActError(Refusal.INVALID, str(error)) from error
    if given.until is not None and (given.seconds is not None or given.until.tzinfo is None):
        raise RefusedActError(Refusal.INVALID, "`until` is an instant with its time zone, and stands without `seconds`")
    seconds = given.seconds if given.until is None else given.until.timestamp() - utc
    act = Act(
        verb=known,
        command=command,
        issuer=issuer.strip(),
        device=given.device,
        point=given.point,
        alarm=given.alarm,
        revision=given.revision,
        why=given.why.strip(),
        disposition=given.disposition,
        seconds=seconds,
        one_shot=given.one_shot,
        record_only=given.record_only,
    )
    _check(act)
    return act


def _check(act: Act) -> None:
    if not act.command or not act.issuer:
        raise RefusedActError(Refusal.INVALID, "an act needs the id of its command and somebody who did it")
    if not act.alarm and not (act.device and act.point):
        raise RefusedActError(Refusal.INVALID, "name the alarm, or its device and point")
    if max(map(len, (act.device, act.point, act.alarm))) > _ADDRESS_LONGEST or len(act.why) > _LONGEST:
        raise RefusedActError(Refusal.INVALID, f"a reason has at most {_LONGEST} characters")
    if act.seconds is not None and not (isfinite(act.seconds) and act.seconds > 0):
        raise RefusedActError(Refusal.INVALID, "a duration is more than 0 s, an instant in the future")


def done(act: Act, life: Life, care: Care, shelve_most: float) -> Life:
    """The state after an act. Raises `RefusedActError` when the act is refused; then nothing has changed."""
    if act.verb in _NEEDS_REASON and not act.why:
        raise RefusedActError(Refusal.REASON_MISSING, f"{act.verb} needs a reason")
    if act.verb in _SHELVING:
        return _shelved(act, life, care, shelve_most)
    return _RULES[act.verb](act, life, care)


def lasting(act: Act, shelve_most: float) -> float:
    """Seconds that a shelving or a silence lasts. Both always end."""
    if act.verb is Verb.SILENCE:
        return SILENCE if act.seconds is None else act.seconds
    return shelve_most if act.seconds is None else act.seconds


def _stands(life: Life) -> None:
    if not life.stands:
        raise RefusedActError(Refusal.NOTHING_STANDS, "no alarm stands at this point")


def _not_yet(text: str, *, already: bool) -> None:
    if already:
        raise RefusedActError(Refusal.ALREADY, text)


def _ack(_: Act, life: Life, care: Care) -> Life:
    _stands(life)
    _not_yet("the alarm is acknowledged", already=life.acked)
    return acknowledged(life, care)


def _confirm(act: Act, life: Life, care: Care) -> Life:
    _stands(life)
    if not care.managed:
        raise RefusedActError(Refusal.NOT_CONFIRMABLE, "only a detection is confirmed")
    if not life.acked:
        raise RefusedActError(Refusal.NOT_ACKNOWLEDGED, "acknowledge the alarm first")
    _not_yet("the alarm is confirmed", already=life.confirmed)
    if act.disposition is None:
        raise RefusedActError(Refusal.DISPOSITION_MISSING, f"say what it was: {', '.join(Disposition)}")
    return confirmed(life)


def _reset(_: Act, life: Life, care: Care) -> Life:
    _stands(life)
    if care.managed:
        raise RefusedActError(Refusal.HIGHLY_MANAGED, "a detection is closed by its confirmation")
    if not life.latched:
        raise RefusedActError(Refusal.ALREADY, "the alarm is not latched")
    if life.active:
        raise RefusedActError(Refusal.STILL_STANDS, "its condition is still there")
    if not life.acked:
        raise RefusedActError(Refusal.NOT_ACKNOWLEDGED, "acknowledge the alarm first")
    return replace(life, latched=False)


def _shelved(act: Act, life: Life, care: Care, most: float) -> Life:
    if act.verb is Verb.UNSHELVE:
        _not_yet("the point is not shelved", already=life.shelf is Shelf.NONE)
        return replace(life, shelf=Shelf.NONE)
    _not_managed(care, "a detection is never shelved")
    _not_yet("the point is shelved", already=life.shelf is not Shelf.NONE)
    if act.seconds is None and not act.one_shot:
        raise RefusedActError(Refusal.DURATION_MISSING, "say how long, or until the alarm has ended once")
    if lasting(act, most) > most:
        raise RefusedActError(Refusal.TOO_LONG, f"at most {most:g} s")
    return replace(life, shelf=Shelf.ONE_SHOT if act.one_shot else Shelf.TIMED)


def _not_managed(care: Care, text: str) -> None:
    if care.managed:
        raise RefusedActError(Refusal.HIGHLY_MANAGED, text)


def _silence(act: Act, life: Life, _: Care) -> Life:
    _stands(life)
    _not_yet("the alarm is silent", already=life.silenced)
    if lasting(act, SILENCE_MOST) > SILENCE_MOST:
        raise RefusedActError(Refusal.TOO_LONG, f"at most {SILENCE_MOST:g} s")
    return replace(life, silenced=True)


def _suppress(_: Act, life: Life, care: Care) -> Life:
    _not_managed(care, "a detection is never suppressed")
    _not_yet("the point is suppressed", already=life.suppressed)
    return replace(life, suppressed=True)


def _unsuppress(_: Act, life: Life, __: Care) -> Life:
    _not_yet("the point is not suppressed", already=not life.suppressed)
    return replace(life, suppressed=False)


def _out_of_service(_: Act, life: Life, care: Care) -> Life:
    _not_yet("the point is out of service", already=life.out_of_service)
    if care.managed and life.stands:
        raise RefusedActError(Refusal.STILL_STANDS, "close the detection first")
    return replace(life, out_of_service=True)


def _in_service(_: Act, life: Life, __: Care) -> Life:
    _not_yet("the point is in service", already=not life.out_of_service)
    return replace(life, out_of_service=False)


def _disable(_: Act, life: Life, __: Care) -> Life:
    _not_yet("the point is disabled", already=not life.enabled)
    if life.stands:
        raise RefusedActError(Refusal.STILL_STANDS, "end the alarm first")
    return replace(life, enabled=False)


def _enable(_: Act, life: Life, __: Care) -> Life:
    _not_yet("the point is enabled", already=life.enabled)
    return replace(life, enabled=True)


def _comment(_: Act, life: Life, __: Care) -> Life:
    if not life.told:
        raise RefusedActError(Refusal.NOTHING_STANDS, "no alarm stands at this point")
    return life


_SHELVING = frozenset({Verb.SHELVE, Verb.UNSHELVE})
_RULES: Mapping[Verb, Callable[[Act, Life, Care], Life]] = MappingProxyType(
    {
        Verb.ACK: _ack,
        Verb.CONFIRM: _confirm,
        Verb.RESET: _reset,
        Verb.SILENCE: _silence,
        Verb.SUPPRESS: _suppress,
        Verb.UNSUPPRESS: _unsuppress,
        Verb.OUT_OF_SERVICE: _out_of_service,
        Verb.IN_SERVICE: _in_service,
        Verb.DISABLE: _disable,
        Verb.ENABLE: _enable,
        Verb.COMMENT: _comment,
    }
)
