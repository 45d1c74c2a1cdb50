"""What a page is shown: the newest of each topic, events in order, and what a slow watcher missed."""

import asyncio

from devicehub.clock import Clock
from devicehub.model.reading import Image, Layout, Measurement, Reading, Stamp
from devicehub.publish.port import Outgoing
from devicehub.view import EVENTS, View

PREFIX = "devicehub/v1/bcp/ws-1"


def out(topic: str, payload: bytes = b"{}", *, retain: bool = False) -> Outgoing:
    return Outgoing(f"{PREFIX}/{topic}", payload, 1, retain, None, "t", "i", "s")


async def test_who_comes_sees_what_is_retained_and_not_what_was_deleted() -> None:
    view = View()
    view.extend([out("device/a", b"1", retain=True), out("event/x"), out("alarm/a/hot", b"2", retain=True)])
    view.post(out("alarm/a/hot", b"", retain=True))
    with view.watched() as (latest, _):
        assert [(one.topic.removeprefix(PREFIX), one.payload) for one in latest] == [("/device/a", b"1")]


async def test_who_comes_is_given_the_newest_reading_of_each_channel_which_no_broker_keeps() -> None:
    view = View()
    view.extend([out("reading/a/t", b"1"), out("reading/a/u", b"2"), out("reading/a/t", b"3"), out("frame/a", b"4")])
    assert [(one.topic.removeprefix(PREFIX), one.payload) for one in view.readings()] == [
        ("/reading/a/t", b"3"),
        ("/reading/a/u", b"2"),
    ]


async def test_of_a_topic_whose_newest_counts_only_that_is_told_and_events_come_all_in_order() -> None:
    view = View()
    with view.watched() as (_, watcher):
        view.extend([out("reading/a/t", b"1"), out("event/x", b"1"), out("reading/a/t", b"2"), out("event/x", b"2")])
        news = await watcher.news()
        assert [(one.topic.rsplit("/", 2)[1], one.payload) for one in news.messages] == [
            ("event", b"1"),
            ("event", b"2"),
            ("a", b"2"),
        ]
        assert news.missed == 0


async def test_a_watcher_that_takes_nothing_keeps_the_newest_events_and_counts_the_others() -> None:
    view = View()
    with view.watched() as (_, watcher):
        view.extend(out("event/x", str(number).encode()) for number in range(EVENTS + 7))
        news = await watcher.news()
        assert (len(news.messages), news.messages[0].payload, news.missed) == (EVENTS, b"7", 7)
        view.post(out("event/x", b"later"))
        assert (await watcher.news()).missed == 0


async def test_who_left_is_told_nothing_any_more() -> None:
    view = View()
    with view.watched() as (_, watcher):
        pass
    view.post(out("event/x"))
    waiting = asyncio.ensure_future(watcher.news())
    await Clock().sleep(1)
    assert not waiting.done()
    waiting.cancel()


async def test_the_newest_image_of_a_device_is_shown_and_whoever_looks_is_woken() -> None:
    view = View()
    image = Image("image", bytes(4), Layout.U8, 2, 2)
    with view.looked("cam") as came:
        view.look(Reading("cam", Stamp(1.0, 1.0), Measurement("t", 1.0)))
        assert not came.is_set()
        view.look(Reading("cam", Stamp(2.0, 2.0), image))
        view.look(Reading("cam", Stamp(3.0, 3.0), image))
        assert came.is_set()
    shown = view.image("cam")
    assert shown is not None
    assert (shown.at.utc, shown.count) == (3.0, 2)
    with view.looked("cam") as later:
        assert later.is_set()
