"""The pipe while nothing is taken from it: bounded in bytes, fair between devices, and no capture lost for a frame."""

import asyncio

from devicehub.driver import Driver, FileLink, Link, SerialLink
from devicehub.model.device import Category
from devicehub.model.reading import (
    Axis,
    Dropped,
    Image,
    Input,
    Layout,
    Measurement,
    Reading,
    Sample,
    Spectrum,
    Stamp,
    Trigger,
)
from devicehub.model.units import Unit
from devicehub.pipe import IMAGES, Pipe

KILO = 1024


def said(sample: Sample, number: int, device: str = "d") -> Reading:
    return Reading(device, Stamp(float(number), float(number)), sample)


def frame(number: int, device: str = "d", channel: str = "image", size: int = KILO) -> Reading:
    return said(Image(channel, b"\0" * (size - 4) + number.to_bytes(4, "big"), Layout.U8, size, 1), number, device)


def value(number: int, device: str = "d") -> Reading:
    return said(Measurement("c", 1.0), number, device)


def spectrum(number: int, size: int, device: str = "d") -> Reading:
    return said(Spectrum("s", bytes(size), Layout.U8, Axis(Unit.KILOELECTRONVOLT, 1.0)), number, device)


def device(link: Link | None = None) -> Driver:
    return Driver(title="T", category=Category.TRACE, link=link or SerialLink(), channels=(), decode=lambda _: ())


def several(count: int) -> dict[str, Driver]:
    return {f"d{number}": device() for number in range(count)}


def taken(pipe: Pipe) -> list[Input]:
    pipe.close()
    return asyncio.run(pipe.take(100_000))


def numbers(items: list[Input]) -> list[int]:
    return [int(item.at.mono) for item in items if isinstance(item, Reading)]


def test_of_a_cameras_frames_some_wait_and_then_the_newest() -> None:
    pipe = Pipe()
    for number in range(100):
        pipe.offer(frame(number))
    assert pipe.dropped == 100 - IMAGES
    assert numbers(taken(pipe)) == [*range(IMAGES - 1), 99]


def test_frames_are_no_gap_and_take_the_end_of_the_queue() -> None:
    pipe = Pipe()
    for number in range(0, 20, 2):
        pipe.offer(frame(number))
        pipe.offer(value(number + 1))
    items = taken(pipe)
    assert not [item for item in items if isinstance(item, Dropped)]
    assert numbers(items) == sorted(numbers(items))
    assert {*range(1, 20, 2), 18} <= set(numbers(items))


def test_frames_of_another_channel_or_camera_are_left_alone() -> None:
    pipe = Pipe(several(2))
    for number in range(2 * IMAGES):
        for name, channel in (("d0", "image"), ("d0", "visible"), ("d1", "image")):
            pipe.offer(frame(number, name, channel))
    assert len(pipe) == 3 * IMAGES


def test_images_that_are_files_are_all_captures_and_stay() -> None:
    pipe = Pipe({"d": device(FileLink(patterns=("*",)))})
    for number in range(100):
        pipe.offer(frame(number))
    assert numbers(taken(pipe)) == list(range(100))


def test_the_frames_before_and_after_a_trigger_stay() -> None:
    pipe = Pipe()
    for number in range(10):
        pipe.offer(frame(number))
    pipe.offer(said(Trigger("button"), 10))
    for number in range(11, 100):
        pipe.offer(frame(number))
    kept = numbers(taken(pipe))
    assert kept == [*range(IMAGES - 1), 9, 10, 11, *range(12, 12 + IMAGES - 1), 99]


def test_frames_that_were_taken_make_room_for_others() -> None:
    async def play() -> list[int]:
        pipe, seen = Pipe(), list[Input]()
        for number in range(50):
            pipe.offer(frame(number))
            seen += await pipe.take(1)
        assert pipe.dropped == 0
        return numbers(seen)

    assert asyncio.run(play()) == list(range(50))


def test_what_waits_is_bounded_in_bytes_and_what_was_refused_is_a_gap() -> None:
    pipe = Pipe(budget=100 * KILO)
    for number in range(1000):
        pipe.offer(spectrum(number, 10 * KILO))
    assert pipe.dropped == 1000 - len(pipe)
    items = taken(pipe)
    assert sum(map(_bytes, items)) <= 110 * KILO
    (gap,) = [item for item in items if isinstance(item, Dropped)]
    assert gap.count == pipe.dropped


def _bytes(item: Input) -> int:
    return len(item.sample.data) if isinstance(item, Reading) and isinstance(item.sample, Spectrum) else 0


def test_room_in_bytes_comes_back_when_something_is_taken() -> None:
    async def play() -> None:
        pipe = Pipe(budget=100 * KILO)
        for number in range(1000):
            pipe.offer(spectrum(number, 10 * KILO))
            await pipe.take(1)
        assert pipe.dropped == 0

    asyncio.run(play())


def test_a_frame_takes_the_place_of_an_older_one_where_there_is_no_room_for_both() -> None:
    pipe = Pipe(budget=100 * KILO)
    for number in range(10):
        pipe.offer(frame(number, size=60 * KILO))
    assert numbers(taken(pipe)) == [0, 9]


def test_a_single_input_larger_than_a_share_is_taken() -> None:
    pipe = Pipe(several(4), budget=100 * KILO)
    pipe.offer(frame(1, "d0", size=90 * KILO))
    assert len(pipe) == 1


def test_a_flooding_device_leaves_the_others_their_room() -> None:
    pipe = Pipe(several(6), capacity=400, budget=400 * KILO)
    for number in range(10_000):
        pipe.offer(value(number, "d0"))
    for number in range(10_000):
        pipe.offer(spectrum(number, 10 * KILO, "d1"))
    for number in range(100):
        pipe.offer(value(number, "d2"))
    items = taken(pipe)
    counts = [len([one for one in items if isinstance(one, Reading) and one.device == f"d{n}"]) for n in range(3)]
    assert counts == [100, 10, 100]
    assert {item.device for item in items if isinstance(item, Dropped)} == {"d0", "d1"}


def test_a_device_alone_has_all_the_room() -> None:
    pipe = Pipe(several(1), capacity=400)
    for number in range(400):
        pipe.offer(value(number, "d0"))
    assert pipe.dropped == 0


def test_many_flooding_devices_together_keep_to_the_budget() -> None:
    pipe = Pipe(several(20), budget=400 * KILO)
    for number in range(100):
        for name in range(20):
            pipe.offer(spectrum(number, 10 * KILO, f"d{name}"))
    assert sum(map(_bytes, taken(pipe))) <= 410 * KILO
