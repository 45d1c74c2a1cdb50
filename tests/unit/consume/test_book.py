"""What is stored of several nodes, epochs and streams, and which receipts follow from it."""

from hypothesis import given
from hypothesis import strategies as st

from devicehub.consume.book import Book, State
from devicehub.consume.conformance.hub import PlayedHub
from devicehub.consume.count import Verdict
from devicehub.consume.heard import Announced, Heard, announced
from devicehub.model.receipt import Receipt
from devicehub.model.stream import Stream
from tests.unit.consume.played import BOTH, START, events, heard, hub


def judged(book: Book, *messages: Heard) -> list[Verdict]:
    return [book.judge(one) for one in messages]


def stored(book: Book, *messages: Heard) -> list[Heard]:
    return [one for one in messages if book.judge(one) in (Verdict.STORE, Verdict.LATE)]


def test_a_node_that_has_said_nothing_is_told_that_nothing_was_received() -> None:
    book = Book(BOTH)
    assert book.meet("devicehub/v1/s/n")
    assert not book.meet("devicehub/v1/s/n")
    assert book.receipt("devicehub/v1/s/n") == Receipt("", {Stream.ALARMS: 0, Stream.EVENTS: 0})


def test_each_node_has_its_own_numbers_and_receipt() -> None:
    book, one, other = Book(BOTH), hub("lane1", seed=1), hub("lane2", seed=2)
    assert judged(book, *events(one, 3), *events(other, 2)) == [Verdict.STORE] * 5
    assert book.nodes == [one.topics.prefix, other.topics.prefix]
    assert book.receipt(one.topics.prefix) == Receipt(one.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 3})
    assert book.receipt(other.topics.prefix) == Receipt(other.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 2})


def test_an_exercise_of_the_same_node_is_counted_apart() -> None:
    book = Book(BOTH)
    assert judged(book, *events(hub(), 2), *events(hub(exercise=True), 2)) == [Verdict.STORE] * 4


def test_a_hole_in_one_stream_holds_no_other_up() -> None:
    book, one = Book(BOTH), hub()
    _, *behind = events(one, 3)
    assert judged(book, *behind, *events(one, 2, Stream.ALARMS)) == [Verdict.HOLE] * 2 + [Verdict.STORE] * 2
    assert book.receipt(one.topics.prefix).received == {Stream.ALARMS: 2, Stream.EVENTS: 0}


def test_a_stream_that_is_not_stored_is_not_confirmed_but_its_gaps_are_heard() -> None:
    book, one = Book({Stream.ALARMS}), hub()
    first, _, third = one.events(Stream.ALARMS, 3)
    gap = one.gap(Stream.ALARMS, ((2, 2),))
    assert judged(book, heard(first), heard(gap), heard(third)) == [Verdict.STORE, Verdict.DUPLICATE, Verdict.STORE]
    assert book.receipt(one.topics.prefix).received == {Stream.ALARMS: 3}


def test_a_gap_is_heard_although_it_is_behind_the_hole_that_it_tells_of() -> None:
    book, one = Book(BOTH), hub()
    first, *_, fourth = one.events(Stream.EVENTS, 4)
    gap = one.gap(Stream.EVENTS, ((2, 3),))
    assert judged(book, heard(first), heard(gap)) == [Verdict.STORE, Verdict.HOLE]
    assert book.receipt(one.topics.prefix).received[Stream.EVENTS] == 3
    assert book.changes().lost, "no stored message tells of it, so the next run has to be told"
    assert judged(book, heard(fourth), heard(gap, again=True)) == [Verdict.STORE] * 2
    assert not book.changes().lost


def test_the_numbers_of_a_new_epoch_begin_at_1_and_the_receipt_names_it() -> None:
    book, one = Book(BOTH), hub()
    old = events(one, 3)
    first_epoch = one.epoch
    stored(book, *old)
    one.begin_epoch()
    assert judged(book, *events(one, 2)) == [Verdict.STORE] * 2
    assert one.epoch != first_epoch
    assert book.receipt(one.topics.prefix) == Receipt(one.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 2})


def test_a_hole_at_the_beginning_of_a_new_epoch_is_confirmed_as_nothing_received() -> None:
    book, one = Book(BOTH), hub()
    stored(book, *events(one, 3))
    one.begin_epoch()
    _, second = events(one, 2)
    assert judged(book, second) == [Verdict.HOLE]
    assert book.receipt(one.topics.prefix) == Receipt(one.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 0})


def test_what_was_saved_of_a_former_epoch_is_stored_although_it_has_holes_and_the_receipt_stays() -> None:
    book, one = Book(BOTH), hub()
    former = [heard(message, again=True) for message in one.events(Stream.EVENTS, 6)]
    stored(book, former[0])
    one.begin_epoch()
    stored(book, *events(one, 2))
    assert stored(book, former[2], former[5], former[5], former[3]) == [former[2], former[5], former[3]]
    assert book.receipt(one.topics.prefix) == Receipt(one.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 2})


