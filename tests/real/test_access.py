"""The access lists that ship, at a real Mosquitto: ten forbidden actions and more per role, and the whole of what is allowed."""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from devicehub.model.message import Kind
from devicehub.publish.authority import ROLES
from devicehub.publish.mqtt import connect, subscribe
from tests.real.access_actions import FORBIDDEN, FORBIDDEN_TO_A_SITE, LANE1, Read, noticed, refused
from tests.real.access_world import EXERCISE, REAL, RECIPES, certificates, secured, topic
from tests.real.mqtt_ends import message

pytestmark = pytest.mark.real

OBSERVED = {Kind.ALARM, Kind.LANE, Kind.INSPECTION, Kind.STATUS, Kind.EVENT}
STORED = OBSERVED | {Kind.INFO, Kind.HEALTH, Kind.READING, Kind.RESULT, Kind.CAPTURE, Kind.GAP}
READABLE: Mapping[str, set[str]] = {
    "lane2": {f"{REAL}/lane2/cmd", f"{REAL}/lane2/receipt", *(f"{REAL}/lane2/{kind}" for kind in ("status", "health"))}
    | {f"{EXERCISE}/lane2/{kind}" for kind in ("status", "health", "cmd", "receipt")},
    "soc": {f"{REAL}/+/{kind}" for kind in OBSERVED},
    "technician": {f"{REAL}/+/{kind}" for kind in (*(set(Kind) - {Kind.SCAN}), "res")},
    "privacy": {f"{REAL}/+/scan"},
    "consumer": {f"{REAL}/+/{kind}" for kind in (*STORED, "receipt")},
    "training": {f"{EXERCISE}/+/{kind}" for kind in (*Kind, "cmd", "res", "receipt")},
}
WRITABLE: Mapping[str, set[str]] = {
    "lane2": {f"{root}/lane2/{kind}" for root in (REAL, EXERCISE) for kind in (*Kind, "res")},
    "soc": set(),
    "technician": {f"{REAL}/+/cmd"},
    "privacy": set(),
    "consumer": {f"{REAL}/+/receipt"},
    "training": {f"{EXERCISE}/+/cmd", f"{EXERCISE}/+/receipt"},
}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "made", "lane1", "lane2", "bcp-north", "bcp-south", "marker")


def every_topic() -> list[str]:
    """One topic of every kind, of two nodes, for real and as an exercise."""
    nodes = [(node, exercise) for node in ("lane1", "lane2") for exercise in (False, True)]
    return [
        *(topic(kind, node, exercise=exercise) for kind in Kind for node, exercise in nodes),
        *(
            f"{EXERCISE if exercise else REAL}/{node}/{tail}"
            for node, exercise in nodes
            for tail in ("cmd/hub/reload", "res/hub/reload", f"receipt/{'training' if exercise else 'consumer'}")
        ),
    ]


def matching(topics: list[str], branches: set[str]) -> set[str]:
    """Those that lie in one of the branches, where + is any one level."""
    patterns = [re.compile(re.escape(one).replace(r"\+", "[^/]+") + "(/.*)?") for one in branches]
    return {one for one in topics if any(pattern.fullmatch(one) for pattern in patterns)}


@pytest.mark.parametrize("role", FORBIDDEN)
async def test_ten_forbidden_actions_of_a_role_and_more_are_each_refused(tmp_path: Path, tls: Path, role: str) -> None:
    assert len(FORBIDDEN[role]) >= 10
    async with secured("station", tmp_path, tls) as station:
        passed = [action for action in FORBIDDEN[role] if not await refused(station, role, action)]
    print(f"{role}: {len(FORBIDDEN[role])} forbidden actions, {len(passed)} passed")
    assert passed == []


@pytest.mark.parametrize("role", FORBIDDEN)
async def test_without_the_access_list_each_of_them_passes(tmp_path: Path, tls: Path, role: str) -> None:
    """The same tries at the same broker with one line less: they do show a broker that lets through."""
    async with secured("station", tmp_path, tls, {"acl_file": "#acl_file"}) as station:
        stopped = [action for action in FORBIDDEN[role] if await refused(station, role, action)]
    assert stopped == []


async def test_ten_forbidden_actions_of_a_station_at_the_centre_are_each_refused(tmp_path: Path, tls: Path) -> None:
    assert len(FORBIDDEN_TO_A_SITE) >= 10
    async with secured("centre", tmp_path, tls) as centre:
        passed = [one for one in FORBIDDEN_TO_A_SITE if not await refused(centre, "bcp-north", one)]
    print(f"a site at the centre: {len(FORBIDDEN_TO_A_SITE)} forbidden actions, {len(passed)} passed")
    assert passed == []


