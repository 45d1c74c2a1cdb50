"""Zebra (Symbol) barcode scanners, SSI over Bluetooth Low Energy.

The same conversation as over a wire, see `zebra_ssi`; the line is Terminal I/O with credits, see `_terminal_io`. The
hub listens to the credits, then to the data, grants credits, and spends one for each piece that it writes. It grants
more before the scanner runs out; without credits of the scanner's what is to be sent waits, at last for too long.

An open link that is not bonded authenticates nobody. The check of SSI is a sum: it does not see swapped bytes.

Source (facts): enioka-Haute-Couture/enioka_scan (Apache-2.0), its Terminal I/O client and SSI provider. Not seen on a
device: whether the initial credits come before or behind ours; both orders are taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from devicehub.driver import BleLink, Options
from devicehub.model.errors import ProtocolError
from devicehub.model.reading import Sample
from devicehub.wire.forbidden import Allowed, Forbidden
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Call, Ended, Step
from drivers.scanner._terminal_io import (
    CREDITS_RX,
    CREDITS_TX,
    DATA_RX,
    DATA_TX,
    GRANT,
    SERVICE,
    TerminalIo,
    lengthed,
)
from drivers.scanner.zebra_ssi import DRIVER as WIRED
from drivers.scanner.zebra_ssi import SENT, ZebraSsi


class ZebraSsiBle:
    """The host's side of SSI over Terminal I/O."""

    def __init__(self, options: Options) -> None:
        self._line = TerminalIo()
        self._host = ZebraSsi(str(options["prefix"]))
        self._wake_at: float | None = None

    def start(self, now: float) -> Step:
        """Grant credits; ask who the decoder is as soon as it grants some."""
        return self._said(self._host.start(now), [])

    def on_packet(self, now: float, packet: Packet) -> Step:
        """Credits, or a piece of an SSI packet."""
        return self._merged(*self._heard(now, self._line.take(now, packet)))

    def on_timer(self, now: float) -> Step:
        """Half a packet is given up; what the conversation times."""
        due = self._wake_at is not None and now >= self._wake_at
        steps, faults = self._heard(now, self._line.on_timer(now))
        return self._merged([*steps, self._host.on_timer(now)] if due else steps, faults)

    def on_command(self, now: float, call: Call) -> Step:
        """As over a wire."""
        return self._said(self._host.on_command(now, call), [])

    def _heard(self, now: float, found: Iterable[bytes | ProtocolError]) -> tuple[list[Step], list[ProtocolError]]:
        """What the decoder's packets come to, and what is wrong with the line."""
        steps, faults = list[Step](), list[ProtocolError]()
        for one in found:
            if isinstance(one, ProtocolError):
                faults.append(one)
            else:
                steps.append(self._host.on_packet(now, Packet(one)))
        return steps, faults

    def _said(self, step: Step, faults: Sequence[ProtocolError]) -> Step:
        return self._merged([step], faults)

    def _merged(self, steps: Sequence[Step], faults: Sequence[ProtocolError]) -> Step:
        samples, ended, all_faults = list[Sample](), list[Ended](), list(faults)
        for step in steps:
            all_faults += self._line.send(step.write)
            samples += step.samples
            all_faults += step.faults
            ended += step.ended
            self._wake_at = step.wake_at
        write = (*self._line.grant(), *self._line.pieces())
        wakes = [at for at in (self._wake_at, self._line.wake_at) if at is not None]
        return Step(write, tuple(samples), tuple(all_faults), min(wakes, default=None), tuple(ended))


DRIVER = replace(
    WIRED,
    title="Zebra barcode scanner (SSI over BLE)",
    link=BleLink(notify=(CREDITS_TX, DATA_TX), service=SERVICE, acknowledged=None),
    protocol=ZebraSsiBle,
    allowed=Allowed(frozenset((Packet(bytes([GRANT]), CREDITS_RX), *(Packet(lengthed(one), DATA_RX) for one in SENT)))),
    forbidden=tuple(Forbidden(one.title, b".." + one.data, DATA_RX) for one in WIRED.forbidden),
)
