"""The supervisors of all devices, each in a task of its own, which a reload may end and begin."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from devicehub.clock import Clock
from devicehub.collect.refusals import Quarantine
from devicehub.collect.supervisor import Overhear, Post, Supervisor, nobody_overhears
from devicehub.commands.line import Line
from devicehub.core.admission import Admission
from devicehub.driver import Driver
from devicehub.hub.plan import Plan
from devicehub.model.reading import Input, Reading
from devicehub.pipe import Pipe


class Crew:
    """Who keeps which device open."""

    def __init__(
        self,
        offer: Callable[[Input], None],
        clock: Clock,
        quarantine: Quarantine,
        overhear: Overhear = nobody_overhears,
    ) -> None:
        """`offer` takes what devices say, `overhear` is told of the packets, `quarantine` keeps what was refused."""
        self._offer = offer
        self._quarantine = quarantine
        self._overhear = overhear
        self._clock = clock
        self._supervisors: dict[str, Supervisor] = {}
        self._posts: dict[str, Post] = {}
        self._drivers: dict[str, Driver] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something was plugged in: try every absent device now."""
        for supervisor in self._supervisors.values():
            supervisor.wake()

    def start(self, posts: Sequence[Post], drivers: Mapping[str, Driver], group: asyncio.TaskGroup) -> None:
        """Begin to keep devices open, in tasks of `group`. `drivers`: by device."""
        for post in posts:
            check = Admission(drivers[post.device]).check
            refusals = self._quarantine.of(post.device, private=post.private)
            supervisor = Supervisor(post, check, self._offer, self._clock, self._overhear, refusals)
            self._posts[post.device], self._supervisors[post.device] = post, supervisor
            self._drivers[post.device] = drivers[post.device]
            self._tasks[post.device] = group.create_task(supervisor.run())

    def commanded(self, device: str) -> tuple[Driver, Line] | None:
        """What a device can be told, and through which line; None for one that is not kept open."""
        post = self._posts.get(device)
        return None if post is None else (self._drivers[device], post.line)

    async def stop(self, leaving: Mapping[str, str]) -> None:
        """Close the links of devices and give up what stood behind them. `leaving`: why, by device."""
        await cancelled([self._tasks.pop(device) for device in leaving])
        for device, why in leaving.items():
            del self._posts[device], self._drivers[device]
            await self._supervisors.pop(device).leave(why)

    async def end(self) -> None:
        """Close all links: the hub ends."""
        await cancelled(list(self._tasks.values()))


async def cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel and wait; what they raise otherwise is their group's business."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def watched(plan: Plan, pipe: Pipe, clock: Clock) -> Crew:
    """A crew whose devices are looked at before what they say is judged."""
    view, taps = plan.view, plan.taps
    if view is None and taps is None:
        return Crew(pipe.offer, clock, plan.quarantine)

    def offered(item: Input) -> None:
        if view is not None and isinstance(item, Reading):
            view.look(item)
        if taps is not None:
            taps.made(item)
        pipe.offer(item)

    return Crew(offered, clock, plan.quarantine, nobody_overhears if taps is None else taps.packet)
