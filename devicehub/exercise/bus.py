"""A device of a scenario that puts readings on the bus (`link = "bus"`): no bytes of its wire, and no driver, between.

What a lesson or a test needs of rules, alarms, lane and answers is there. What can be wrong with a wire or a driver is
not: for that there are the bytes.

What goes over the link is a reading as JSON, whose kind is the packet's port, so that a cable can come out and bytes be
spoilt here as well.
"""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np

from devicehub.driver import Driver, OperatorLink
from devicehub.model.device import Channel, ChannelKind
from devicehub.model.errors import ProtocolError, Reason
from devicehub.model.reading import (
    DeviceAlarm,
    Identified,
    Identity,
    Image,
    Layout,
    Measurement,
    Outcome,
    Quality,
    Radiometric,
    Result,
    Sample,
    Scan,
)
from devicehub.wire.packet import Packet
from devicehub.wire.protocol import Step

LINK: Final = OperatorLink()
PERIOD: Final = 1.0
COLUMNS, ROWS = 32, 24
NOISE: Final = 0.1
_KINDS: Final[Mapping[str, type[Sample]]] = MappingProxyType(
    {kind.__name__.lower(): kind for kind in (Measurement, Image, Scan, DeviceAlarm, Result, Identity)}
)

Values = Mapping[str, float | str]


class Bus:
    """Says each value that it was told once a second, and images as often as it is told to.

    Verbs: `reading(channel, value, quality)`, of a channel of states `label` instead of `value`; `result(outcome,
    substance)`; `scan(data, symbology)`; `alarm(point, active, text)`; of an image `ambient(celsius)`, `hotspot(x, y,
    dk)` in 32x24 pixels, `rate(hz)`. Raises `ValueError` and `KeyError` for what the driver does not declare.
    """

    def __init__(self, driver: Driver, random: Random) -> None:
        self._channels = {channel.name: channel for channel in driver.channels}
        self._noise = np.random.default_rng(random.getrandbits(64))
        self._values: dict[str, Measurement] = {}
        self._once: list[Sample] = [Identity((("link", "bus"),))]
        self._room, self._rate = 21.5, 4.0
        self._spot = (0.0, 0.0, 0.0)
        self._due = self._frame_due = 0.0

    def do(self, verb: str, **values: float | str) -> None:
        """Change what it says."""
        verbs: Mapping[str, Callable[[Values], None]] = {
            "reading": self._reading,
            "result": self._result,
            "scan": self._scan,
            "alarm": self._alarm,
            "ambient": self._ambient,
            "hotspot": self._hotspot,
            "rate": self._at_rate,
        }
        if verb not in verbs:
            raise ValueError(f"a device on the bus has no verb '{verb}'; there are {', '.join(sorted(verbs))}")
        verbs[verb](values)

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Time passes; the readings that are due."""
        said, self._once = self._once, []
        self._due -= dt
        if self._due <= 0:
            self._due += max(PERIOD, dt)
            said += self._values.values()
        self._frame_due -= dt
        if self._frame_due <= 0:
            self._frame_due += max(1 / self._rate, dt)
            said += [self._image(channel) for channel in self._of(ChannelKind.IMAGE)]
        return [(type(sample).__name__.lower(), msgspec.json.encode(sample)) for sample in said]

    def _reading(self, values: Values) -> None:
        channel = self._channels.get(str(values["channel"]))
        if channel is None or channel.kind not in {ChannelKind.MEASUREMENT, ChannelKind.STATE}:
            raise ValueError(f"there is no channel '{values['channel']}' with values")
        quality = Quality(str(values.get("quality", Quality.GOOD)))
        if channel.kind is ChannelKind.STATE:
            label = str(values["label"])
            told = Measurement(channel.name, float(channel.states.index(label)), quality, label=label)
        else:
            told = Measurement(channel.name, float(values["value"]), quality)
        self._values[channel.name] = told
        self._due = 0.0

    def _result(self, values: Values) -> None:
        found = (Identified(str(values["substance"])),) if "substance" in values else ()
        self._once.append(Result(Outcome(str(values["outcome"])), identified=found))

    def _scan(self, values: Values) -> None:
        for channel in self._of(ChannelKind.SCAN):
            data, symbology = str(values["data"]).encode(), str(values.get("symbology", "code-128"))
            self._once.append(Scan(channel.name, symbology, data))
            return
        raise ValueError("it reads no codes")

    def _alarm(self, values: Values) -> None:
        self._once.append(
            DeviceAlarm(str(values["point"]), bool(values.get("active", True)), str(values.get("text", "")))
        )

    def _ambient(self, values: Values) -> None:
        self._room = float(values["celsius"])

    def _hotspot(self, values: Values) -> None:
        if not self._of(ChannelKind.IMAGE):
            raise ValueError("it makes no images")
        self._spot = (float(values["x"]), float(values["y"]), float(values["dk"]))

    def _at_rate(self, values: Values) -> None:
        self._rate = float(values["hz"])
        if self._rate <= 0:
            raise ValueError("rate: hz is above 0")

    def _of(self, kind: ChannelKind) -> list[Channel]:
        return [channel for channel in self._channels.values() if channel.kind is kind]

    def _image(self, channel: Channel) -> Image:
        x, y, dk = self._spot
        rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
        spot = dk * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4.0)
        scene = self._room + spot + self._noise.normal(0.0, NOISE, (ROWS, COLUMNS))
        data = scene.astype("<f4").tobytes()
        return Image(channel.name, data, Layout.F32LE, COLUMNS, ROWS, radiometric=Radiometric.TRUE)


class BusProtocol:
    """Readings as they are."""

    def start(self, now: float) -> Step:
        """It speaks of its own accord."""
        del now
        return Step()

    def on_packet(self, now: float, packet: Packet) -> Step:
        """One reading; what was spoilt on its way is a fault."""
        del now
        try:
            return Step(samples=(msgspec.json.decode(packet.data, type=_KINDS[packet.port]),))
        except (msgspec.MsgspecError, KeyError):
            return Step(faults=(ProtocolError(Reason.GARBAGE, "no reading"),))

    def on_timer(self, now: float) -> Step:
        """It waits for nothing."""
        del now
        return Step()
