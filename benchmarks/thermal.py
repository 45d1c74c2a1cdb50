"""One rule on frames of 640x512 and 256x192 pixels of 16 bits, beside what people write and what OpenCV gives.

The question is the same for all: which spots of at least twenty pixels are hotter than 30 Cel, how large and how
hot are they, and where? Every answer is checked against the others before anything is timed. Compared:

* `ours`: the judge of the hub, from the bytes of a frame to its spots.
* `float64, numpy`: the whole frame to Celsius as float64, a mask, and a flood fill of it in plain Python.
* `float64, scipy`: the same with `scipy.ndimage.label` and its measurements, which is what is usually written.
* `opencv, float32`: the whole frame to Celsius as float32 and `connectedComponentsWithStats`.
* `opencv, counts`: the limit in counts, and `connectedComponentsWithStats`: the best that OpenCV does here.
* `max`: the frame's maximum alone, the bound for frames with nothing hot.
"""

import importlib
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from written import table

from devicehub.alarm.thermal.judge import Finding, judge
from devicehub.alarm.thermal.scene import Scene
from devicehub.model.reading import Image, Layout, Radiometric
from devicehub.model.thermal import Look, Region, ThermalRule

SIZES = ((640, 512), (256, 192))
SCENES = (("nothing hot", 0), ("three hot spots", 3), ("twelve hot spots", 12))
GAIN, OFFSET = 1 / 64, -273.15
LIMIT, AREA = 30.0, 20
FRAMES = 8
OURS, BEST, SLOW = "**ours**", "opencv, counts", "float64, numpy"
GOAL_HOT, GOAL_COLD = 5.0, 4000.0

Spot = tuple[tuple[int, int, int, int], int, float]
Answer = list[Spot]
Counts = NDArray[np.uint16]

TOLD = f"""Which spots of at least {AREA} pixels are above {LIMIT:g} Cel, how large, how hot, where? All give the same
spots. By the processor time of the fastest go at each of {FRAMES} frames, all in turn. Goal for 640x512 with
nothing hot: {GOAL_COLD:.0f} frames a second."""

RULE = ThermalRule(name="hot", device="cam", channel="image", look=Look.ABOVE, limit=LIMIT, area=AREA)
OTHERS = (
    ThermalRule(
        name="warm",
        device="cam",
        channel="image",
        look=Look.DELTA,
        limit=8.0,
        hysteresis=1.0,
        area=AREA,
        region=Region("panel", (40, 40, 170, 150)),
        reference=Region("roof", (40, 0, 170, 30)),
    ),
    ThermalRule(name="odd", device="cam", channel="image", look=Look.ANOMALY, limit=8.0, hysteresis=1.0, area=AREA),
)


def frames(size: tuple[int, int], spots: int) -> list[bytes]:
    """A wall of 15 Cel with a gradient and noise, and so many warm spots of 8 to 24 pixels radius."""
    random, (across, down) = np.random.default_rng(5), size
    y, x = np.mgrid[:down, :across]
    out = []
    for _ in range(FRAMES):
        celsius = 15.0 + 2.0 * y / down + random.normal(0, 0.05, (down, across))
        for _ in range(spots):
            radius = random.uniform(8, 24)
            column, row = random.uniform(60, across - 60), random.uniform(60, down - 60)
            celsius += 25.0 * np.exp(-(((x - column) ** 2 + (y - row) ** 2) / radius**2))
        out.append(np.rint((celsius - OFFSET) / GAIN).astype("<u2").tobytes())
    return out


def size_of(data: bytes) -> tuple[int, int]:
    return next(size for size in SIZES if 2 * size[0] * size[1] == len(data))


def image(data: bytes) -> Image:
    return Image("image", data, Layout.U16LE, *size_of(data), GAIN, OFFSET, Radiometric.TRUE)


def counts(data: bytes) -> Counts:
    return np.frombuffer(data, "<u2").reshape(size_of(data)[::-1])


def ours(data: bytes) -> Answer:
    found = judge(RULE, Scene(image(data)))
    assert isinstance(found, Finding)
    return sorted((spot.bbox, spot.area, round(spot.max, 3)) for spot in found.spots)


def with_all_rules(data: bytes) -> None:
    seen = Scene(image(data))
    for rule in (RULE, *OTHERS):
        judge(rule, seen)


def flooded(data: bytes) -> Answer:
    celsius = counts(data).astype(np.float64) * GAIN + OFFSET
    left = {(int(row), int(column)) for row, column in np.argwhere(celsius > LIMIT)}
    out = []
    while left:
        edge = [left.pop()]
        component = list(edge)
        while edge:
            row, column = edge.pop()
            for near in [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]:
                if near in left:
                    left.discard(near)
                    edge.append(near)
                    component.append(near)
        if len(component) >= AREA:
            rows, columns = zip(*component, strict=True)
            box = (min(columns), min(rows), max(columns) - min(columns) + 1, max(rows) - min(rows) + 1)
            out.append((box, len(component), round(float(max(celsius[one] for one in component)), 3)))
    return sorted(out)


