"""Every device file's driver and simulator over a line on which one thing goes wrong: what is said stays true, and goes on.

Each fault befalls a good part of all packets for a while, either way. What comes of frames with a CRC is what the device
said, to the bit, and so is what comes of any where bytes are lost, late or come twice but stay what they were; all else that
comes of it are typed faults, and soon after the line is sound a sample comes.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from string import ascii_letters

import pytest

from devicehub.clock import Clock
from devicehub.devicefile.compiled import Compiled
from devicehub.devicefile.load import load
from devicehub.devicefile.telling import Teller
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import Image, Measurement, Quality, Sample, Scan, Spectrum
from devicehub.registry import device_files, load_driver, load_simulator
from devicehub.simulator import AnySimulator
from devicehub.transport.faults import FaultPlan, FaultTransport
from devicehub.transport.memory import MemoryTransport
from devicehub.transport.simulated import SimulatedPort
from devicehub.wire.packet import Packet
from tests.conformance import check_step

SPOILED = 20.0
ACTS = 1.7
FAULTS = {
    "drop": FaultPlan(drop=0.3), "twice": FaultPlan(twice=0.3), "flip": FaultPlan(flip=0.3), "swap": FaultPlan(swap=0.9),
    "split": FaultPlan(split=0.3), "merge": FaultPlan(merge=0.3), "order": FaultPlan(order=0.3), "cut": FaultPlan(cut=0.3),
    "late": FaultPlan(late=2.5), "garbage": FaultPlan(garbage=0.3), "unheard": FaultPlan(unheard=0.6),
    "misnumber": FaultPlan(),
}  # fmt: skip
WHOLE = frozenset({"drop", "twice", "split", "merge", "order", "late", "unheard", "misnumber"})
"""Those that change no byte: however badly a device checks its frames, nothing wrong may come of them."""
VALUES = Measurement | Spectrum | Image | Scan


@dataclass
class Run:
    """What was heard on a line that was spoiled, and what the device had said, in answer to what.

    `unheard`: requests that did not arrive. `back`: seconds from the end of the faults to the next value.
    """

    said: list[tuple[bytes, Packet]] = field(default_factory=list[tuple[bytes, Packet]])
    unheard: int = 0
    heard: list[Packet] = field(default_factory=list[Packet])
    samples: list[Sample] = field(default_factory=list[Sample])
    faults: list[ProtocolError] = field(default_factory=list[ProtocolError])
    back: float | None = None

    def befell(self, fault: str) -> bool:
        """Whether the line was spoiled at all."""
        if fault == "unheard":
            return self.unheard > 0
        if fault == "misnumber":
            return Reason.SEQUENCE in {one.reason for one in self.faults}
        return fault == "late" or self.heard != [packet for _, packet in self.said]


class Tap:
    """A link that notes what the device said before it was spoiled, and to which request: each is answered once."""

    def __init__(self, inner: MemoryTransport, run: Run) -> None:
        self.identity = inner.identity
        self._inner, self._run = inner, run
        self._asked = deque[bytes]()
        self.close = inner.close

    async def read(self) -> Packet:
        """As it came."""
        packet = await self._inner.read()
        self._run.said.append((self._asked.popleft() if self._asked else b"", packet))
        return packet

    async def write(self, packet: Packet) -> None:
        """To the device."""
        if packet.data:
            self._asked.append(packet.data)
            self._run.unheard -= 1
        await self._inner.write(packet)


@cache
def compiled(name: str) -> Compiled:
    return load(device_files()[name])


async def spoiled(name: str, fault: str) -> Run:
    """Its driver against its simulator until a sample comes behind the time of the faults, or `back_in_step` is over."""
    driver, run, clock, loop = load_driver(name), Run(), Clock(seed=1), asyncio.get_running_loop()
    port = SimulatedPort(driver.link, lambda: _acting(load_simulator(name)(Random(3))), clock, 0.25)
    link = FaultTransport(Tap(await port.open(), run), FAULTS[fault], clock)
    ends = SPOILED + driver.back_in_step
    for number in range(int(ends / ACTS)):
        loop.call_at(
            number * ACTS,
            _act,
            port,
            f"{number:02} {ascii_letters[:40]}",
            fault == "misnumber" and number * ACTS < SPOILED,
        )
    loop.call_at(SPOILED, setattr, link, "plan", FaultPlan())
    protocol = driver.open({})
    step = protocol.start(loop.time())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(ends):
            while run.back is None:
                check_step(driver, step)
                run.samples += step.samples
                run.faults += step.faults
                if loop.time() >= SPOILED and any(isinstance(one, VALUES) for one in step.samples):
                    run.back = loop.time() - SPOILED
                run.unheard += sum(bool(packet.data) for packet in step.write)
                for packet in step.write:
                    await link.write(packet)
                try:
                    async with asyncio.timeout_at(step.wake_at):
                        packet = await link.read()
                except TimeoutError:
                    if loop.time() >= ends:
                        raise
                    step = protocol.on_timer(loop.time())
                else:
                    run.heard.append(packet)
                    step = protocol.on_packet(loop.time(), packet)
    await link.close()
    return run


def _acting(simulator: AnySimulator) -> AnySimulator:
    simulator.do("demo")
    return simulator


def _act(port: SimulatedPort, text: str, misnumbers: bool) -> None:  # noqa: FBT001 - given by position, by a timer
    """Somebody uses what waits to be used."""
    acts: list[tuple[str, dict[str, float | str]]] = [("scan", {"data": text}), ("insert", {})]
    for verb, values in acts:
        with contextlib.suppress(ValueError, KeyError):
            port.simulator.do(verb, **values)
    if misnumbers:
        port.simulator.do("misnumber")


def truth(file: Compiled, said: list[tuple[bytes, Packet]]) -> set[Sample]:
    """Everything that may be made of what the device said: of answers without borders by what was asked, else whatever."""
    out, memory = set[Sample](), dict[str, object]()
    for expected, frame in _frames(file, said):
        with contextlib.suppress(ProtocolError):
            message, values = file.codec.decode(frame, expected, memory)
            memory |= {key: values[key] for key in file.remembered[message.name] if values.get(key) is not None}
            told = Teller(file.meanings, (), untested=False).tell(message.name, values, [])
            out.update(one for one in told if isinstance(one, VALUES))
    return out


def _frames(file: Compiled, said: list[tuple[bytes, Packet]]) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """Each frame with the answers that it may be."""
    requests = list(file.requests.values())
    if file.file.frame.kind == "reply":
        patterns = [(file.asking.pattern(request.template), request.table.replies) for request in requests]
        for asked, packet in said:
            yield from ((replies, packet.data) for pattern, replies in patterns if pattern.fullmatch(asked))
        return
    cutter = file.framing.framer()
    for _, packet in said:
        for frame in cutter.feed(packet.data):
            assert isinstance(frame, bytes)
            yield from ((replies, frame) for replies in [(), *(request.table.replies for request in requests)])


def cases() -> Iterator[tuple[str, str]]:
    """Each file with each fault that can befall it."""
    needs = {"unheard": "[[request]]", "misnumber": "echo = "}
    for name, path in device_files().items():
        text = path.read_text(encoding="utf-8")
        yield from ((name, fault) for fault in FAULTS if needs.get(fault, "") in text)


def sees(file: Compiled, fault: str) -> bool:
    """Whether its checks see that damage, whatever it hits: a CRC sees each, a sum or exclusive or each single bit."""
    kinds = {check.kind for check in file.file.check}
    return fault in WHOLE or "crc" in kinds or (bool(kinds) and fault == "flip")


@pytest.mark.parametrize(("name", "fault"), list(cases()))
async def test_nothing_that_was_not_said_is_heard_on_a_spoiled_line_and_a_sound_one_is_heard_again(
    name: str, fault: str
) -> None:
    file, run = compiled(name), await spoiled(name, fault)
    assert run.befell(fault)
    assert run.back is not None, run.faults[-20:]
    values = [one for one in run.samples if isinstance(one, VALUES) and one.quality is Quality.GOOD]
    assert values
    if sees(file, fault):
        assert set(values) <= truth(file, run.said)
