"""The page that prints how the check of a desk came out: in the language that is asked for, of what is on record alone."""

from pathlib import Path

import pytest

from devicehub.publish.envelope import Encoder
from tests.real.test_page_archive import REAL, stored
from tests.real.test_page_server import site
from tests.unit.publish.examples import ULID, hub_messages, place

pytestmark = pytest.mark.real


def ended() -> bytes:
    """An event as it is stored."""
    (one,) = [message for message in hub_messages() if message.type == "preflight.ended"]
    return Encoder("bcp-south", "lane1", boot="b", exercise=True).encode(one, place(one))


async def test_it_is_printed_from_the_record_in_a_language_and_without_scripts(tmp_path: Path) -> None:
    stored(tmp_path, [ended()], "io.devicehub.preflight.ended")
    async with site(tmp_path) as one:
        status, head, body = await one.asks(f"/preflight/{ULID}?language=sq", one.known)
        assert status == 200
        assert "default-src 'none'" in head
        text = body.decode()
        assert "bcp-south/lane1, desk-1" in text
        assert "NUK KALOI" in text
        assert "USHTRIM" in text
        assert "<script" not in text


@pytest.mark.parametrize("name", ["01K9XQ5ZJ4M8Q0Z3T7V1B2C3D9", "x", "..%2f.."])
async def test_what_is_not_on_record_is_not_there(tmp_path: Path, name: str) -> None:
    stored(tmp_path, [ended()], "io.devicehub.preflight.ended")
    async with site(tmp_path) as one:
        assert (await one.asks(f"/preflight/{name}", one.known))[0] == 404


async def test_a_simulated_one_is_not_printed_where_the_hub_is_real(tmp_path: Path) -> None:
    stored(tmp_path, [ended()], "io.devicehub.preflight.ended")
    async with site(tmp_path, topics=REAL) as one:
        assert (await one.asks(f"/preflight/{ULID}", one.known))[0] == 404


async def test_nobody_without_the_token_is_shown_it(tmp_path: Path) -> None:
    stored(tmp_path, [ended()], "io.devicehub.preflight.ended")
    async with site(tmp_path) as one:
        assert (await one.asks(f"/preflight/{ULID}", {}))[0] in {401, 403}
