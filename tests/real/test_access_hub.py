"""A whole hub under the access list that ships: with its own certificate nothing is refused; with another it says so."""

from pathlib import Path

import pytest

from devicehub.model.message import Kind
from tests.real.access_world import SITE, Secured, certificates, secured
from tests.real.hearing import hearing
from tests.real.hub_process import started

pytestmark = pytest.mark.real

NODE = f"devicehub/v1/{SITE}/lane1"
SEEN = [f"{NODE}/status", f"{NODE}/health", f"{NODE}/event/#"]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("tls") / "made", "lane1", "lane2")


def configured(folder: Path, station: Secured, certificate: str) -> None:
    """A hub of the name lane1 with the certificate of `certificate`."""
    (folder / "devicehub.toml").write_text(
        f'[hub]\nsite = "{SITE}"\nnode = "lane1"\nstate = "state"\nhealth_s = 1\n'
        f'[mqtt]\nurl = "mqtts://127.0.0.1:{station.broker.port}"\nca = "{station.tls}/authority.pem"\n'
        f'certificate = "{station.tls}/{certificate}.pem"\nkey = "{station.tls}/{certificate}.key"\n'
    )


async def test_with_its_own_certificate_nothing_is_refused_and_its_heartbeat_comes_back(
    tmp_path: Path, tls: Path
) -> None:
    async with secured("station", tmp_path, tls) as station:
        configured(tmp_path, station, "lane1")
        async with hearing(station.as_("technician"), filters=SEEN) as ears, started("run", cwd=tmp_path) as hub:
            await ears.until(lambda: [one for one in ears.of(Kind.HEALTH) if one.data["echo_ms"] is not None])
            assert ears.of(Kind.HEALTH)[-1].data["refused"] == 0
            assert ears.of(Kind.STATUS)[-1].data["delivery"] == "broker-acked"
            assert not [line for line in hub.errors if "refused" in line or "self-test" in line]


async def test_with_somebody_elses_certificate_it_is_refused_and_notices_both_what_it_may_not_write_and_not_read(
    tmp_path: Path, tls: Path
) -> None:
    async with secured("station", tmp_path, tls) as station:
        configured(tmp_path, station, "lane2")
        async with hearing(station.as_("technician"), filters=SEEN) as ears, started("run", cwd=tmp_path) as hub:
            await hub.says(f"{NODE}/status refused")
            await hub.says("self-test-failed")
        assert ears.heard == []


async def test_a_right_to_read_that_is_taken_away_while_it_runs_is_in_its_status_and_an_event(
    tmp_path: Path, tls: Path
) -> None:
    async with secured("station", tmp_path, tls) as station:
        configured(tmp_path, station, "lane1")
        async with hearing(station.as_("technician"), filters=SEEN) as ears, started("run", cwd=tmp_path):
            await ears.until(lambda: [one for one in ears.of(Kind.HEALTH) if one.data["echo_ms"] is not None])
            access = tmp_path / "etc" / "station.acl"
            text = access.read_text()
            for kind in ("status", "health"):
                text = text.replace(f"pattern read devicehub/v1/{SITE}/%u/{kind}\n", "")
            access.write_text(text)
            station.broker.reload()
            await ears.first(Kind.EVENT, "hub-self-test-failed")
            await ears.until(lambda: ears.of(Kind.STATUS)[-1].data["delivery"] == "unverified")
            await ears.until(lambda: ears.of(Kind.HEALTH)[-1].data["echo_ms"] is None)
