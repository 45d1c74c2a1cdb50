"""Identifiers that sort by time."""

from hypothesis import given
from hypothesis import strategies as st

from devicehub.clock import Clock, since_boot

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def value(ulid: str) -> int:
    number = 0
    for digit in ulid:
        number = number * 32 + CROCKFORD.index(digit)
    return number


@given(st.lists(st.floats(0, 4e9), min_size=1, max_size=50), st.integers(0, 2**32))
def test_ulids_carry_the_millisecond_and_never_go_back(times: list[float], seed: int) -> None:
    wall = iter(times)
    clock = Clock(utc=lambda: next(wall), seed=seed)
    ulids = [clock.ulid() for _ in times]
    assert all(len(ulid) == 26 for ulid in ulids)
    assert ulids == sorted(set(ulids))
    latest = 0
    for ulid, seconds in zip(ulids, times, strict=True):
        latest = max(latest, int(seconds * 1000))
        assert value(ulid) >> 80 == latest


def test_tokens_have_the_length_asked_for_and_differ_unless_chance_is_seeded() -> None:
    assert len({Clock().token(32) for _ in range(10)}) == 10
    assert len(Clock().token(4)) == 4
    assert Clock(seed=1).token(8) == Clock(seed=1).token(8)


async def test_a_machine_that_is_taken_never_to_sleep_was_booted_when_its_loop_began() -> None:
    clock = Clock()
    assert clock.boot() == clock.monotonic()
    assert Clock(boot=lambda: 7.0).boot() == 7.0


def test_seconds_since_the_start_of_the_machine_only_grow() -> None:
    assert 0.0 < since_boot() <= since_boot()
