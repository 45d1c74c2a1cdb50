"""What a step does, as data: to a device's link, to its simulator, to the hub's surroundings. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from devicehub.exercise.schema import Language, Step, Words, seconds
from devicehub.transport.faults import FaultPlan

Values = Mapping[str, bool | int | float | str]
HOUSE: Final = ("clock_jump", "broker_down", "say", "checkpoint", "branch", "end")
CABLE: Final = ("plug", "unplug")
_LINK_FAULTS: Final = {"crc": "flip", "timeout": "drop", "garbage": "garbage", "latency": "late", "cut": "cut"}
_TAKES: Final = {"clock_jump": {"seconds"}, "branch": {"on", "met", "missed"}}
RAMP_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done, `at` seconds after the beginning. `step`: the number of its step.

    `aside`: the further course of that step or its end, not its beginning. `path`: done only if that path was taken.
    """

    at: float
    step: int
    verb: str
    device: str = ""
    values: Values = field(default_factory=dict[str, bool | int | float | str])
    faults: FaultPlan | None = None
    text: Words = field(default_factory=dict[Language, str])
    path: str = ""
    aside: bool = False


def acts(number: int, step: Step) -> Iterator[Act]:
    """What a step does, and what undoes it. Raises `ValueError` for what it cannot be."""
    return (replace(act, path=step.path) for act in _acts(number, step))


def _acts(number: int, step: Step) -> Iterator[Act]:
    faults = _faults(step)
    yield Act(step.at, number, step.do, step.device, {**step.values, **step.start}, faults, step.text)
    yield from _ramped(number, step)
    if step.lasts is None:
        return
    at = step.at + seconds(step.lasts)
    if faults is not None:
        yield Act(at, number, step.do, step.device, {}, FaultPlan(), aside=True)
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
    yield Act(at, number, verb, step.device, values, aside=True)


def _ramped(number: int, step: Step) -> Iterator[Act]:
    """Values that go evenly from where they begin to those of the step."""
    if (step.ramp is None) != (not step.start):
        raise ValueError("'ramp' and 'from' need each other")
    if step.ramp is None:
        return
    if (
        wrong := [name for name in step.start if not isinstance(step.values.get(name), int | float)]
    ) or not step.device:
        raise ValueError(f"'from' has {', '.join(wrong) or 'values'}, which the step has not as a number of a device")
    lasts, ends = seconds(step.ramp), {name: float(step.values[name]) for name in step.start}
    if step.lasts is not None and seconds(step.lasts) < lasts:
        raise ValueError("'for' is shorter than 'ramp'")
    count = max(1, round(lasts / RAMP_EVERY))
    for turn in range(1, count + 1):
        values = {name: at + (ends[name] - at) * turn / count for name, at in step.start.items()}
        at = step.at + lasts * turn / count
        yield Act(at, number, step.do, step.device, {**step.values, **values}, aside=True)


def mistake(step: Step) -> str:
    """What is wrong between verb, device and values of a step; empty if nothing is."""
    if step.do in HOUSE:
        unknown = sorted(step.values.keys() - _TAKES.get(step.do, set()))
        if step.device:
            return f"'{step.do}' is not done to a device"
        if step.do == "branch" and not (step.values.get("on") and step.values.keys() & {"met", "missed"}):
            return "'branch' needs on, and met or missed or both"
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
