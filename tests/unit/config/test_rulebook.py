"""What people are shown beside the rules: regions of images by their corners, the day of a device's verification."""

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


VERIFIED = """
[[preflight]]
device = "thermal-1"
calibration_due = 2026-11-30
"""


def test_the_last_day_of_a_verification_is_told_by_device(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(CONFIG + VERIFIED)
    assert rulebook(load_config(path), {}).due == {"thermal-1": "2026-11-30"}


def test_regions_are_told_by_their_corners(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(CONFIG)
    assert rulebook(load_config(path), {}).regions == (
        Area("thermal-1", "panel", ((4, 5), (24, 5), (24, 15), (4, 15))),
        Area("thermal-1", "hinge", ((26, 2), (31, 2.5), (28, 12))),
    )
