"""The rules of one device over its frames: which frame counts for which rule, and what persists.

A rule's condition is there when `frames` of the last `of` frames say so. That is the same as a limit on the
`frames`-th greatest of the last `of` scores, and so it is handed on as a value that a limit with hysteresis is held
against, like any other.

A frame that a rule cannot be held against is no frame: it raises nothing, ends nothing, and does not push out what
was seen before. One that is not to be trusted counts only if it is beyond the limit.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from devicehub.alarm.thermal.judge import Finding, Spot, judge
from devicehub.alarm.thermal.scene import Scene
from devicehub.model.reading import Cause, Image, Measurement, Quality, Radiometric, Shutter
from devicehub.model.thermal import RELATIVE, ThermalRule, Unjudged

_ABSOLUTE_ENDS = frozenset({Cause.NONE, Cause.APPROXIMATE})
_RELATIVE_ENDS = _ABSOLUTE_ENDS | {Cause.WARMING_UP, Cause.LOW_EMISSIVITY, Cause.UNCALIBRATED}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a frame gave: measurements of the rules' channels, spots by rule, and rules that were not judged."""

    measurements: list[Measurement] = field(default_factory=list[Measurement])
    spots: list[tuple[str, Spot]] = field(default_factory=list[tuple[str, Spot]])
    unjudged: dict[str, Unjudged] = field(default_factory=dict[str, Unjudged])


def blind(image: Image, *, frozen: bool) -> Unjudged | None:
    """Why an image shows no scene at all: the shutter, a picture that stands still, no pixels."""
    if image.layout.encoded:
        return Unjudged.NO_PIXELS
    if image.shutter is not Shutter.OPEN or image.cause is Cause.CALIBRATING:
        return Unjudged.SHUTTER
    if frozen or image.cause in {Cause.DUPLICATE, Cause.STALE}:
        return Unjudged.FROZEN
    return None


def barred(image: Image, rule: ThermalRule) -> Unjudged | None:
    """Why a rule cannot be held against an image that shows a scene: temperatures need an image that has some."""
    absolute = rule.look not in RELATIVE
    return Unjudged.NOT_RADIOMETRIC if absolute and image.radiometric is Radiometric.NONE else None


def may_end(image: Image, rule: ThermalRule) -> bool:
    """Whether an image is good enough to say that there is nothing; any may say that there is something."""
    ends = _RELATIVE_ENDS if rule.look in RELATIVE else _ABSOLUTE_ENDS
    return image.quality is not Quality.BAD and image.cause in ends


def trust(image: Image, rule: ThermalRule) -> tuple[Quality, Cause]:
    """How far a rule's value can be trusted: an absolute one is uncertain where the emissivity is not known."""
    vague = image.radiometric is Radiometric.APPROXIMATE or image.emissivity is None
    if image.quality is Quality.GOOD and rule.look not in RELATIVE and vague:
        return Quality.UNCERTAIN, Cause.APPROXIMATE
    return image.quality, image.cause


class Watch:
    """The rules of one device. Keeps the last scores of each rule and the last frame, to notice a repeated one."""

    def __init__(self) -> None:
        self._scores: dict[ThermalRule, deque[float]] = {}
        self._last = b""

    def revise(self, rules: Iterable[ThermalRule]) -> None:
        """Go by other rules; one that stays as it is keeps what it has seen."""
        self._scores = {rule: self._scores.get(rule) or deque(maxlen=rule.of) for rule in rules}

    def clear(self) -> None:
        """The link ended: frames before and after it do not add up."""
        for scores in self._scores.values():
            scores.clear()
        self._last = b""

    def look(self, image: Image) -> Looked:
        """Hold every rule of the image's channel against it. Raises `ValueError` when data and size do not fit."""
        rules = [rule for rule in self._scores if rule.channel == image.channel]
        out = Looked()
        if not rules:
            return out
        frozen, self._last = image.data == self._last, image.data
        dark = blind(image, frozen=frozen)
        scene = None if dark else Scene(image)
        for rule in rules:
            reason = dark or barred(image, rule)
            found = judge(rule, scene) if scene is not None and reason is None else reason
            if isinstance(found, Finding):
                out.spots.extend((rule.name, spot) for spot in found.spots)
                out.measurements.extend(self._persistent(rule, image, found))
            elif found is not None:
                out.unjudged[rule.name] = found
        return out

    def _persistent(self, rule: ThermalRule, image: Image, found: Finding) -> Iterable[Measurement]:
        ends = found.whole and may_end(image, rule)
        if not ends and found.score <= rule.on:
            return
        scores = self._scores[rule]
        scores.append(found.score)
        if len(scores) < rule.frames:
            return
        score = sorted(scores)[-rule.frames]
        full = len(scores) == rule.of
        if score > rule.on or (full and ends):
            quality, cause = trust(image, rule)
            yield Measurement(rule.watched, rule.sign * score, quality, cause)
