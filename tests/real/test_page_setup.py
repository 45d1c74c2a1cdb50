"""A station set up at its page: examined and added to by who has the token, and changed only where that is allowed."""

import json
from pathlib import Path

import pytest

from devicehub.commissioning import StationCommissioning
from tests.real.fake_sysfs import FakeSysfs
from tests.real.test_page_server import site

pytestmark = pytest.mark.real

STATION = '[hub]\nsite = "s"\nnode = "n"\nexercise = true\nstate = "state"\n'
WISH = {"driver": "radiation.atom_fast", "place": "AA:BB:CC:DD:EE:FF", "issuer": "op-1"}


def station(folder: Path, *, changes: bool) -> StationCommissioning:
    """A configuration on a computer that is a folder, where nothing is plugged in."""
    file = folder / "hub.toml"
    file.write_text(STATION)
    (folder / "root" / "sys").mkdir(parents=True)
    return StationCommissioning(file, changes=changes, root=folder / "root")


async def test_a_station_is_examined_and_a_device_added_under_a_name(tmp_path: Path) -> None:
    async with site(tmp_path, commissioning=station(tmp_path, changes=True)) as one:
        asked = one.known | {"Origin": f"http://{one.host}"}
        status, _, body = await one.asks("/api/setup/examination", asked, "POST")
        found = json.loads(body)
        assert (status, "config" in found["checks"], "broker" in found["skipped"]) == (200, True, True)
        assert "udev" not in {finding["check"] for finding in found["findings"]}
        status, _, body = await one.asks("/api/setup/hardware", asked, "POST")
        assert (status, json.loads(body)["changes"]) == (200, True)
        for wrong, why in (
            (WISH | {"issuer": " "}, "says who that is"),
            (WISH | {"driver": "radiation.none"}, "unknown driver"),
            (WISH | {"id": "Not A Segment"}, "device[0].id"),
            (WISH | {"more": 1}, "more"),
        ):
            status, _, body = await one.asks("/api/setup/devices", asked, "POST", json.dumps(wrong).encode())
            assert (status, why in body.decode()) == (422, True), body
        assert (tmp_path / "hub.toml").read_text() == STATION
        status, _, body = await one.asks("/api/setup/devices", asked, "POST", json.dumps(WISH).encode())
        assert (status, json.loads(body)) == (200, {"id": "atom-fast-1"})
        assert 'address = "AA:BB:CC:DD:EE:FF"' in (tmp_path / "hub.toml").read_text()
        assert one.remarks == [("device-added", "atom-fast-1, radiation.atom_fast at AA:BB:CC:DD:EE:FF, by op-1")]


def test_a_camera_is_offered_to_each_driver_that_it_has_and_known_by_the_one_that_is_configured(tmp_path: Path) -> None:
    hub, sysfs = station(tmp_path, changes=True), FakeSysfs(tmp_path / "root" / "sys")
    sysfs.plug("1-2", "0bda:5830", "")
    sysfs.function("1-2", 0, "video4linux", "video0")
    with (tmp_path / "hub.toml").open("a") as file:
        file.write('[[device]]\nid = "thermal"\ndriver = "thermal.infiray_p2pro"\nusb = "0bda:5830"\n')
    found = {
        one.place: (one.device, [fit.driver for fit in one.candidates]) for one in hub.found() if one.usb == "0bda:5830"
    }
    assert found["/dev/video0"] == ("thermal", ["thermal.infiray_p2pro", "endoscope.uvc_endoscope"])
    assert found["1-2"] == ("", ["thermal.infiray_p2pro_control"])


async def test_a_station_is_set_up_by_nobody_without_the_token_and_changed_only_where_that_is_allowed(
    tmp_path: Path,
) -> None:
    async with site(tmp_path, commissioning=station(tmp_path, changes=False)) as one:
        origin = {"Origin": f"http://{one.host}"}
        for path in ("examination", "hardware", "devices"):
            body = json.dumps(WISH).encode()
            assert (await one.asks(f"/api/setup/{path}", origin, "POST", body))[0] == 403
            assert (await one.asks(f"/api/setup/{path}", one.known, "POST", body))[0] == 403
            assert (await one.asks(f"/api/setup/{path}", one.known | origin | {"Host": "broker"}, "POST", body))[
                0
            ] == 403
        status, _, told = await one.asks("/api/setup/devices", one.known | origin, "POST", json.dumps(WISH).encode())
        assert (status, b"page.setup is not true" in told) == (403, True)
        assert (tmp_path / "hub.toml").read_text() == STATION


async def test_a_hub_that_no_file_configures_is_not_set_up(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        asked = one.known | {"Origin": f"http://{one.host}"}
        assert (await one.asks("/api/setup/examination", asked, "POST"))[0] == 404


async def test_a_mistake_in_the_configuration_is_found_with_its_place(tmp_path: Path) -> None:
    async with site(tmp_path, commissioning=station(tmp_path, changes=True)) as one:
        asked = one.known | {"Origin": f"http://{one.host}"}
        (tmp_path / "hub.toml").write_text(STATION + "healt_s = 5\n")
        _, _, body = await one.asks("/api/setup/examination", asked, "POST")
        (wrong,) = (found for found in json.loads(body)["findings"] if found["check"] == "config")
        assert (wrong["fails"], "hub.toml:6:1" in wrong["subject"], "health_s" in wrong["what"]) == (True, True, True)
        for path, wish in (("hardware", b""), ("devices", json.dumps(WISH).encode())):
            status, _, told = await one.asks(f"/api/setup/{path}", asked, "POST", wish)
            assert (status, b"hub.toml:6:1" in told) == (422, True)
