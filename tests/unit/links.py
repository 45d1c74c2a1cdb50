"""Links and protocols of a test's own, for sessions and supervisors."""

import asyncio
from collections.abc import Callable, Iterable

from devicehub.clock import Clock
from devicehub.collect.supervisor import Post, Supervisor
from devicehub.model.errors import LinkMissingError, ProtocolError, Reason
from devicehub.model.reading import Change, Input, Measurement, Sample
from devicehub.transport.link import LinkIdentity
from devicehub.transport.memory import MemoryTransport
from devicehub.wire.framer import DelimiterFramer
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import DeviceProtocol, FramedProtocol, Poll


def decode(frame: bytes) -> Iterable[Measurement]:
    """Digits are a value, `!` is a bug of the driver, `x...` an undeclared channel, the rest is refused."""
    if frame == b"!":
        raise ZeroDivisionError("a bug in the driver")
    if frame.startswith(b"x"):
        return (Measurement("undeclared", 1.0),)
    if not frame.isdigit():
        raise ProtocolError(Reason.GARBAGE, "not a number")
    return (Measurement("value", float(frame)),)


def lines(*polls: Poll) -> FramedProtocol:
    return FramedProtocol(DelimiterFramer(b"\n", limit=64), decode, polls)


def declared(sample: Sample) -> None:
    """The driver declares one channel, `value`."""
    if getattr(sample, "channel", "value") != "value":
        raise ValueError(f"channel '{sample.channel}' is not declared")  # type: ignore[union-attr]  # it has one


class Socket:
    """Where a test plugs a device in: opens links that the test speaks on, or does whatever `trouble` says."""

    def __init__(self) -> None:
        self.trouble: Exception | None = LinkMissingError("nothing is plugged in")
        self.hangs = False
        self.opened: list[MemoryTransport] = []
        self.closed = 0
        self.attempts: list[float] = []
        self.first_words = b""
        self.on_attempts: list[Callable[[], None]] = []

    async def open(self) -> MemoryTransport:
        self.attempts.append(asyncio.get_running_loop().time())
        if self.on_attempts:
            self.on_attempts.pop()()
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
        transport = _Counted(self)
        self.opened.append(transport)
        if self.first_words:
            self.say(self.first_words)
        return transport

    def say(self, data: bytes) -> None:
        self.opened[-1].push([Packet(data)])

    def yank(self, why: str = "unplugged") -> None:
        self.opened[-1].lose(why)


class _Counted(MemoryTransport):
    def __init__(self, socket: Socket) -> None:
        super().__init__(lambda _: None, LinkIdentity(usb="0403:6001", serial="7"))
        self._socket = socket

    async def close(self) -> None:
        self._socket.closed += 1
        await super().close()


class Watched:
    """A supervisor at work on a socket, and what it offered."""

    def __init__(
        self,
        make_protocol: Callable[[], DeviceProtocol] = lines,
        seed: int = 1,
        *,
        quiet: bool = False,
        damaged_most: int = 0,
    ) -> None:
        self.socket = Socket()
        self.offered: list[Input] = []
        self.clock = Clock(utc=lambda: 0.0, seed=seed)
        post = Post("dev", self.socket.open, make_protocol, quiet, damaged_most=damaged_most)
        self.supervisor = Supervisor(post, declared, self.offered.append, self.clock)
        self.task = asyncio.create_task(self.supervisor.run())

    async def plug(self, words: bytes = b"1\n") -> None:
        """Plug a device in that says something on its own whenever its link is opened; wait for it."""
        self.socket.trouble, self.socket.first_words = None, words
        self.supervisor.wake()
        await self.clock.sleep(0.1)

    def told(self) -> list[tuple[str, str]]:
        """States and reasons, in order."""
        return [(str(one.state), one.why) for one in self.offered if isinstance(one, Change)]

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
