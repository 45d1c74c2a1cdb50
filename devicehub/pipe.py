"""The one-way queue between collecting and processing: bounded in number and bytes, with a count of what did not fit.

While the disk takes nothing the pipe fills up. No device takes the room of the others then: each has
a share. Of a camera's frames the newest count: some of them wait, and a further one takes the place
of the last of these. What is a capture stays: frames that are files, and those before and after a
trigger. Faults wait once per reason, with their number.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Collection, Mapping
from itertools import islice

from msgspec import Struct, structs

from devicehub.driver import Driver, FileLink
from devicehub.model.errors import Reason
from devicehub.model.reading import (
    Change,
    DeviceAlarm,
    Dropped,
    Fault,
    Identity,
    Image,
    Input,
    Reading,
    Sample,
    Scan,
    Spectrum,
    Stamp,
    Tick,
    Trigger,
)

BUDGET = 64 * 1024 * 1024
IMAGES = 4
_SHARES = 4
_OVERHEAD = 512


class _Overflow(Struct):
    """Inputs of one device refused from `since` to `until`."""

    since: Stamp
    until: Stamp
    count: int


class _Account(Struct):
    """What waits of one device: how many and how many bytes. `files`: each of its images is a capture."""

    files: bool
    count: int = 0
    size: int = 0
    due: bool = False
    images: dict[str, deque[int]] = {}
    faults: dict[Reason, int] = {}


class Pipe:
    """Readings are refused when the pipe or its device's share is full, and counted; a change of state always fits."""

    def __init__(
        self, drivers: Mapping[str, Driver] | None = None, *, capacity: int = 20_000, budget: int = BUDGET
    ) -> None:
        """`capacity`: how many inputs may wait. `budget`: bytes; passed by at most one input per device."""
        self._capacity, self._budget = capacity, budget
        self._waiting: OrderedDict[int, Input] = OrderedDict()
        self._ticket = 0
        self._size = 0
        self._accounts: dict[str, _Account] = {}
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._overflow: dict[str, _Overflow] = {}
        self._closed = False
        self.dropped = 0
        self.revise(drivers or {})

    def revise(self, drivers: Mapping[str, Driver]) -> None:
        """There are other devices from now on. Of those that have gone or changed nothing waits: see `drained`."""
        shares = min(max(len(drivers), 1), _SHARES)
        self._share, self._share_size = max(self._capacity // shares, 1), self._budget // shares
        self._files = {name for name, driver in drivers.items() if isinstance(driver.link, FileLink)}

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, item: Input) -> None:
        """Take an input, or count it as dropped. Never waits."""
        account = self._accounts.get(item.device)
        if account is None:
            account = self._accounts[item.device] = _Account(item.device in self._files)
        if isinstance(item, Fault) and self._joined(account, item):
            return
        if isinstance(item, Tick):
            self._flush()
        if isinstance(item, Reading) and not self._makes_way(account, item.sample) and not self._fits(account):
            self._refuse(item)
            return
        if self._overflow and (overflow := self._overflow.pop(item.device, None)) is not None:
            self._put(account, _dropped(item.device, overflow))
        self._put(account, item)
        self._arrived.set()

    async def take(self, most: int) -> list[Input]:
        """At least one input and at most `most`, in order; an empty list once closed and drained."""
        while not self._waiting and not self._closed:
            self._arrived.clear()
            await self._arrived.wait()
        self._taken.set()
        return [self._first() for _ in range(min(most, len(self._waiting)))]

    async def drained(self, leaving: Collection[str]) -> None:
        """Wait until all that these devices said was taken, and forget them. They say nothing meanwhile."""
        for device in leaving:
            if (overflow := self._overflow.pop(device, None)) is not None:
                self._put(self._accounts[device], _dropped(device, overflow))
        last = self._ticket
        while self._waiting and next(iter(self._waiting)) <= last:
            self._taken.clear()
            self._arrived.set()
            await self._taken.wait()
        for device in leaving:
            self._accounts.pop(device, None)

    def close(self) -> None:
        """Nothing more will come; `take` drains what waits, and what was refused last is told too."""
        self._flush()
        self._closed = True
        self._arrived.set()

    def oldest(self) -> Stamp | None:
        """Since when something waits or was refused and is not told yet; None where everything was taken."""
        waiting = [_begin(item) for item in islice(self._waiting.values(), 1)]
        return min([*waiting, *(overflow.since for overflow in self._overflow.values())], key=_mono, default=None)

    def _flush(self) -> None:
        """What was refused is told, though nothing further of those devices came."""
        for device, overflow in self._overflow.items():
            self._put(self._accounts[device], _dropped(device, overflow))
        self._overflow.clear()

    def _fits(self, account: _Account) -> bool:
        within = len(self._waiting) < self._capacity and self._size < self._budget
        return within and account.count < self._share and account.size < self._share_size

    def _refuse(self, item: Reading) -> None:
        overflow = self._overflow.setdefault(item.device, _Overflow(item.at, item.at, 0))
        overflow.count += 1
        overflow.until = item.at
        self.dropped += 1

    def _joined(self, account: _Account, fault: Fault) -> bool:
        """Whether one of that reason waits already: it stands for this one too, with the newest detail."""
        ticket = account.faults.get(fault.reason)
        waiting = None if ticket is None else self._waiting.get(ticket)
        if ticket is None or not isinstance(waiting, Fault):
            return False
        since, count = waiting.since or waiting.at, waiting.count + fault.count
        self._waiting[ticket] = structs.replace(fault, since=since, count=count)
        return True

    def _makes_way(self, account: _Account, sample: Sample) -> bool:
        """The last waiting frame of a channel goes for a newer one when enough of them wait or there is no room."""
        frames = account.images.get(sample.channel) if isinstance(sample, Image) else None
        if not frames or (len(frames) < IMAGES and self._fits(account)):
            return False
        self._leave(self._waiting.pop(frames.pop()))
        self.dropped += 1
        return True

    def _put(self, account: _Account, item: Input) -> None:
        self._ticket += 1
        self._waiting[self._ticket] = item
        size = _size(item)
        account.count += 1
        account.size += size
        self._size += size
        if isinstance(item, Fault):
            account.faults[item.reason] = self._ticket
        elif isinstance(item, Reading):
            self._note(account, item)

    def _note(self, account: _Account, item: Reading) -> None:
        """Frames up to a trigger, and the first one after it, are what it may capture: they stay."""
        if isinstance(item.sample, Trigger):
            account.images.clear()
            account.due = True
        elif isinstance(item.sample, Image) and not account.files:
            if not account.due:
                account.images.setdefault(item.sample.channel, deque()).append(self._ticket)
            account.due = False

    def _first(self) -> Input:
        ticket, item = self._waiting.popitem(last=False)
        self._leave(item)
        account = self._accounts[item.device]
        if isinstance(item, Fault):
            del account.faults[item.reason]
        elif isinstance(item, Reading) and isinstance(item.sample, Image):
            frames = account.images.get(item.sample.channel)
            if frames and frames[0] == ticket:
                frames.popleft()
        return item

    def _leave(self, item: Input) -> None:
        account, size = self._accounts[item.device], _size(item)
        account.count -= 1
        account.size -= size
        self._size -= size


def _dropped(device: str, overflow: _Overflow) -> Dropped:
    return Dropped(device, overflow.until, overflow.since, overflow.count)


def _begin(item: Input) -> Stamp:
    since = item.since if isinstance(item, Fault | Dropped) else None
    return since or item.at


def _mono(stamp: Stamp) -> float:
    return stamp.mono


def _size(item: Input) -> int:
    """About how many bytes an input holds. A fault's text is bounded by what joins it, and not counted."""
    if not isinstance(item, Reading):
        return _OVERHEAD + (len(item.why) if isinstance(item, Change) else 0)
    match item.sample:
        case Image() as image:
            return _OVERHEAD + len(image.data) + len(image.original)
        case Spectrum() | Scan() as sample:
            return _OVERHEAD + len(sample.data)
        case Identity() as identity:
            return _OVERHEAD + sum(len(name) + len(value) for name, value in identity.facts)
        case DeviceAlarm() as alarm:
            return _OVERHEAD + len(alarm.text)
        case _:
            return _OVERHEAD
