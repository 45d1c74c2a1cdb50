"""What the consumer has stored, held against what was played to it."""

from collections.abc import Sequence

import msgspec

from devicehub.consume.conformance.broken import Broken
from devicehub.consume.conformance.hub import Numbered
from devicehub.consume.conformance.stage import Stage
from devicehub.model.stream import Stream


async def check_stored(stage: Stage, *, all_of_it: bool) -> None:
    """Hold what is stored against what was played: once, in order, and all that was confirmed. Raises `Broken`."""
    if not stage.process.shows:
        return
    confirmed = dict(stage.highest)
    heard = [one for one in await stage.process.stored() if one.node == stage.hub.topics.prefix]
    keys = [(one.epoch, one.stream, one.number) for one in heard]
    if len(set(keys)) != len(keys):
        raise Broken(f"{len(keys) - len(set(keys))} messages are stored twice")
    if strange := [key for key in keys if key not in stage.hub.log]:
        raise Broken(f"{strange[0]} is stored and was never published")
    due = [key for key in stage.hub.log if key[1] in stage.streams and key not in stage.hub.late]
    if not all_of_it:
        due = [key for key in due if key[2] <= confirmed.get(key[:2], 0)]
    if missing := sorted(set(due) - set(keys)):
        raise Broken(f"{len(missing)} messages are confirmed and not stored; the first is {missing[0]}")
    _check_order([key for key in keys if key not in stage.hub.late])
    if changed := [one.number for one, key in zip(heard, keys, strict=True) if not _same(one.body, stage.hub.log[key])]:
        raise Broken(f"{len(changed)} messages were changed; the first has number {changed[0]}")


def _check_order(keys: Sequence[tuple[str, Stream, int]]) -> None:
    newest: dict[tuple[str, Stream], int] = {}
    for epoch, stream, number in keys:
        if number < newest.get((epoch, stream), 0):
            raise Broken(f"{stream} {number} is stored behind {newest[epoch, stream]}")
        newest[epoch, stream] = number


def _same(body: bytes, played: Numbered) -> bool:
    published = (msgspec.json.decode(played.out.payload), msgspec.json.decode(played.again.payload))
    return msgspec.json.decode(body) in published
