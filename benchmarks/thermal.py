"""One rule on frames of 640x512 pixels of 16 bits, beside what people write and what OpenCV gives, in one run.

Run: python benchmarks/thermal.py [--rounds 15] [--json]

The question is the same for all: which spots of at least twenty pixels are hotter than 30 Cel, how large and how
hot are they, and where? Every answer is checked against the others before anything is timed. Compared:

* `ours`: the judge of the hub, from the bytes of a frame to its spots.
* `float64, numpy`: the whole frame to Celsius as float64, a mask, and a flood fill of it in plain Python.
* `float64, scipy`: the same with `scipy.ndimage.label` and its measurements, which is what is usually written.
* `opencv, float32`: the whole frame to Celsius as float32 and `connectedComponentsWithStats`.
* `opencv, counts`: the limit in counts, and `connectedComponentsWithStats`: the best that OpenCV does here.
* `max`: the frame's maximum alone, the bound for frames with nothing hot.

scipy and OpenCV are no part of the product; what is not installed is left out, and that is said.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devicehub.alarm.thermal.judge import Finding, judge
from devicehub.alarm.thermal.scene import Scene
from devicehub.model.reading import Image, Layout, Radiometric
from devicehub.model.thermal import Look, Region, ThermalRule

WIDTH, HEIGHT = 640, 512
GAIN, OFFSET = 1 / 64, -273.15
LIMIT, AREA = 30.0, 20
FRAMES = 8
GOAL_HOT, GOAL_COLD = 5.0, 4000.0

Spot = tuple[tuple[int, int, int, int], int, float]
Answer = list[Spot]
Counts = NDArray[np.uint16]

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
        region=Region("panel", (100, 60, 440, 400)),
        reference=Region("roof", (100, 0, 440, 40)),
    ),
    ThermalRule(name="odd", device="cam", channel="image", look=Look.ANOMALY, limit=8.0, hysteresis=1.0, area=AREA),
)


def frames(spots: int) -> list[bytes]:
    """A wall of 15 Cel with a gradient and noise, and so many warm spots of 8 to 24 pixels radius."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    out = []
    for _ in range(FRAMES):
        celsius = 15.0 + 2.0 * y / HEIGHT + random.normal(0, 0.05, (HEIGHT, WIDTH))
        for _ in range(spots):
            radius = random.uniform(8, 24)
            column, row = random.uniform(60, WIDTH - 60), random.uniform(60, HEIGHT - 60)
            celsius += 25.0 * np.exp(-(((x - column) ** 2 + (y - row) ** 2) / radius**2))
        out.append(np.rint((celsius - OFFSET) / GAIN).astype("<u2").tobytes())
    return out


def image(data: bytes) -> Image:
    return Image("image", data, Layout.U16LE, WIDTH, HEIGHT, GAIN, OFFSET, Radiometric.TRUE)


def counts(data: bytes) -> Counts:
    return np.frombuffer(data, "<u2").reshape(HEIGHT, WIDTH)


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
    found: dict[str, Callable[[bytes], Answer]] = {"float64, numpy": flooded}
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
        found |= {"opencv, float32": with_opencv(cv2, raw=False), "opencv, counts": with_opencv(cv2, raw=True)}
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


def rate(work: Callable[[bytes], object], data: list[bytes], rounds: int) -> float:
    """Frames per second, by the fastest of several goes at each frame: the one that nothing else disturbed."""
    best = [float("inf")] * len(data)
    for _ in range(rounds):
        for place, one in enumerate(data):
            begun = time.perf_counter()
            work(one)
            best[place] = min(best[place], time.perf_counter() - begun)
    return len(data) / sum(best)


def measured(rounds: int, others: dict[str, Callable[[bytes], Answer]]) -> dict[str, dict[str, float]]:
    ways: dict[str, Callable[[bytes], object]] = {"ours": ours, "ours, three rules": with_all_rules, **others}
    ways["max"] = only_max
    out: dict[str, dict[str, float]] = {}
    for scene, spots in (("nothing hot", 0), ("three hot spots", 3), ("twelve hot spots", 12)):
        data = frames(spots)
        check(data, others)
        slow = {"float64, numpy": 1}
        out[scene] = {name: rate(way, data, slow.get(name, rounds)) for name, way in ways.items()}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="Thermal frames: the judge beside float64 pipelines and OpenCV")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    others, missing = peers()
    result = measured(given.rounds, others)
    if given.json:
        print(json.dumps({"not installed": missing, "frames a second": result}))
        return
    print(f"frames of {WIDTH}x{HEIGHT}, spots of {AREA} pixels above {LIMIT:g} Cel; every way gives the same spots")
    for scene, rates in result.items():
        print(f"\n{scene:20} frames/s   ours is faster by")
        for name, value in rates.items():
            print(f"{name:20} {value:8.0f} {rates['ours'] / value:10.2f} x")
    print(f"\nno-hot frames: {result['nothing hot']['ours']:.0f}/s (goal {GOAL_COLD:.0f}/s)")
    if "opencv, counts" in others:
        ratio = result["three hot spots"]["ours"] / result["three hot spots"]["opencv, counts"]
        print(f"hot frames: {ratio:.1f} x OpenCV in counts (goal {GOAL_HOT:.0f} x)")
    if missing:
        print(f"left out, since not installed: {', '.join(missing)}")


if __name__ == "__main__":
    main()
