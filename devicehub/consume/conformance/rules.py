"""What has to hold of a durable consumer, in the order in which it is played. Each raises `Broken`.

Times of the decision are given some allowance here, for a loaded computer: what is wrong is wrong by more.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from msgspec import Struct, structs

from devicehub.consume.conformance.broken import Broken
from devicehub.consume.conformance.hub import Numbered
from devicehub.consume.conformance.stage import AHEAD, Stage
from devicehub.consume.conformance.stored import check_stored
from devicehub.model.stream import Stream

MANY: Final = 50
AT_ONCE: Final = 2.0
AGAIN: Final = 7.5
STEADY_S: Final = 3.0
STEADY_HZ: Final = 100.0
MOST_A_SECOND: Final = 15.0
BURST: Final = 150
LOSS: Final = 0.05
ALIVE_S: Final = 0.5


class Rule(Struct, frozen=True):
    """`text` says what has to hold; `play` sees to it."""

    text: str
    play: Callable[[Stage], Awaitable[None]]


def rules(kills: int) -> list[Rule]:
    """All of them. `kills`: how often the consumer is killed while it stores."""
    return [
        Rule("it registers: when it has subscribed it publishes a receipt, with nothing received yet", registers),
        Rule("it confirms what came, within 5 s", confirms),
        Rule("while it stores it confirms, at most every 100 ms", is_not_noisy),
        Rule("it confirms again at least every 5 s", confirms_again),
        Rule("a duplicate changes nothing", ignores_duplicates),
        Rule("at a hole it confirms at once what is before it, and nothing behind it", stops_at_a_hole),
        Rule("messages in the wrong order are stored in the right one", sorts),
        Rule("a hole in one stream does not hold the others up", counts_each_stream),
        Rule("numbers that a gap tells to be lost count as received", goes_on_behind_a_gap),
        Rule("the same for a gap that is itself behind the hole", hears_a_gap_behind_its_hole),
        Rule("a lost number that comes after all is stored", stores_what_comes_late),
        Rule("what has no number is not counted", ignores_what_has_no_number),
        Rule("numbers begin at 1 in a new epoch, which the receipt names", begins_anew),
        Rule("what is left of a former epoch is stored behind a hole, once the status names the new one", takes_over),
        Rule(f"nothing that it confirmed is lost by {kills} x SIGKILL", partial(survives, kills)),
        Rule("everything is stored, once and in order", stores_everything),
    ]


async def registers(stage: Stage) -> None:
    """The first receipt."""
    await stage.process.start()
    told = await stage.receipt(0)
    if not told.receipt.received:
        raise Broken("its receipt names no stream")
    if any(told.receipt.received.values()):
        raise Broken(f"its first receipt says {told.receipt.received}; begin with a consumer that has stored nothing")


async def confirms(stage: Stage) -> None:
    """Every stream, from the first message on."""
    for stream in stage.streams:
        await stage.send(stage.hub.events(stream, MANY))
    for stream in stage.streams:
        await stage.confirmed(stream, stage.hub.last[stream], 5.0)


async def is_not_noisy(stage: Stage) -> None:
    """A steady stream of messages, and how many receipts come of it."""
    before = len(stage.told)
    for _ in range(int(STEADY_S * STEADY_HZ)):
        await stage.send(stage.hub.events(stage.bulk, 1))
        await stage.clock.sleep(1 / STEADY_HZ)
    await stage.confirmed(stage.bulk, stage.hub.last[stage.bulk])
    times = [told.at for told in stage.told[before:]]
    if len(times) > 2 and (len(times) - 1) / (times[-1] - times[0]) > MOST_A_SECOND:
        raise Broken(f"{len(times)} receipts in {times[-1] - times[0]:.1f} s")


async def confirms_again(stage: Stage) -> None:
    """Nothing is sent."""
    await stage.receipt(len(stage.told), AGAIN)
    await stage.receipt(len(stage.told), AGAIN)


async def ignores_duplicates(stage: Stage) -> None:
    """Former messages, as they were and as copies."""
    stream = stage.bulk
    last = stage.hub.last[stream]
    await stage.send(stage.hub.after(stream, last - MANY, MANY))
    await stage.send(stage.hub.after(stream, 0, MANY), again=True)
    await _alive(stage, stream)


async def stops_at_a_hole(stage: Stage) -> None:
    """One message is left out, and sent later."""
    stream = stage.bulk
    before, told = stage.hub.last[stream], len(stage.told)
    hole, *behind = stage.hub.events(stream, 6)
    await stage.send(behind)
    receipt = (await stage.receipt(told, AT_ONCE)).receipt
    if receipt.received.get(stream) != before:
        raise Broken(f"before the hole is {before}, and the receipt says {receipt.received.get(stream)}")
    await stage.clock.sleep(ALIVE_S)
    stage.judge()
    await stage.send([hole, *behind], again=True)
    await stage.confirmed(stream, stage.hub.last[stream])


async def sorts(stage: Stage) -> None:
    """A shuffled handful, again and again, as after a hub that replays while new messages come."""
    stream = stage.bulk
    messages = stage.hub.events(stream, MANY)
    shuffled = list(messages)
    stage.clock.random.shuffle(shuffled)
    await stage.send(shuffled)
    await stage.settle()


async def counts_each_stream(stage: Stage) -> None:
    """A hole in one, messages of another."""
    first, *others = stage.streams
    if not others:
        return
    hole, *behind = stage.hub.events(others[0], 3)
    await stage.send(behind)
    await _alive(stage, first)
    await stage.send([hole, *behind], again=True)
    await stage.confirmed(others[0], stage.hub.last[others[0]])


async def goes_on_behind_a_gap(stage: Stage) -> None:
    """The journal has lost some, says so, and goes on."""
    lost = await _lose(stage, stage.bulk, 3)
    await _tell(stage, stage.bulk, lost)
    await _alive(stage, stage.bulk)


async def hears_a_gap_behind_its_hole(stage: Stage) -> None:
    """The gap has a number of the same stream, or of `events`, that cannot be stored before the hole is closed."""
    stream = stage.bulk
    lost = await _lose(stage, stream, 2)
    await stage.send(stage.hub.events(stream, 3))
    if Stream.EVENTS in stage.streams:
        stage.hub.events(Stream.EVENTS, 1)  # it is on its way: a hole of its own before the gap
    await _tell(stage, stream, lost)
    await stage.confirmed(stream, lost[-1].number)
    await stage.settle()


async def stores_what_comes_late(stage: Stage) -> None:
    """What was told to be lost is found and sent."""
    lost = await _lose(stage, stage.bulk, 4)
    await _tell(stage, stage.bulk, lost)
    await _alive(stage, stage.bulk)
    for message in lost[1:3]:
        stage.hub.find(message)
    await stage.send(lost[1:3], again=True)
    await stage.send(lost[1:3], again=True)
    await _alive(stage, stage.bulk)
    if not stage.process.shows:
        return
    keys = {(one.epoch, one.stream, one.number) for one in await stage.process.stored()}
    if missing := [one.number for one in lost[1:3] if (one.epoch, one.stream, one.number) not in keys]:
        raise Broken(f"{missing} came after all and are not stored")


async def ignores_what_has_no_number(stage: Stage) -> None:
    """The retained state of an alarm point, and its end."""
    out = stage.hub.state_of_alarm()
    await stage.publish(out)
    await _alive(stage, stage.bulk)
    await stage.publish(structs.replace(out, payload=b""))
    await _alive(stage, stage.bulk)


async def begins_anew(stage: Stage) -> None:
    """The journal was replaced."""
    stage.hub.begin_epoch()
    await stage.publish(stage.hub.status())
    for stream in stage.streams:
        await stage.send(stage.hub.events(stream, MANY))
    await stage.settle()
    newest = stage.told[-1].receipt
    if newest.epoch != stage.hub.epoch:
        raise Broken(f"the receipt names epoch {newest.epoch!r} and not {stage.hub.epoch!r}")


async def takes_over(stage: Stage) -> None:
    """The journal was damaged: status, what could be saved, then the gap that names what could not."""
    stream, former = stage.bulk, stage.hub.epoch
    lost, *saved = stage.hub.events(stream, 4)
    stage.hub.forget(stream, ((lost.number, lost.number),))
    stage.hub.begin_epoch()
    told = len(stage.told)
    await stage.publish(stage.hub.status())
    await stage.send(saved, again=True)
    await stage.receipt(told)
    await stage.send([stage.hub.gap(stream, ((lost.number, lost.number),), former)])
    await stage.settle()
    await _alive(stage, stream)
    if not stage.process.shows:
        return
    keys = {(one.epoch, one.stream, one.number) for one in await stage.process.stored()}
    if missing := [one.number for one in saved if (one.epoch, one.stream, one.number) not in keys]:
        raise Broken(f"{missing} of the former epoch are not stored")


async def survives(kills: int, stage: Stage) -> None:
    """It is killed while messages come, some of which are lost on the way, come twice or in the wrong order."""
    for number in range(kills):
        for stream in stage.streams:
            await stage.send(_disturbed(stage, stage.hub.events(stream, stage.clock.random.randint(1, BURST))))
        if number % 2:
            await stage.clock.sleep(stage.clock.jitter(ALIVE_S))
        else:  # the very moment at which it has confirmed something
            await stage.receipt(len(stage.told))
        await stage.process.kill()
        await check_stored(stage, all_of_it=False)
        told = len(stage.told)
        await stage.process.start()
        await stage.receipt(told)
        stage.judge()
        for stream in stage.streams:
            await stage.send(stage.hub.after(stream, stage.received(stream), AHEAD), again=True)
    await stage.settle()


async def stores_everything(stage: Stage) -> None:
    """It ends in order, and its store is held against all that was played."""
    await stage.settle()
    await stage.process.stop()
    await check_stored(stage, all_of_it=True)


def _disturbed(stage: Stage, messages: list[Numbered]) -> list[Numbered]:
    chance = stage.clock.random
    sent = [one for one in messages for _ in range(chance.choice((1, 1, 1, 2))) if chance.random() >= LOSS]
    if len(sent) > 1:
        first = chance.randrange(len(sent) - 1)
        sent[first], sent[first + 1] = sent[first + 1], sent[first]
    return sent


async def _alive(stage: Stage, stream: Stream) -> None:
    """It goes on with what is new, and nothing that it said since was wrong."""
    await stage.send(stage.hub.events(stream, 2))
    await stage.confirmed(stream, stage.hub.last[stream])
    stage.judge()


async def _lose(stage: Stage, stream: Stream, count: int) -> list[Numbered]:
    lost = stage.hub.events(stream, count)
    return stage.hub.forget(stream, ((lost[0].number, lost[-1].number),))


async def _tell(stage: Stage, stream: Stream, lost: list[Numbered]) -> None:
    gap = stage.hub.gap(stream, ((lost[0].number, lost[-1].number),))
    stage.hub.reach.lose(gap.epoch, stream, ((lost[0].number, lost[-1].number),))
    await stage.send([gap])
