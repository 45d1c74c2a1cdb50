"""Colours that are told apart by whoever looks: alarm colours and steps of palettes, under every colour vision.

Colour deficiency by the matrices of Machado, Oliveira and Fernandes (2009, severity 1) on linear RGB; difference by
CIE76 in CIELAB, D65.
"""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

STATIC = Path(__file__).parents[3] / "devicehub" / "web" / "static"
Colours = NDArray[np.float64]

VISIONS = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
ALARM_FLOOR = 21.0
STEP_FLOOR = 4.0
READABLE = 4.5


def coded(colours: list[str]) -> Colours:
    return np.array([[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in colours]) / 255.0


def linear(raw: Colours) -> Colours:
    return np.asarray(np.where(raw <= 0.04045, raw / 12.92, ((raw + 0.055) / 1.055) ** 2.4))


def lab(rgb: Colours) -> Colours:
    xyz = np.clip(rgb, 0, 1) @ TO_XYZ.T / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def seen(colours: list[str], vision: str) -> Colours:
    return lab(linear(coded(colours)) @ VISIONS[vision].T)


def theme(name: str) -> dict[str, str]:
    """The colours of a theme, from the style sheet."""
    text = (STATIC / "style.css").read_text(encoding="utf-8")
    selector = ":root" if name == "day" else f'[data-theme="{name}"]'
    block = text[text.index(f"{selector} {{") :].split("}")[0]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def palettes() -> dict[str, list[str]]:
    text = (STATIC / "palettes.js").read_text(encoding="utf-8")
    return {
        name: re.findall(r"#[0-9a-f]{6}", row)
        for name, row in re.findall(r'^  "?([\w-]+)"?: \[(.*)\],$', text, re.MULTILINE)
    }


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(linear(coded([colour]))[0] @ TO_XYZ[1]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", ["day", "dark", "night"])
def test_alarm_colours_are_told_apart_from_each_other_and_from_the_ground(name: str, vision: str) -> None:
    colours = theme(name)
    found = seen([colours[one] for one in ("ground", "critical", "high", "medium", "low", "fault")], vision)
    worst = min(float(np.linalg.norm(one - other)) for one, other in combinations(found, 2))
    assert worst >= ALARM_FLOOR


def levels(anchors: list[str], vision: str, steps: int = 16, light: str = "#ffffff") -> Colours:
    """Colours of a palette at the ends of so many even steps, as they are seen, in a light that they are multiplied by."""
    places, raw = np.linspace(0, len(anchors) - 1, steps + 1), coded(anchors)
    found = np.stack([np.interp(places, np.arange(len(anchors)), raw[:, part]) for part in range(3)], axis=1)
    return lab(linear(found * coded([light])) @ VISIONS[vision].T)


def is_one_way(found: Colours) -> bool:
    """Whether hotter is always lighter, or always darker."""
    lightness = np.diff(found[:, 0])
    return bool((lightness > 0).all() or (lightness < 0).all())


def red_light() -> str:
    """What images are multiplied by in the red night."""
    text = (STATIC / "style.css").read_text(encoding="utf-8")
    (found,) = re.findall(
        r'\[data-theme="night"\] \.redden::after {[^}]*background: (#[0-9a-f]{6}); mix-blend-mode: multiply', text
    )
    return str(found)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", ["inferno", "iron", "white-hot", "black-hot"])
def test_a_sixteenth_of_a_palette_is_a_step_that_is_seen_and_hotter_is_never_ambiguous(name: str, vision: str) -> None:
    found = levels(palettes()[name], vision)
    assert float(np.linalg.norm(np.diff(found, axis=0), axis=1).min()) >= STEP_FLOOR
    assert is_one_way(found)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", ["inferno", "iron", "white-hot", "black-hot"])
def test_in_the_red_night_so_is_an_eighth(name: str, vision: str) -> None:
    """Red alone has about half as many lightnesses as white has."""
    found = levels(palettes()[name], vision, 8, red_light())
    assert float(np.linalg.norm(np.diff(found, axis=0), axis=1).min()) >= STEP_FLOOR
    assert is_one_way(found)


def test_a_rainbow_would_not_pass() -> None:
    assert not is_one_way(levels(["#0000ff", "#00ffff", "#00ff00", "#ffff00", "#ff0000"], "deuteranopia"))


DIGIT = 3.0
"""Of large, bold text."""


def digit(name: str, priority: str) -> str:
    """The colour of the digit in a mark: that of the most special rule."""
    text = (STATIC / "style.css").read_text(encoding="utf-8")
    for selector in (
        rf'\[data-theme="{name}"\] \.mark-{priority} text',
        rf'\[data-theme="{name}"\] \.mark text',
        rf"\.mark-{priority} text(?:, \.mark-\w+ text)*",
        rf"\.mark-\w+ text, \.mark-{priority} text",
    ):
        if found := re.search(rf"(?:^|\}} ){selector} {{ fill: (#[0-9a-f]+);", text, re.MULTILINE):
            return found[1].ljust(7, found[1][-1])
    return "#ffffff"


@pytest.mark.parametrize("name", ["day", "dark", "night"])
@pytest.mark.parametrize("priority", ["critical", "high", "medium", "low", "fault"])
def test_the_digit_of_a_mark_is_read_on_its_colour(name: str, priority: str) -> None:
    assert contrast(theme(name)[priority], digit(name, priority)) >= DIGIT


@pytest.mark.parametrize("name", ["day", "dark", "night"])
def test_text_is_readable_on_ground_and_panel(name: str) -> None:
    colours = theme(name)
    for ink in ("ink", "dim"):
        for ground in ("ground", "panel"):
            assert contrast(colours[ink], colours[ground]) >= READABLE, (ink, ground)