def test_copies_of_an_epoch_never_heard_of_do_not_take_over_when_they_were_recorded_before() -> None:
    late, early = hub(at=START + 60, seed=1), hub(at=START, seed=2)
    copies = [heard(message, again=True) for message in early.events(Stream.EVENTS, 3)]
    book = Book(BOTH)
    assert stored(book, *events(late, 1), *copies[1:]) != []
    assert book.receipt(late.topics.prefix).epoch == late.epoch
    newer = hub(at=START + 120, seed=3)
    book.judge(heard(newer.events(Stream.EVENTS, 1)[0], again=True))
    assert book.receipt(late.topics.prefix).epoch == newer.epoch


def test_a_clock_that_was_set_back_does_not_hide_a_new_epoch() -> None:
    book, before, after = Book(BOTH), hub(at=START, seed=1), hub(at=START - 86_400, seed=2)
    stored(book, *events(before, 2), *events(after, 2))
    assert book.receipt(before.topics.prefix) == Receipt(after.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 2})


def said(of: PlayedHub) -> Announced:
    status = announced(of.topics.status, of.status().payload)
    assert status is not None
    return status


def test_once_the_status_names_a_new_epoch_what_is_left_of_the_former_is_stored_behind_its_hole() -> None:
    book, one = Book(BOTH), hub()
    messages = one.events(Stream.EVENTS, 10)
    stored(book, *map(heard, messages[:5]))
    left, former = [heard(message, again=True) for message in messages[6:]], one.epoch
    assert judged(book, *left) == [Verdict.HOLE] * 4, "as long as it can be asked for"
    one.begin_epoch()
    assert book.announce(said(one))
    assert not book.announce(said(one))
    assert book.changes().current[0].epoch == one.epoch
    assert book.receipt(one.topics.prefix) == Receipt(one.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 0})
    gap = one.gap(Stream.EVENTS, ((6, 6),), former)
    assert judged(book, *left, *left, heard(gap)) == [Verdict.STORE] * 4 + [Verdict.DUPLICATE] * 4 + [Verdict.STORE]
    assert book.receipt(one.topics.prefix) == Receipt(one.epoch, {Stream.ALARMS: 0, Stream.EVENTS: 1})


def test_nothing_that_is_left_of_a_former_epoch_leads_back_to_it_whatever_its_time() -> None:
    book, before, after = Book(BOTH), hub(at=START, seed=1), hub(at=START - 86_400, seed=2)
    messages = before.events(Stream.EVENTS, 3)
    stored(book, heard(messages[0]))
    book.announce(said(after))
    assert judged(book, heard(messages[2], again=True)) == [Verdict.STORE]
    assert book.receipt(before.topics.prefix).epoch == after.epoch


def test_changes_are_what_has_changed_since_the_last_time() -> None:
    book, one = Book(BOTH), hub()
    messages = events(one, 3)
    stored(book, *messages[:2])
    assert [(changed.stream, changed.next) for changed in book.changes().counts] == [(Stream.EVENTS, 3)]
    assert book.changes() == State()
    stored(book, messages[0], messages[2])
    assert [changed.next for changed in book.changes().counts] == [4]


network = st.lists(st.tuples(st.integers(0, 39), st.booleans()), max_size=120)


@given(network, st.integers(0, 120))
def test_a_book_made_from_its_state_or_from_what_is_stored_asks_for_nothing_that_is_stored(
    arrivals: list[tuple[int, bool]], split: int
) -> None:
    one = hub()
    messages = [*one.events(Stream.EVENTS, 18), one.gap(Stream.EVENTS, ((3, 5),)), *one.events(Stream.ALARMS, 20)]
    messages.append(one.gap(Stream.ALARMS, ((2, 4),)))
    sent = [heard(messages[number], again=again) for number, again in arrivals]
    whole, first = Book(BOTH), Book(BOTH)
    before = stored(first, *sent[:split])
    assert stored(whole, *sent[:split]) == before
    restored, replayed = Book(BOTH), Book(BOTH)
    restored.restore(first.state())
    for message in before:
        replayed.replay(message)
    after = stored(whole, *sent[split:])
    assert stored(restored, *sent[split:]) == after
    assert restored.receipt(one.topics.prefix) == whole.receipt(one.topics.prefix)
    again = stored(replayed, *before, *sent[split:])
    assert {message.number for message in again if message in before} == set()


@given(network)
def test_whatever_the_network_does_a_hub_that_obeys_receipts_gets_everything_stored_once(
    arrivals: list[tuple[int, bool]],
) -> None:
    one, book = hub(), Book(BOTH)
    messages = [heard(message) for stream in BOTH for message in one.events(stream, 20)]
    kept = stored(book, *(messages[number] for number, _ in arrivals))
    for stream in sorted(BOTH):
        received = book.receipt(one.topics.prefix).received.get(stream, 0) if book.nodes else 0
        kept += stored(book, *(heard(message, again=True) for message in one.after(stream, received, 100)))
    for stream in BOTH:
        numbers = [message.number for message in kept if message.stream is stream]
        assert numbers == list(range(1, 21)), "in order, without a hole, nothing twice"
    assert book.receipt(one.topics.prefix).received == dict.fromkeys(BOTH, 20)
