"""Keeps devices open: opens, converses, backs off, tries again; one device's trouble stays its own.

Home of the only broad `except`: anything that is not one of our errors is a bug in that device's
driver, marks that device faulted with its traceback in the log, and is retried slowly.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from devicehub.clock import Clock
from devicehub.collect.refusals import Quarantine, Refusals
from devicehub.collect.session import Check, Session
from devicehub.collect.tail import Tail, Tapped
from devicehub.commands.line import Line
from devicehub.model.device import DeviceState
from devicehub.model.errors import ConfigError, LinkError
from devicehub.model.reading import Change, Input
from devicehub.model.segment import unicode_text
from devicehub.transport.link import LinkIdentity, Transport
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol

_log = logging.getLogger(__name__)

BACKOFF_FIRST = 0.5
BACKOFF_MOST = 30.0
FAULTED_PAUSE = 60.0
STEADY = 10.0
OPEN_MOST = 60.0
CLOSE_MOST = 2.0


Overhear = Callable[[str, str, Packet], None]
"""Told of a packet that passes: of which device, `<` or `>`."""


def nobody_overhears(device: str, sign: str, packet: Packet) -> None:
    """Where there is no page."""
    del device, sign, packet


async def nothing_to_retire() -> None:
    """Nothing stands behind a link that is closed."""


@dataclass(frozen=True, slots=True)
class Post:
    """One device to be kept open: its name, how to open its link and how to make its protocol.

    `quiet`: it speaks only when somebody uses it, so that an open link is all that can be asked of it. `retire`:
    give up what stands behind the link, when the device is not to be opened by this post any more. `line`: where its
    commands come from. `private`: what it sends is personal data. `damaged_most`: see `Tail`.
    """

    device: str
    open_link: Callable[[], Awaitable[Transport]]
    make_protocol: Callable[[], DeviceProtocol]
    quiet: bool = False
    retire: Callable[[], Awaitable[None]] = nothing_to_retire
    line: Line = field(default_factory=Line)
    private: bool = False
    damaged_most: int = 0


class Supervisor:
    """Restart, backoff with full jitter, bulkhead: for one device."""

    def __init__(
        self,
        post: Post,
        check: Check,
        offer: Callable[[Input], None],
        clock: Clock,
        overhear: Overhear = nobody_overhears,
        refusals: Refusals | None = None,
    ) -> None:
        """`check` raises for a sample that the device's driver never declared. `overhear`: told of each packet.

        `refusals`: where what it sends and is refused is kept, for whoever looks.
        """
        self._post = post
        self._refusals = refusals or Quarantine().of(post.device, private=post.private)
        self._overhear = overhear
        self._check = check
        self._offer = offer
        self._clock = clock
        self._state = DeviceState.OFFLINE
        self._cause: type[Exception] | None = None
        self._cut_at = -BACKOFF_FIRST
        self._awaited = False
        self._heard_at: float | None = None
        self._failures = 0
        self._retry = asyncio.Event()

    def wake(self) -> None:
        """Something was plugged in: try now rather than later, unless the device is faulted.

        If it is this device, its link may not be known to be lost yet, or may not open at the first try: pauses grow
        from the beginning again.
        """
        self._failures = 0
        self._retry.set()

    async def run(self) -> None:
        """Keep the device open for ever; ends only for a `ConfigError`, which nothing but a person can mend."""
        while True:
            try:
                await self._once()
            except ConfigError as error:
                self._tell(DeviceState.OFFLINE, str(error), cause=type(error))
                return
            except LinkError as error:
                self._lost(error)
                await self._pause(self._backoff())
            except Exception as error:  # noqa: BLE001 - the bulkhead: a bug in one driver must not stop the others
                _log.exception("device %s: bug in its driver", self._post.device, extra={"device": self._post.device})
                self._tell(DeviceState.FAULTED, f"{type(error).__name__}: {error}")
                await self._clock.sleep(FAULTED_PAUSE)

    async def leave(self, why: str) -> None:
        """After `run` was cancelled: nobody keeps the device open any more, and what stands behind it is given up."""
        self._tell(DeviceState.OFFLINE, why, cause=ConfigError)
        try:
            await self._post.retire()
        except Exception:  # noqa: BLE001 - the bulkhead, as in `run`
            _log.exception(
                "device %s: what stands behind its link is left behind",
                self._post.device,
                extra={"device": self._post.device},
            )

    async def _once(self) -> None:
        """Open the link and converse until it breaks. Raises what ended it."""
        self._retry.clear()
        self._heard_at = None
        transport = await self._open()
        try:
            self._opened(transport.identity)
            post = self._post
            tail = Tail(post.device, self._clock, self._refusals, damaged_most=post.damaged_most)
            offer = tail.watching(self._offer)
            session = Session(post.device, post.make_protocol(), self._check, offer, self._clock, post.line)
            tapped = Tapped(transport, self._noting(tail), tail.check)
            await session.run(tapped, lambda: self._heard(transport.identity))
        finally:
            self._retry.clear()  # what was plugged in while the device was open was something else
            await self._close(transport)

    def _noting(self, tail: Tail) -> Callable[[str, Packet], None]:
        def noted(sign: str, packet: Packet) -> None:
            tail.note(sign, packet)
            self._overhear(self._post.device, sign, packet)

        return noted

    async def _open(self) -> Transport:
        """Open the link, or raise `LinkError` for one that hangs: somebody has to hear of it."""
        limit = asyncio.timeout(OPEN_MOST)
        try:
            async with limit:
                return await self._post.open_link()
        except TimeoutError:
            if not limit.expired():
                raise
            raise LinkError(f"its link did not open within {OPEN_MOST:.0f} s") from None

    async def _close(self, transport: Transport) -> None:
        """A link that does not close is left behind: it must keep neither this device nor the hub's end waiting.

        `asyncio.timeout` tells no time-out in a task that was cancelled, up to Python 3.11.2.
        """
        closing = asyncio.ensure_future(transport.close())
        try:
            done, _ = await asyncio.wait([closing], timeout=CLOSE_MOST)
        finally:
            closing.cancel()
        if done:
            closing.result()
            return
        _log.error(
            "device %s: its link does not close and is left behind",
            self._post.device,
            extra={"device": self._post.device},
        )

    def _opened(self, identity: LinkIdentity) -> None:
        """Told once: a device that was away stays away until it says something, however often its link opens."""
        if self._post.quiet:
            self._heard(identity)
        elif self._state is DeviceState.OFFLINE and not self._awaited:
            self._awaited = True
            self._tell(DeviceState.BUSY, "connected", identity)

    def _heard(self, identity: LinkIdentity) -> None:
        self._heard_at = self._clock.monotonic()
        self._awaited = False
        self._tell(DeviceState.READY, "", identity)

    def _backoff(self) -> float:
        """Seconds to wait, with full jitter; a device that kept talking for a while begins anew, as after `wake`."""
        if self._heard_at is not None and self._clock.monotonic() - self._heard_at >= STEADY:
            self._failures = 0
        most = min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** min(self._failures, 10))
        self._failures += 1
        return self._clock.jitter(most)

    def _lost(self, error: LinkError) -> None:
        """A device that worked is lost; one that never did stays offline; a faulted one stays so until it works."""
        if self._state is DeviceState.FAULTED:
            return
        worked = self._state in {DeviceState.READY, DeviceState.LOST}
        self._tell(DeviceState.LOST if worked else DeviceState.OFFLINE, str(error), cause=type(error))

    def _tell(
        self,
        state: DeviceState,
        why: str,
        identity: LinkIdentity | None = None,
        *,
        cause: type[Exception] | None = None,
    ) -> None:
        """Report a change once; while a device is offline, another kind of cause is news and another wording is not."""
        if state is self._state and (state is not DeviceState.OFFLINE or cause is self._cause):
            return
        why = unicode_text(why)
        level = logging.INFO if state in {DeviceState.READY, DeviceState.BUSY} else logging.WARNING
        _log.log(
            level,
            "device %s is %s%s",
            self._post.device,
            state,
            f": {why}" if why else "",
            extra={"device": self._post.device},
        )
        self._state, self._cause = state, cause
        facts = () if identity is None else _facts(identity)
        self._offer(Change(self._post.device, self._clock.stamp(), state, why, facts))

    async def _pause(self, seconds: float) -> None:
        """Wait, or until `wake`; one that came while the link was being opened counts too.

        However often something is plugged in, a pause that follows one cut short lasts `BACKOFF_FIRST` at least.
        """
        least = max(self._cut_at + BACKOFF_FIRST - self._clock.monotonic(), 0.0)
        await self._clock.sleep(least)
        try:
            async with asyncio.timeout(max(seconds - least, 0.0)):
                await self._retry.wait()
        except TimeoutError:
            return
        self._cut_at = self._clock.monotonic()


def _facts(identity: LinkIdentity) -> tuple[tuple[str, str], ...]:
    named = (("usb", identity.usb), ("serial", identity.serial), ("address", identity.address))
    return tuple((name, unicode_text(value)) for name, value in named if value)
