"""What devices sent that was refused: the bytes before each of the last refusals, with times, beyond their link.

`MOST` refusals a device are kept, each with what `devicehub.collect.tail` held when it came; of one reason one a
minute, and how often it came in that minute. They stand in a file of the state folder that nobody else may read, for
`devicehub diagnostics` and whoever looks: nothing of them is published. Serial numbers and what people wrote are put
out as `devicehub record --redact` does, as far as the driver has found them; of a reader of documents or tags, and of
what lies in files, the number of bytes is kept alone.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from devicehub.clock import Clock
from devicehub.log import escaped
from devicehub.model.errors import LinkBusyError, Reason
from devicehub.model.instant import instant
from devicehub.model.reading import Fault, Identity, Result, Sample
from devicehub.record import format_packet
from devicehub.redact import put_out, secrets_in
from devicehub.transport.blocking import Blocking
from devicehub.wire.packet import Packet

_log = logging.getLogger(__name__)

MOST: Final = 16
SECRETS: Final = 64
MINUTE: Final = 60.0
PAUSE: Final = 30.0
FILE: Final = "refused.txt"


class Gone(Struct, frozen=True):
    """A packet that went by, `at` seconds after its link was opened; of a long one the end, `size` being all of it."""

    at: float
    sign: str
    size: int
    packet: Packet


class _Refusal(Struct):
    """`at`: UTC second; `mono`: by the clock that nobody sets; both of the first of `count`."""

    at: float
    mono: float
    reason: Reason
    detail: str
    gone: list[Gone]
    count: int = 1


def transcript(gone: Sequence[Gone], *, private: bool) -> Iterator[str]:
    """As the lines of one; `private`: bytes by their number."""
    for one in gone:
        if private:
            yield f"{one.at:.2f} {one.sign} {one.size} bytes"
            continue
        if len(one.packet.data) < one.size:
            yield f"# the last {len(one.packet.data)} of {one.size} bytes:"
        yield f"{one.at:.2f} {one.sign} {format_packet(one.packet)}"


class Refusals:
    """Of one device."""

    def __init__(self, device: str, changed: Callable[[], None], *, private: bool) -> None:
        """`changed`: called when there is something new. `private`: its bytes are personal data."""
        self.private = private
        self._device = device
        self._changed = changed
        self._kept: deque[_Refusal] = deque(maxlen=MOST)
        self._secrets: deque[bytes] = deque(maxlen=SECRETS)

    def learn(self, sample: Sample) -> None:
        """The driver found something, which may be secret."""
        if not self.private and isinstance(sample, Identity | Result):
            self._secrets.extend(one for one in secrets_in(sample) if one not in self._secrets)

    def note(self, fault: Fault, last: Callable[[], list[Gone]]) -> None:
        """Something was refused; `last`: what went by before."""
        self._changed()
        for one in reversed(self._kept):
            if one.reason is fault.reason and fault.at.mono < one.mono + MINUTE:
                one.count += fault.count
                return
        detail = "" if self.private else fault.detail
        self._kept.append(
            _Refusal(fault.at.utc, fault.at.mono, fault.reason, detail, self._without(last()), fault.count)
        )

    def lines(self) -> Iterator[str]:
        """Each as a comment and the transcript before it, oldest first, without what is known to be secret by now."""
        for one in self._kept:
            what = f"{one.reason}: {one.detail}" if one.detail else one.reason.value
            yield escaped(f"# {self._device}: {what}, {instant(one.at)}, {one.count} within a minute")
            yield from transcript(self._without(one.gone), private=self.private)

    def _without(self, gone: list[Gone]) -> list[Gone]:
        """Of what is private not even the bytes stay."""
        if self.private:
            return [Gone(one.at, one.sign, one.size, Packet(b"")) for one in gone]
        packets = put_out((one.packet for one in gone), self._secrets)
        return [Gone(one.at, one.sign, one.size, packet) for one, packet in zip(gone, packets, strict=True)]


class Quarantine:
    """Of all devices of a hub. Used from one event loop."""

    def __init__(self) -> None:
        self._devices: dict[str, Refusals] = {}
        self._new = asyncio.Event()

    def of(self, device: str, *, private: bool) -> Refusals:
        """A device begins to be kept open: of what it was before nothing is kept."""
        self._devices[device] = Refusals(device, self._new.set, private=private)
        return self._devices[device]

    def text(self) -> str:
        """Of all of them."""
        return "".join(f"{line}\n" for one in self._devices.values() for line in one.lines())

    async def keep(self, folder: Path, clock: Clock) -> None:
        """Have it in a file whenever there is something new, at most every `PAUSE` seconds, for ever."""
        writing = Blocking(FILE)
        while True:
            await self._new.wait()
            self._new.clear()
            try:
                await writing.run(_written, folder / FILE, self.text())
            except (OSError, LinkBusyError) as error:
                _log.warning("what was refused is in no file: %s", error)
            await clock.sleep(PAUSE)


def _written(path: Path, text: str) -> None:
    """The whole file takes the place of the old one."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
