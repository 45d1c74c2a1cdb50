"""The difference of two configurations names everything that has to be done, and nothing else."""

import re
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.config import Config
from devicehub.config.diff import LIVE, Difference, Names, diff, running, settings, watched

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
IDS = ("a", "b", "c", "d")
DRIVER = "radiation.atom_fast"


def config(**sections: Any) -> Config:
    """A configuration with what a test is about."""
    hub = {"site": "s", "node": "n", "state": "/state"} | sections.pop("hub", {})
    return Config.model_validate({"hub": hub, **sections})


def device(name: str, **keys: Any) -> dict[str, Any]:
    return {"id": name, "driver": DRIVER} | keys


def limit(on: str, **keys: Any) -> dict[str, Any]:
    return {"device": on, "channel": "dose-rate"} | keys


devices = st.lists(
    st.builds(
        device,
        st.sampled_from(IDS),
        port=st.sampled_from(["", "/dev/ttyUSB0", "/dev/ttyUSB1"]),
        enabled=st.booleans(),
        options=st.sampled_from([{}, {"rate": 1}, {"rate": 2}]),
    ),
    unique_by=lambda one: one["id"],
)
limits = st.lists(
    st.builds(
        limit,
        st.sampled_from(IDS),
        high=st.sampled_from([1.0, 2.0]),
        low=st.sampled_from([None, 0.5]),
        hysteresis=st.sampled_from([0.0, 0.1]),
        priority=st.sampled_from(["high", "low"]),
        name=st.sampled_from(["", "near", "far"]),
    ),
    unique_by=lambda one: (one["device"], one["name"]),
)
configs = st.builds(
    config,
    hub=st.fixed_dictionaries({}, optional={"health_s": st.sampled_from([1.0, 5.0]), "site": st.just("t")}),
    mqtt=st.fixed_dictionaries({}, optional={"keepalive_s": st.sampled_from([5, 6])}),
    journal=st.fixed_dictionaries({}, optional={"days": st.sampled_from([7, 30]), "gib": st.sampled_from([1.0, 4.0])}),
    scan=st.fixed_dictionaries({}, optional={"publish": st.sampled_from(["off", "hash"])}),
    device=devices,
    limit=limits,
)


def applied(names: Names, old: dict[str, T], new: dict[str, T]) -> dict[str, T]:
    """What there was, without what went, and from the new one only what is named."""
    kept = {name: one for name, one in old.items() if name not in names.removed}
    return kept | {name: new[name] for name in (*names.added, *names.changed)}


@given(old=configs, new=configs)
def test_a_difference_applied_to_the_old_gives_the_new(old: Config, new: Config) -> None:
    difference = diff(old, new)
    assert applied(difference.devices, running(old), running(new)) == running(new)
    assert applied(difference.limits, watched(old), watched(new)) == watched(new)
    keys = {*difference.restart, *difference.live}
    assert {key: settings(new if key in keys else old)[key] for key in settings(new)} == settings(new)


@given(old=configs, new=configs)
def test_what_is_the_same_is_not_named(old: Config, new: Config) -> None:
    difference = diff(old, new)
    for names, before, after in (
        (difference.devices, running(old), running(new)),
        (difference.limits, watched(old), watched(new)),
    ):
        assert not set(names.added) & before.keys()
        assert not set(names.removed) & after.keys()
        assert all(before[name] != after[name] for name in names.changed)
    for key in (*difference.restart, *difference.live):
        assert settings(old)[key] != settings(new)[key]


@given(configs)
def test_a_configuration_does_not_differ_from_itself(one: Config) -> None:
    nothing = Difference(restart=(), live=(), devices=Names(), limits=Names())
    assert diff(one, one.model_copy(deep=True)) == nothing
    assert nothing.summary() == "nothing changed that runs"


@given(old=configs, new=configs)
def test_there_and_back_again_add_and_remove_the_same(old: Config, new: Config) -> None:
    there, back = diff(old, new), diff(new, old)
    assert set(there.devices.added) == set(back.devices.removed)
    assert set(there.devices.changed) == set(back.devices.changed)
    assert set(there.limits.removed) == set(back.limits.added)
    assert (set(there.restart), set(there.live)) == (set(back.restart), set(back.live))


def test_every_key_that_may_change_at_any_time_exists() -> None:
    assert settings(config()).keys() >= LIVE


def test_the_guide_names_every_key_that_may_change_at_any_time() -> None:
    text = (ROOT / "docs" / "guides" / "change-a-configuration.md").read_text(encoding="utf-8")
    listed = text.partition("<!-- live -->")[2].partition("<!-- end -->")[0]
    assert set(re.findall(r"`([^`]+)`", listed)) == LIVE


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("hub", {"site": "t"}),
        ("hub", {"node": "m"}),
        ("hub", {"exercise": True}),
        ("hub", {"state": "/elsewhere"}),
        ("mqtt", {"url": "mqtt://broker"}),
        ("mqtt", {"window": 7}),
        ("mqtt", {"keepalive_s": 9}),
    ],
)
def test_what_the_connection_and_the_state_are_made_of_takes_a_restart(section: str, keys: dict[str, Any]) -> None:
    difference = diff(config(), config(**{section: keys}))
    assert difference.restart == tuple(f"{section}.{key}" for key in keys)
    assert difference.live == ()


def test_a_device_that_is_disabled_is_removed_and_one_that_is_enabled_is_added() -> None:
    on, off = config(device=[device("a")]), config(device=[device("a", enabled=False)])
    assert diff(on, off).devices == Names(removed=("a",))
    assert diff(off, on).devices == Names(added=("a",))


def test_a_limit_goes_with_its_device() -> None:
    both = config(device=[device("a")], limit=[limit("a", high=1.0)])
    without = config(device=[device("a", enabled=False)], limit=[limit("a", high=1.0)])
    assert diff(both, without).limits == Names(removed=("a/dose-rate-high",))


def test_a_summary_names_what_changed() -> None:
    old = config(device=[device("a"), device("b")], limit=[limit("a", high=1.0)])
    new = config(
        hub={"health_s": 5.0},
        device=[device("a", port="/dev/ttyUSB0"), device("c")],
        limit=[limit("a", high=2.0), limit("c", low=0.5)],
    )
    assert diff(old, new).summary() == (
        "devices added: c; devices removed: b; devices restarted: a; "
        "limits added: c/dose-rate-low; limits changed: a/dose-rate-high; set hub.health_s"
    )


def test_a_summary_of_very_much_is_cut() -> None:
    many = config(device=[device(f"d{number}") for number in range(500)])
    said = diff(config(), many).summary()
    assert said.endswith("d19, and 480 more")
