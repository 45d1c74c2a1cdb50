"""Which frames count for which rule, and what has to persist."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from devicehub.alarm.thermal.watch import Watch
from devicehub.model.reading import Cause, Image, Layout, Measurement, Quality, Radiometric, Shutter
from devicehub.model.thermal import Look, Region, ThermalRule, Unjudged
from tests.unit.alarm.scenes import rule, scene

PANEL, ROOF = Region("panel", (0, 0, 32, 40)), Region("roof", (32, 0, 32, 40))
ABSOLUTE = rule(Look.ABOVE, 30.0, hysteresis=1.0)
RELATIVE = rule(Look.DELTA, 3.0, hysteresis=1.0, region=PANEL, reference=ROOF)


def frame(serial: int, *, hot: bool) -> Image:
    return scene({(5, 5, 4, 4): 40.0} if hot else {}, serial=serial)


def watching(*rules: ThermalRule) -> Watch:
    watch = Watch()
    watch.revise(rules)
    return watch


def told(watch: Watch, image: Image) -> str:
    """`hot`, `cold`, nothing said, or why it was not judged."""
    looked = watch.look(image)
    if looked.unjudged:
        return str(looked.unjudged["warm"])
    words = ["hot" if one.value > 30.0 else "cold" for one in looked.measurements]
    return words[0] if words else "-"


@pytest.mark.parametrize(
    ("frames", "of", "seen", "expected"),
    [
        (1, 1, "HCH", "hot cold hot"),
        (3, 3, "HHHHC", "- - hot hot cold"),
        (2, 3, "HCHCC", "- - hot cold cold"),
        (2, 4, "CCCCHH", "- - - cold cold hot"),  # nothing is called cold before enough frames were seen
        (3, 3, "HHsssH", "- - shutter shutter shutter hot"),  # a shutter neither counts nor interrupts
        (3, 3, "HHfH", "- - frozen hot"),
        (2, 2, "HHfsS", "- hot frozen shutter shutter"),  # and ends nothing
        (1, 1, "HbB", "hot - hot"),  # a bad frame may raise and never ends
        (2, 3, "HHHbbbCC", "- hot hot - - - hot cold"),  # nor does it push out what was seen
    ],
)
def test_a_condition_persists_over_frames_that_show_the_scene(frames: int, of: int, seen: str, expected: str) -> None:
    watch, last, out = watching(rule(frames=frames, of=of)), frame(0, hot=False), []
    for serial, letter in enumerate(seen, 1):
        image = last if letter == "f" else frame(serial, hot=letter in "HBS")
        if letter in "sS":
            image = replace(image, shutter=Shutter.CLOSED)
        elif letter in "bB":
            image = replace(image, quality=Quality.BAD, cause=Cause.CHECKSUM)
        last = image
        out.append(told(watch, image))
    assert " ".join(out) == expected


@pytest.mark.parametrize(
    ("change", "absolute", "relative"),
    [
        ({}, "hot cold", "hot cold"),
        ({"shutter": Shutter.CLOSED}, "shutter shutter", "shutter shutter"),
        ({"shutter": Shutter.SETTLING}, "shutter shutter", "shutter shutter"),
        ({"cause": Cause.CALIBRATING, "quality": Quality.UNCERTAIN}, "shutter shutter", "shutter shutter"),
        ({"cause": Cause.DUPLICATE, "quality": Quality.UNCERTAIN}, "frozen frozen", "frozen frozen"),
        ({"cause": Cause.STALE, "quality": Quality.BAD}, "frozen frozen", "frozen frozen"),
        ({"cause": Cause.WARMING_UP, "quality": Quality.UNCERTAIN}, "hot -", "hot cold"),
        ({"cause": Cause.LOW_EMISSIVITY, "quality": Quality.UNCERTAIN}, "hot -", "hot cold"),
        ({"cause": Cause.SATURATED, "quality": Quality.UNCERTAIN}, "hot -", "hot -"),
        ({"cause": Cause.CHECKSUM, "quality": Quality.BAD}, "hot -", "hot -"),
        ({"radiometric": Radiometric.NONE}, "not-radiometric not-radiometric", "hot cold"),
        ({"radiometric": Radiometric.APPROXIMATE}, "hot cold", "hot cold"),
        ({"layout": Layout.JPEG}, "no-pixels no-pixels", "no-pixels no-pixels"),
    ],
)
def test_what_an_image_may_say(change: dict[str, object], absolute: str, relative: str) -> None:
    for one, expected in ((ABSOLUTE, absolute), (RELATIVE, relative)):
        watch, words = watching(one), []
        for serial, hot in enumerate((True, False), 1):
            looked = watch.look(replace(frame(serial, hot=hot), **change))
            found = [str(reason) for reason in looked.unjudged.values()]
            found += ["hot" if measured.value > one.limit else "cold" for measured in looked.measurements]
            words.append(found[0] if found else "-")
        assert " ".join(words) == expected, one.look


@pytest.mark.parametrize(
    ("one", "change", "quality"),
    [
        (ABSOLUTE, {}, Quality.GOOD),
        (ABSOLUTE, {"emissivity": None}, Quality.UNCERTAIN),
        (ABSOLUTE, {"radiometric": Radiometric.APPROXIMATE}, Quality.UNCERTAIN),
        (RELATIVE, {"emissivity": None}, Quality.GOOD),
        (ABSOLUTE, {"quality": Quality.BAD, "cause": Cause.CHECKSUM}, Quality.BAD),
    ],
)
def test_a_temperature_is_as_good_as_what_is_known_of_the_surface(
    one: ThermalRule, change: dict[str, object], quality: Quality
) -> None:
    (measured,) = watching(one).look(replace(frame(1, hot=True), **change)).measurements
    assert measured.quality is quality


def test_a_value_goes_by_its_rule_and_spots_by_their_alarm_point() -> None:
    looked = watching(RELATIVE).look(frame(1, hot=True))
    assert [one.channel for one in looked.measurements] == ["image.warm"]
    assert [(name, spot.bbox) for name, spot in looked.spots] == [("warm", (5, 5, 4, 4))]


def test_a_region_outside_the_image_is_said_frame_by_frame() -> None:
    watch = watching(rule(region=Region("far", (600, 0, 10, 10))))
    assert [told(watch, frame(serial, hot=True)) for serial in (1, 2)] == ["outside", "outside"]


def test_images_of_another_channel_are_none_of_its_business() -> None:
    watch = watching(rule())
    assert watch.look(replace(frame(1, hot=True), channel="visible")).measurements == []


def test_pixels_that_are_no_numbers_end_nothing() -> None:
    watch = watching(ABSOLUTE)
    image = scene(layout=Layout.F32LE)
    hole = replace(image, data=b"\x00\x00\xc0\x7f" + image.data[4:])
    assert watch.look(hole).measurements == []
    assert watch.look(image).measurements != []
    assert watch.look(replace(hole, gain=nan)).unjudged == {"warm": Unjudged.NO_PIXELS}


def test_frames_of_two_links_do_not_add_up_and_other_rules_keep_what_they_saw() -> None:
    one, other = rule(frames=2, of=2), replace(rule(frames=2, of=2), name="other", limit=25.0)
    watch = watching(one, other)
    watch.look(frame(1, hot=True))
    watch.revise([one, replace(other, limit=26.0)])
    assert [found.channel for found in watch.look(frame(2, hot=True)).measurements] == ["image.warm"]
    watch.clear()
    assert watch.look(frame(3, hot=True)).measurements == []


@given(st.integers(1, 4), st.integers(0, 3), st.lists(st.booleans(), max_size=14))
def test_the_value_is_beyond_the_limit_when_enough_of_the_last_frames_are(
    frames: int, more: int, seen: list[bool]
) -> None:
    of = frames + more
    watch = watching(rule(frames=frames, of=of))
    for number, hot in enumerate(seen, 1):
        measured: list[Measurement] = watch.look(frame(number, hot=hot)).measurements
        enough = sum(seen[max(number - of, 0) : number]) >= frames
        assert any(one.value > 30.0 for one in measured) == enough
        assert bool(measured) == (enough or number >= of)
