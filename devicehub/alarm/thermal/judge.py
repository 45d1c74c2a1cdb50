"""One rule held against one frame: how alarming it is, as a number, and the spots that are beyond the limit.

A rule's *score* rises with what is alarming. There is something where a spot has `area` pixels whose score is beyond
the limit; a spot is what hangs together beyond the limit less its hysteresis. So one number without memory says
both when a condition comes and when it ends: the score that `area` pixels of the most alarming spot reach.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.thermal.background import Field, differences
from devicehub.alarm.thermal.counts import between, known
from devicehub.alarm.thermal.scene import Part, Scene
from devicehub.alarm.thermal.spots import Spots, spots
from devicehub.alarm.thermal.windows import Mask, Window
from devicehub.model.thermal import Look, ThermalRule, Unjudged

MOST_SPOTS = 16
_LOOKED_AT = 8

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Spot:
    """A spot beyond the limit. `bbox`: left, top, width, height in the image; `max` in the channel's unit.

    `delta`: its farthest pixel from the reference or background, in kelvins where the image is in Cel; None for rules
    that have none.
    """

    bbox: tuple[int, int, int, int]
    area: int
    max: float
    delta: float | None
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Finding:
    """The score of one rule in one frame. `whole`: every pixel looked at was a number."""

    score: float
    spots: tuple[Spot, ...] = ()
    whole: bool = True


class _Scores(Protocol):
    """The scores of a region's pixels, computed only where they are asked for."""

    @property
    def most(self) -> float:
        """A bound that no pixel's score exceeds; `inf` if there is no cheap one."""
        ...

    def beyond(self) -> Mask:
        """Which pixels are beyond the limit less its hysteresis, in the region's box."""
        ...

    def at(self, places: Places) -> Floats:
        """Scores by flat index."""
        ...

    def delta(self, score: float) -> float | None:
        """A score as a signed difference, for rules that are about one."""
        ...


def judge(rule: ThermalRule, scene: Scene) -> Finding | Unjudged:
    """The score of a rule in a frame, or why it has none. Pure."""
    part = scene.part(rule.region)
    if isinstance(part, Unjudged):
        return part
    if rule.look is Look.ANOMALY:
        return _found(rule, part, _Anomaly(rule, part))
    if rule.reference is None:
        return _found(rule, part, _Comparison(rule, part, 0.0))
    reference = scene.part(rule.reference)
    if isinstance(reference, Unjudged):
        return reference
    found = _found(rule, part, _Comparison(rule, part, reference.median))
    return found if reference.whole else Finding(found.score, found.spots, whole=False)


class _Comparison:
    """Temperatures against limits, `zero` being the temperature they count from; in counts as far as there are any."""

    def __init__(self, rule: ThermalRule, part: Part, zero: float) -> None:
        self._rule, self._part, self._zero = rule, part, zero

    @property
    def most(self) -> float:
        part, rule = self._part, self._rule
        if rule.look is Look.INTERVAL:
            return min(part.high - rule.limit, rule.high - part.low)
        return part.high - self._zero if rule.sign > 0 else self._zero - part.low

    def beyond(self) -> Mask:
        rule, part, zero = self._rule, self._part, self._zero
        above, below = (rule.off, inf) if rule.sign > 0 else (-inf, -rule.off)
        if rule.look is Look.INTERVAL:
            above, below = rule.limit - rule.hysteresis, rule.high + rule.hysteresis
        if part.scale is None:
            away = cast(Floats, part.counts) - zero
            return _inside(away > above, away < below)
        if zero:
            first, last = between(replace(part.scale, zero=zero), above, below)
        else:
            first, last = known(part.scale, above, below)
        counts = cast(NDArray[np.int64], part.counts)  # or shorter ones
        if last >= part.scale.most:
            return np.greater_equal(counts, first)
        if first <= part.scale.least:
            return np.less_equal(counts, last)
        return _inside(np.greater_equal(counts, first), np.less_equal(counts, last))

    def at(self, places: Places) -> Floats:
        values, rule = self._part.values(places), self._rule
        if rule.look is Look.INTERVAL:
            return np.minimum(values - rule.limit, rule.high - values)
        return rule.sign * (values - self._zero)

    def delta(self, score: float) -> float | None:
        return self._rule.sign * score if self._rule.look is Look.DELTA else None


