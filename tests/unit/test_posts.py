"""What the hub asks of each device's link, by what its driver is."""

from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.config import load_config
from devicehub.config.broker import broker_settings
from devicehub.configured import DAMAGED_MOST, Configured
from devicehub.links import Links
from devicehub.transport.world import SimulatedWorld

DRIVERS = {
    "python": ("trace.aci_pids3", 'port = "sim:"', DAMAGED_MOST, False),
    "device-file": ("radiation.gq_gmc", 'port = "sim:"', 0, False),
    "files": ("trace.jcamp_dx", 'folder = "drop"', 0, True),
    "scanner": ("scanner.zebra_ssi", 'port = "sim:"', DAMAGED_MOST, True),
}


@pytest.mark.parametrize("device", DRIVERS)
async def test_after_how_much_damage_a_link_is_opened_anew_and_whose_bytes_nobody_sees(
    tmp_path: Path, device: str
) -> None:
    driver, place, most, private = DRIVERS[device]
    for name in ("state", "drop"):
        (tmp_path / name).mkdir()
    file = tmp_path / "devicehub.toml"
    file.write_text(
        f'[hub]\nsite = "s"\nnode = "n"\nstate = "{tmp_path}/state"\nexercise = true\n'
        f'[[device]]\nid = "{device}"\ndriver = "{driver}"\n{place}\n'
    )
    clock, config = Clock(), load_config(file)
    async with SimulatedWorld(tmp_path, clock, 1) as world:
        links = Links(clock, world)
        (post,) = Configured(config, links, clock, None).plan(broker_settings(config)).posts
        links.close()
    assert (post.damaged_most, post.private) == (most, private)
