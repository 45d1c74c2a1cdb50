"""The tables of a scenario file. Devices, rules, lane and desks are those of a configuration."""

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from devicehub.config.desk import DeskConfig
from devicehub.config.models import DeviceConfig, LaneConfig, LimitTables, OptionField, RegionTables, ThermalTables
from devicehub.model.alarm import Disposition
from devicehub.model.payload import LaneState
from devicehub.tomlfile.section import Section, Segment

MOMENT: Final = r"^[0-9]{1,3}:[0-5][0-9](\.[0-9])?$"
DURATION: Final = r"^[0-9]{1,5}(\.[0-9]{1,3})?s$"
ALARM: Final = r"^([a-z0-9-]{1,64}/[a-z0-9-]{1,64})?$"
NAME: Final = r"^([a-z0-9-]{1,64})?$"
SIMULATED: Final = "sim:"
Language = Literal["en", "sq", "sr-Latn", "sr-Cyrl"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "sq", "sr-Latn", "sr-Cyrl")
Duration = Annotated[str, Field(pattern=DURATION)]
Name = Annotated[str, Field(pattern=NAME)]
Words = dict[Language, str]


def seconds(duration: str) -> float:
    """`8s` in seconds."""
    return float(duration.removesuffix("s"))


class ActorConfig(DeviceConfig):
    """A simulated device of a scenario."""

    link: Literal["bytes", "bus"] = Field(
        default="bytes", description="bytes: its simulator's, through its driver; bus: readings, without either"
    )
    model: dict[str, dict[str, OptionField]] = Field(
        default_factory=dict, description="What its simulator is told whenever it powers up, verb by verb"
    )

    def device(self) -> DeviceConfig:
        """As the hub has it."""
        values = {name: getattr(self, name) for name in DeviceConfig.model_fields} | {"port": SIMULATED}
        return DeviceConfig.model_construct(
            _fields_set=(self.model_fields_set - {"model", "link"}) | {"port"}, **values
        )


class ScenarioHead(Section):
    """What is played."""

    id: Segment = Field(description="Name of the scenario; that of its file")
    title: Words = Field(description="Its title in each language")
    seed: int = Field(default=1, ge=0, description="Of all chance")
    speed: float = Field(default=1.0, gt=0, le=100, description="Times as fast as the clock on the wall")
    pass_mark: int = Field(default=70, ge=0, le=100, description="Percent of the points that pass")

    @model_validator(mode="after")
    def _all_languages(self) -> Self:
        _complete("title", self.title)
        return self


def _complete(what: str, words: Words) -> None:
    """Raises `PydanticCustomError` where a language has no words."""
    if missing := [one for one in LANGUAGES if not words.get(one)]:
        told = {"what": what, "missing": ", ".join(missing)}
        raise PydanticCustomError("languages", "{what} lacks {missing}", told)


class Expect(Section):
    """What has to follow. One of `alarm`, `lane`, `event`, `command` and `quiet`; the times count from the step."""

    alarm: str = Field(default="", pattern=ALARM, description="device/point that is to be raised")
    ack_within: Duration | None = Field(default=None, description="From raised to acknowledged, at most")
    disposition: Annotated[tuple[Annotated[Disposition, Field(strict=False)], ...], Field(strict=False)] = Field(
        default=(), description="As what it may be closed"
    )
    lane: Annotated[tuple[Annotated[LaneState, Field(strict=False)], ...], Field(strict=False)] = Field(
        default=(), description="One of these words the lane is to say"
    )
    event: str = Field(default="", max_length=64, description="Type of an event, as hub.clock-stepped")
    command: str = Field(default="", pattern=ALARM, description="device/verb that the trainee is to have done")
    quiet: bool = Field(default=False, description="No alarm may be raised")
    within: Duration = Field(description="How long it may take; for quiet, how long it has to last")
    points: int = Field(default=10, ge=0, le=1000, description="What it is worth")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.alarm, self.lane, self.event, self.command, self.quiet))) != 1:
            raise PydanticCustomError("expect", "must have exactly one of alarm, lane, event, command and quiet")
        if not self.alarm and (self.ack_within or self.disposition):
            raise PydanticCustomError("expect", "ack_within and disposition need an alarm")
        return self


class Step(Section):
    """Something that happens. Further keys are the values of the verb."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, OptionField]  # pyright: ignore[reportIncompatibleVariableOverride]  # as pydantic has it

    t: str = Field(pattern=MOMENT, description="Minutes and seconds since the beginning")
    do: str = Field(min_length=1, max_length=32, description="Verb of the scenario, or of the device's simulator")
    device: str = Field(default="", max_length=64, description="Id of a device")
    id: Name = Field(default="", description="Name of the step, for a branch")
    path: Name = Field(default="", description="Only if a branch took this path")
    ramp: Duration | None = Field(default=None, description="How long the values of `from` take to those of the step")
    start: dict[str, float] = Field(
        default_factory=dict, alias="from", description="Where values begin that change over the time of `ramp`"
    )
    lasts: Duration | None = Field(default=None, alias="for", description="When it is undone by itself")
    text: Words = Field(default_factory=dict[Language, str], description="What is said, in each language")
    expect: Expect | None = Field(default=None, description="What has to follow")

    @model_validator(mode="after")
    def _all_languages(self) -> Self:
        if self.text or self.do == "say":
            _complete("text", self.text)
        return self

    @property
    def at(self) -> float:
        """Seconds since the beginning."""
        minutes, _, rest = self.t.partition(":")
        return int(minutes) * 60 + float(rest)

    @property
    def values(self) -> dict[str, bool | int | float | str]:
        """What the verb is told."""
        return dict(self.__pydantic_extra__)


class Scenario(Section):
    """A whole scenario file."""

    schema_version: Literal[1] = Field(default=1, description="Version of this file format")
    scenario: ScenarioHead = Field(description="What is played")
    lane: LaneConfig = Field(default_factory=LaneConfig, description="What the workstation is there for")
    desk: Annotated[tuple[DeskConfig, ...], Field(strict=False)] = Field(default=(), description="Desks")
    device: Annotated[tuple[ActorConfig, ...], Field(strict=False, min_length=1)] = Field(description="The devices")
    limit: LimitTables = ()
    region: RegionTables = ()
    thermal: ThermalTables = ()
    at: Annotated[tuple[Step, ...], Field(strict=False, min_length=1)] = Field(description="What happens, in order")