async def test_without_the_centres_access_list_each_of_them_passes(tmp_path: Path, tls: Path) -> None:
    async with secured("centre", tmp_path, tls, {"acl_file": "#acl_file"}) as centre:
        stopped = [one for one in FORBIDDEN_TO_A_SITE if await refused(centre, "bcp-north", one)]
    assert stopped == []


@pytest.mark.parametrize("role", READABLE)
async def test_a_role_reads_what_the_contract_gives_it_and_nothing_else(tmp_path: Path, tls: Path, role: str) -> None:
    topics = every_topic()
    writers = {one: writer(one) for one in topics}
    async with secured("station", tmp_path, tls) as station, AsyncExitStack() as stack:
        incoming = await stack.enter_async_context(subscribe(station.as_(role), ["#", "$SYS/#"]))
        publishers = {
            name: await stack.enter_async_context(connect(station.as_(name))) for name in set(writers.values())
        }
        expected = matching(topics, READABLE[role])
        for one in topics:
            await publishers[writers[one]].submit(message(one))
        last = max(expected, key=topics.index)
        received: set[str] = set()
        async for arrived in incoming:
            received.add(arrived.topic)
            if arrived.topic == last:
                break
    assert received == expected


def writer(one: str) -> str:
    """Who may publish to a topic."""
    _, _, _, node, kind, *_ = one.split("/")
    if kind not in ("cmd", "receipt"):
        return node
    return "training" if one.startswith(EXERCISE) else {"cmd": "technician", "receipt": "consumer"}[kind]


@pytest.mark.parametrize("role", WRITABLE)
async def test_a_role_writes_what_the_contract_gives_it_and_nothing_else(tmp_path: Path, tls: Path, role: str) -> None:
    topics = every_topic()
    async with secured("station", tmp_path, tls) as station, connect(station.as_(role)) as publisher:
        taken = {one for one in topics if not await noticed(publisher.submit(message(one)))}
    assert taken == matching(topics, WRITABLE[role])


@pytest.mark.parametrize("recipe", ["station", "centre"])
async def test_a_role_has_no_branch_of_its_own_name(tmp_path: Path, tls: Path, recipe: str) -> None:
    """A name that is not listed is a node, at the centre a site; a role's name must not be taken for one."""
    async with secured(recipe, tmp_path, tls) as broker:
        for role in ROLES:
            own = {"node": role} if recipe == "station" else {"node": "lane1", "site": role}
            async with connect(broker.as_(role)) as publisher:
                for exercise in (False, True):
                    one = topic(Kind.EVENT, own["node"], site=own.get("site", "bcp-north"), exercise=exercise)
                    assert await noticed(publisher.submit(message(one))), one


def test_the_roles_of_station_and_centre_are_the_same() -> None:
    def roles(name: str) -> list[str]:
        text = (RECIPES / name).read_text(encoding="utf-8")
        lines = text[text.index("# --- soc") :].splitlines()
        return [line for line in lines if not line.startswith("topic deny")]

    assert roles("station.acl") == roles("centre.acl")


def test_every_role_and_no_other_is_in_the_access_lists() -> None:
    for name in ("station.acl", "centre.acl"):
        text = (RECIPES / name).read_text(encoding="utf-8")
        assert tuple(re.findall(r"^user (\S+)$", text, re.MULTILINE)) == ROLES


async def test_a_certificate_that_is_denied_in_the_list_is_shut_out_at_once(tmp_path: Path, tls: Path) -> None:
    """What the access list says about a stolen workstation."""
    async with secured("station", tmp_path, tls) as station, connect(station.as_("lane1")) as publisher:
        await publisher.submit(message(f"{LANE1}/status"))
        access = tmp_path / "etc" / "station.acl"
        access.write_text(access.read_text().replace("#user lane9\n#topic deny #", "user lane1\ntopic deny #"))
        station.broker.reload()
        async with connect(station.as_("lane2")) as other:
            while "Reloading config" not in station.log.read_text():
                await other.submit(message(f"{REAL}/lane2/status"))
        assert await noticed(publisher.submit(message(f"{LANE1}/status")))
        async with connect(station.as_("lane1")) as again:
            assert await noticed(again.submit(message(f"{LANE1}/status")))


def test_read_actions_name_a_topic_that_their_filter_selects() -> None:
    """A probe outside the filter would never arrive and prove nothing."""
    for action in (one for actions in (*FORBIDDEN.values(), FORBIDDEN_TO_A_SITE) for one in actions):
        if isinstance(action, Read):
            levels = action.filter.removesuffix("/#").replace("#", "")
            pattern = re.escape(levels).replace(r"\+", "[^/]+")
            assert re.match(pattern, action.probe), action
