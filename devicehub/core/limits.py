"""The values of one step, held against the limits: what becomes of their edges."""

from devicehub.core.alarms import AlarmPoints
from devicehub.core.proof import LIMIT, Proof
from devicehub.core.watch import Numbers, silences
from devicehub.model.message import Message
from devicehub.model.reading import Stamp


def judge(alarms: AlarmPoints, numbers: Numbers, proof: Proof | None = None) -> list[Message]:
    """The messages of the edges of these values, and of those whose alarm point waited for a value.

    `proof` hears the edges of its own limit, which are no alarm.
    """
    out: list[Message] = []
    for edge, cause in numbers.edges(alarms.engine):
        if proof is not None and alarms.engine.limits[edge.limit] is LIMIT:
            proof.heard(edge, cause)
        else:
            out += alarms.on_limit(edge, cause)
    if alarms.unsure:
        for index, source in zip(numbers.index, numbers.source, strict=True):
            out += alarms.on_value(index, source) if index in alarms.unsure else []
    return out


def lapse(alarms: AlarmPoints, now: Stamp) -> list[Message]:
    """The messages of what has grown stale by now."""
    return [message for edge, cause in silences(alarms.engine, now) for message in alarms.on_limit(edge, cause)]
