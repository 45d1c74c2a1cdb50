"""What a device file's simulated device says, and when."""

from pathlib import Path
from random import Random

from devicehub.devicefile.simulate import Device
from tests.unit.devicefile.files import SMALL, compiled

SAID = '[simulate]\nmodel = "vapour"\n[simulate.values]\nlevel = {{ level = 7 }}\n{}'


def test_what_nobody_asked_for_is_said_only_while_its_condition_holds(tmp_path: Path) -> None:
    said = "[simulate.every_s]\nlevel = 1.0\n[simulate.when]\nlevel = { high = 1 }\n"
    device = Device(compiled(tmp_path, (SMALL, SMALL + SAID.format(said))), Random(0))
    assert device.advance(1.0) == []
    device.do("vapour", ppm=1000)
    device.advance(60.5)
    assert device.advance(0.5) == [bytes.fromhex("0301070b")]
