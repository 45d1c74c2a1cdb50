"""A station whose devices `dev` and `aside` are ready, and all that it says."""

from collections.abc import Sequence

from devicehub.core import Setting, Station
from devicehub.model.device import DeviceState
from devicehub.model.message import Message
from devicehub.model.reading import Change, Input
from tests.unit.core.bench import at, keep_the_contract


class StationBench:
    """Everything that it says keeps the contract."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.station = Station(setting)
        self.said: list[Message] = []
        self.hear(self.station.births(at(0)))
        self.hear(self.station.resume([], at(0)))
        self.give(Change("dev", at(0.5), DeviceState.READY), Change("aside", at(0.5), DeviceState.READY))

    def hear(self, messages: Sequence[Message]) -> None:
        keep_the_contract([one for one in messages if one.data is not None])
        self.said += messages

    def give(self, *inputs: Input) -> None:
        self.hear(self.station.step(inputs).messages)

    def tick(self, mono: float) -> None:
        self.hear(self.station.tick(at(mono)))
