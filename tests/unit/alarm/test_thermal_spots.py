"""Spots of a mask, against a flood fill that goes pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from devicehub.alarm.thermal import spots as module
from devicehub.alarm.thermal.spots import spots
from devicehub.alarm.thermal.windows import Mask

Pixel = tuple[int, int]

masks = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(lambda shape: arrays(np.bool_, shape))


def flooded(mask: Mask) -> list[set[Pixel]]:
    """The 8-connected components as sets of (row, column), in the order of their first pixels."""
    left = {(int(row), int(column)) for row, column in zip(*np.nonzero(mask), strict=True)}
    found = []
    for start in sorted(left):
        if start not in left:
            continue
        left.discard(start)
        component, edge = {start}, [start]
        while edge:
            row, column = edge.pop()
            around = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= around
            component |= around
            edge += around
        found.append(component)
    return found


def grouped(mask: Mask) -> list[set[Pixel]]:
    seen = spots(mask)
    out: list[set[Pixel]] = [set() for _ in range(seen.area.size)]
    for place, label in zip(seen.pixels, seen.label, strict=True):
        out[label].add(divmod(int(place), mask.shape[1]))
    return out


@given(masks)
def test_spots_are_the_components_of_a_flood_fill(mask: Mask) -> None:
    assert grouped(mask) == flooded(mask)


@given(masks)
def test_area_box_and_centroid_are_those_of_the_pixels(mask: Mask) -> None:
    seen = spots(mask)
    for one, component in enumerate(flooded(mask)):
        rows, columns = [row for row, _ in component], [column for _, column in component]
        assert seen.area[one] == len(component)
        assert (seen.left[one], seen.top[one]) == (min(columns), min(rows))
        assert (seen.right[one], seen.bottom[one]) == (max(columns) + 1, max(rows) + 1)
        assert seen.x[one] == pytest.approx(np.mean(columns) + 0.5)
        assert seen.y[one] == pytest.approx(np.mean(rows) + 0.5)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.6, 0.95])
def test_noise_of_any_density_on_a_whole_frame(share: float) -> None:
    mask = np.random.default_rng(7).random((96, 128)) < share
    assert grouped(mask) == flooded(mask)


def test_spots_on_random_masks_are_those_of_scipy() -> None:
    chance = np.random.default_rng(11)
    for trial in range(200):
        mask = chance.random((chance.integers(1, 80), chance.integers(1, 80))) < chance.random()
        labels, number = ndimage.label(mask, np.ones((3, 3)))
        seen = spots(mask)
        found = np.zeros(mask.size, np.intp)
        found[seen.pixels] = seen.label + 1
        assert seen.area.size == number, trial
        pairs = set(zip(labels.ravel().tolist(), found.tolist(), strict=True))
        assert len(pairs) == number + bool((~mask).any()), trial


def test_a_spiral_is_one_spot() -> None:
    mask = np.zeros((41, 41), np.bool_)
    for ring in range(0, 20, 4):
        mask[ring, ring : 41 - ring] = mask[ring : 41 - ring, 40 - ring] = True
        mask[40 - ring, ring : 41 - ring] = mask[ring + 4 : 41 - ring, ring] = True
        mask[ring + 4, ring : ring + 5] = True
    assert len(flooded(mask)) == 1
    assert spots(mask).area.tolist() == [int(mask.sum())]


def test_the_end_of_a_row_does_not_touch_the_beginning_of_the_next() -> None:
    mask = np.zeros((3, 4), np.bool_)
    mask[0, 3] = mask[1, 0] = True
    assert spots(mask).area.tolist() == [1, 1]


def test_more_runs_than_anybody_needs_are_one_spot_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 3)
    mask = np.zeros((1, 9), np.bool_)
    mask[0, [0, 2, 4]] = True
    assert not spots(mask).merged
    mask[0, 6] = True
    seen = spots(mask)
    assert (seen.merged, seen.area.tolist()) == (True, [4])
