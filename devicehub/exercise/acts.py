"""What a step does, as data: to a device's link, to its simulator, to the hub's surroundings. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from devicehub.exercise.schema import Language, Step, Words, seconds
from devicehub.transport.faults import FaultPlan

Values = Mapping[str, bool | int | float | str]
HOUSE: Final = ("clock_jump", "broker_down", "say", "checkpoint", "end")
CABLE: Final = ("plug", "unplug")
_LINK_FAULTS: Final = {"crc": "flip", "timeout": "drop", "garbage": "garbage", "latency": "late", "cut": "cut"}
_TAKES: Final = {"clock_jump": {"seconds"}}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done, `at` seconds after the beginning. `step`: the number of its step; `undo`: what ends that step."""

    at: float
    step: int
    verb: str
    device: str = ""
    values: Values = field(default_factory=dict[str, bool | int | float | str])
    faults: FaultPlan | None = None
    text: Words = field(default_factory=dict[Language, str])
    undo: bool = False


def acts(number: int, step: Step) -> Iterator[Act]:
    """What a step does, and what undoes it. Raises `ValueError` for what it cannot be."""
    faults = _faults(step)
    yield Act(step.at, number, step.do, step.device, step.values, faults, step.text)
    if step.lasts is None:
        return
    at = step.at + seconds(step.lasts)
    if faults is not None:
        yield Act(at, number, step.do, step.device, {}, FaultPlan(), undo=True)
        return
    undone: dict[str, tuple[str, Values]] = {
        "unplug": ("plug", {}),
        "broker_down": ("broker_up", {}),
        "hotspot": ("hotspot", {**step.values, "dk": 0.0}),
        "fault": ("fault", {"kind": "none"}),
    }
    if step.do not in undone:
        raise ValueError(f"'{step.do}' does not end by itself: leave 'for' out")
    verb, values = undone[step.do]
    yield Act(at, number, verb, step.device, values, undo=True)


def mistake(step: Step) -> str:
    """What is wrong between verb, device and values of a step; empty if nothing is."""
    if step.do in HOUSE:
        unknown = sorted(step.values.keys() - _TAKES.get(step.do, set()))
        if step.device:
            return f"'{step.do}' is not done to a device"
        if step.do == "clock_jump" and not isinstance(step.values.get("seconds"), int | float):
            return "'clock_jump' needs seconds, a number"
        return f"'{step.do}' takes no {', '.join(unknown)}" if unknown else ""
    if not step.device:
        return f"'{step.do}' needs a device; without one there are {', '.join(HOUSE)}"
    return f"'{step.do}' takes no values" if step.do in CABLE and step.values else ""


def _faults(step: Step) -> FaultPlan | None:
    """The faults of a link that a step means; None for what is the device's own business."""
    kind = str(step.values.get("kind", ""))
    if step.do != "fault" or kind not in _LINK_FAULTS:
        return None
    name = "seconds" if kind == "latency" else "rate"
    if unknown := step.values.keys() - {"kind", name}:
        raise ValueError(f"fault '{kind}' takes {name} and for, not {', '.join(sorted(unknown))}")
    amount = step.values.get(name, 1.0)
    if isinstance(amount, str) or not 0 < amount <= (60 if kind == "latency" else 1):
        raise ValueError(f"fault '{kind}': {name} must be above 0 and at most {60 if kind == 'latency' else 1}")
    return FaultPlan(**{_LINK_FAULTS[kind]: float(amount)})