class _Anomaly:
    """Differences from the local background, in multiples of the noise."""

    def __init__(self, rule: ThermalRule, part: Part) -> None:
        field, self._noise = differences(part, rule.noise)
        self._sign = rule.sign
        self._scores: Field = field * np.float32(rule.sign / self._noise)
        self._off = rule.off

    @property
    def most(self) -> float:
        return inf

    def beyond(self) -> Mask:
        return self._scores > np.float32(self._off)

    def at(self, places: Places) -> Floats:
        return self._scores.ravel()[places].astype(np.float64)

    def delta(self, score: float) -> float | None:
        return self._sign * score * self._noise


def _inside(one: Mask, other: Mask) -> Mask:
    return np.logical_and(one, other, out=one)


def _found(rule: ThermalRule, part: Part, scores: _Scores) -> Finding:
    if scores.most <= rule.off:
        return Finding(scores.most, whole=part.whole)
    mask = scores.beyond()
    if part.window.inside is not None:
        mask &= part.window.inside
    seen = spots(mask)
    if seen.area.size == 0:
        return Finding(rule.off, whole=part.whole)
    return _weighed(rule, part, scores, seen)


def _weighed(rule: ThermalRule, part: Part, scores: _Scores, seen: Spots) -> Finding:
    score = scores.at(seen.pixels)
    peak = seen.greatest(score)
    large = seen.area >= rule.area
    if not large.any():
        return Finding(min(float(peak.max()), rule.off), whole=part.whole)
    best = float(peak.max()) if rule.area == 1 else _reached(score, seen, rule.area, np.where(large, peak, -inf))
    if best <= rule.on:
        return Finding(best, whole=part.whole)
    enough = np.bincount(seen.label[score > rule.on], minlength=seen.area.size) >= rule.area
    beyond = np.flatnonzero(enough)
    largest = beyond[np.argsort(-seen.area[beyond], kind="stable")][:MOST_SPOTS]
    hottest = seen.greatest(part.values(seen.pixels))
    deltas = [scores.delta(one) for one in peak[largest].tolist()]
    return Finding(best, tuple(_told(seen, largest, part.window, hottest[largest].tolist(), deltas)), part.whole)


def _told(
    seen: Spots, some: Places, place: Window, hottest: Sequence[float], deltas: Sequence[float | None]
) -> Iterator[Spot]:
    """Some of the spots, each with its greatest value and its difference, as they are told."""
    columns = (seen.left, seen.top, seen.right, seen.bottom, seen.area, seen.x, seen.y)
    for *box, area, x, y, value, delta in zip(
        *(column[some].tolist() for column in columns), hottest, deltas, strict=True
    ):
        left, top, right, bottom = box
        yield Spot(
            bbox=(place.left + left, place.top + top, right - left, bottom - top),
            area=area,
            max=value,
            delta=delta,
            x=place.left + x,
            y=place.top + y,
        )


def _reached(score: Floats, seen: Spots, area: int, peak: Floats) -> float:
    """The most that `area` pixels of a spot reach. `peak`: of each spot, -inf for one that is not to count.

    No spot reaches more than its peak, so that mostly one or two have to be looked at.
    """
    order = np.argsort(-peak)
    best = -inf
    for one in order[:_LOOKED_AT]:
        if peak[one] <= best:
            return best
        own = score[seen.label == one]
        best = max(best, float(np.partition(own, own.size - area)[own.size - area]))
    if order.size <= _LOOKED_AT:
        return best
    ordered = score[np.lexsort((score, seen.label))]
    reached = ordered[np.maximum(np.cumsum(seen.area) - area, 0)]
    return float(reached[peak > -inf].max())
