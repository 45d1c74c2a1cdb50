"""The board: one place per topic, the latest wins, retained ones are born again on every connect."""

from devicehub.board import Board
from devicehub.publish.port import Outgoing


def out(topic: str, payload: bytes = b"1", *, retain: bool = True) -> Outgoing:
    return Outgoing(topic, payload, 0, retain, None, "io.devicehub.state", "id", "d")


def told(board: Board) -> list[tuple[str, bytes]]:
    return [(one.topic, one.payload) for one in board.take()]


def test_of_a_topic_the_latest_is_taken_and_what_it_replaced_is_counted() -> None:
    board = Board()
    for payload in (b"1", b"2", b"3"):
        board.post(out("a", payload))
    board.post(out("b"))
    assert told(board) == [("a", b"3"), ("b", b"1")]
    assert board.dropped == 2
    assert board.idle()
    assert told(board) == []


def test_what_was_taken_is_not_dropped_when_something_newer_comes() -> None:
    board = Board()
    board.post(out("a", b"1"))
    told(board)
    board.post(out("a", b"2"))
    assert board.dropped == 0


def test_on_a_new_connection_every_retained_topic_is_due_with_its_latest() -> None:
    board = Board()
    board.post(out("a", b"1"))
    board.post(out("b", b"1"))
    told(board)
    board.post(out("b", b"2"))
    board.rebirth()
    assert told(board) == [("a", b"1"), ("b", b"2")]
    board.rebirth()
    assert told(board) == [("a", b"1"), ("b", b"2")]


def test_pictures_of_the_past_are_not_sent_on_a_new_connection_and_count_as_dropped() -> None:
    board = Board()
    board.post(out("frame", retain=False))
    board.rebirth()
    assert told(board) == []
    assert board.dropped == 1


def test_what_was_lost_on_the_way_never_comes_back_in_the_place_of_something_newer() -> None:
    board = Board()
    for payload in (b"1", b"2"):
        board.post(out("a", payload))
        assert told(board) == [("a", payload)]
    for payload in (b"1", b"2"):
        board.lost(out("a", payload))
    assert board.idle(), "it is due again when there is a connection"
    board.rebirth()
    assert told(board) == [("a", b"2")]
    assert board.dropped == 0


def test_a_picture_that_was_lost_on_the_way_counts_as_dropped() -> None:
    board = Board()
    board.lost(out("frame", retain=False))
    board.rebirth()
    assert (told(board), board.dropped) == ([], 1)


def test_what_was_not_taken_yet_stays_due() -> None:
    board = Board()
    for topic in "abc":
        board.post(out(topic))
    assert next(board.take()).topic == "a"
    assert [topic for topic, _ in told(board)] == ["b", "c"]


def test_whoever_listens_hears_of_everything_that_becomes_due() -> None:
    board, calls = Board(), list[str]()
    board.listen(lambda: calls.append("x"))
    board.post(out("a"))
    board.rebirth()
    told(board)
    assert len(calls) == 2
