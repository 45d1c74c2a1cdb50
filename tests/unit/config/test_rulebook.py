"""What people are shown of the rules: the regions of images, by their corners, whichever way they are written."""

from pathlib import Path

from devicehub.config import load_config
from devicehub.config.rulebook import rulebook
from devicehub.model.rulebook import Area

CONFIG = """
[hub]
site = "s"
node = "n"
exercise = true

[[device]]
id = "thermal-1"
driver = "thermal.gy_mcu90640"
port = "sim:"

[[region]]
device = "thermal-1"
name = "panel"
rectangle = [4, 5, 20, 10]

[[region]]
device = "thermal-1"
name = "hinge"
polygon = [[26, 2], [31, 2.5], [28, 12]]
"""


def test_regions_are_told_by_their_corners(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(CONFIG)
    assert rulebook(load_config(path), {}).regions == (
        Area("thermal-1", "panel", ((4, 5), (24, 5), (24, 15), (4, 15))),
        Area("thermal-1", "hinge", ((26, 2), (31, 2.5), (28, 12))),
    )
