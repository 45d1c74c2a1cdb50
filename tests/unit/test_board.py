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
    board.take()
    board.post(out("a", b"2"))
    assert board.dropped == 0


def test_on_a_new_connection_every_retained_topic_is_due_with_its_latest() -> None:
    board = Board()
    board.post(out("a", b"1"))
    board.post(out("b", b"1"))
    board.take()
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


def test_what_could_not_be_sent_is_due_again_unless_something_newer_is() -> None:
    board = Board()
    board.give_back(out("a", b"old"))
    board.post(out("b", b"new"))
    board.give_back(out("b", b"old"))
    board.give_back(out("frame", retain=False))
    assert told(board) == [("a", b"old"), ("b", b"new")]
    assert board.dropped == 1


def test_whoever_listens_hears_of_everything_that_becomes_due() -> None:
    board, calls = Board(), list[str]()
    board.listen(lambda: calls.append("x"))
    board.post(out("a"))
    board.rebirth()
    board.take()
    board.give_back(out("a"))
    assert len(calls) == 3