def with_scipy(ndimage: ModuleType) -> Callable[[bytes], Answer]:
    everything = np.ones((3, 3))

    def answer(data: bytes) -> Answer:
        celsius = counts(data).astype(np.float64) * GAIN + OFFSET
        labels, number = ndimage.label(celsius > LIMIT, everything)
        index = np.arange(1, number + 1)
        areas = np.bincount(labels.ravel(), minlength=number + 1)[1:]
        hottest: Any = np.atleast_1d(ndimage.maximum(celsius, labels, index)) if number else []
        out = []
        for place, area, most in zip(ndimage.find_objects(labels), areas, hottest, strict=True):
            if area >= AREA:
                rows, columns = place
                box = (columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
                out.append((box, int(area), round(float(most), 3)))
        return sorted(out)

    return answer


def with_opencv(cv2: Any, *, raw: bool) -> Callable[[bytes], Answer]:  # noqa: ANN401 - its stubs are not installed
    first = int(np.floor((LIMIT - OFFSET) / GAIN)) + 1

    def answer(data: bytes) -> Answer:
        if raw:
            field: NDArray[Any] = counts(data)
            mask = cv2.inRange(field, first, 65535)
        else:
            field = counts(data).astype(np.float32) * np.float32(GAIN) + np.float32(OFFSET)
            mask = cv2.inRange(field, float(np.nextafter(np.float32(LIMIT), np.float32(99))), 9999.0)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        out = []
        for label, (left, top, width, height, area) in enumerate(stats.tolist()):
            if label and area >= AREA:
                window = slice(top, top + height), slice(left, left + width)
                most = float(field[window][labels[window] == label].max())
                out.append(((left, top, width, height), area, round(most * GAIN + OFFSET if raw else most, 3)))
        return sorted(out)

    return answer


def only_max(data: bytes) -> None:
    counts(data).max()


def peers() -> tuple[dict[str, Callable[[bytes], Answer]], list[str]]:
    """What there is to compare with, and what is not installed."""
    found: dict[str, Callable[[bytes], Answer]] = {SLOW: flooded}
    missing = []
    try:
        found["float64, scipy"] = with_scipy(importlib.import_module("scipy.ndimage"))
    except ImportError:
        missing.append("scipy")
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError:
        missing.append("opencv-python-headless")
    else:
        cv2.setNumThreads(1)
        found |= {"opencv, float32": with_opencv(cv2, raw=False), BEST: with_opencv(cv2, raw=True)}
    return found, missing


def check(data: list[bytes], others: dict[str, Callable[[bytes], Answer]]) -> None:
    """Every way gives the same spots; float32 is off by a few hundredths of a kelvin, and may tip a pixel."""
    for one in data:
        mine = ours(one)
        for name, other in others.items():
            theirs = other(one)
            same = len(mine) == len(theirs) if "float32" in name else mine == theirs
            if not same:
                raise SystemExit(f"{name} and the judge differ:\n{theirs}\n{mine}")


def rates(ways: dict[str, Callable[[bytes], object]], data: list[bytes], rounds: int) -> dict[str, float]:
    """Frames per second of each way, by the fastest of several goes at each frame, in which the ways take turns."""
    best = {name: [float("inf")] * len(data) for name in ways}
    for turn in range(rounds):
        for name, way in ways.items():
            if name == SLOW and turn:
                continue
            for place, one in enumerate(data):
                begun = time.process_time()
                way(one)
                best[name][place] = min(best[name][place], time.process_time() - begun)
    return {name: len(data) / sum(times) for name, times in best.items()}


def part(rounds: int) -> tuple[str, list[str]]:
    """The figures as Markdown, and what is not installed."""
    others, missing = peers()
    ways: dict[str, Callable[[bytes], object]] = {OURS: ours, **others, "ours, three rules": with_all_rules}
    ways["max() alone (the bound)"] = only_max
    found = {}
    for size in SIZES:
        for scene, spots in SCENES:
            data = frames(size, spots)
            check(data, others)
            found[f"{size[0]}x{size[1]}, {scene}"] = rates(ways, data, rounds)
    rows = [[name, *(f"{one[name]:.0f}" for one in found.values())] for name in ways]
    if BEST in others:
        ratios = (f"{one[OURS] / one[BEST]:.1f}" for one in found.values())
        rows.append([f"ours to {BEST}, goal >= {GOAL_HOT:g} at 640x512 with spots", *ratios])
    return f"{TOLD}\n\n{table(['frames a second', *found], rows)}", missing
