"""The key of the scan hash on a real disk: whole or not there, and the same for ever."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devicehub.clock import Clock
from devicehub.config.scan_key import SIZE, kept_key
from devicehub.model.errors import ConfigError
from tests.patience import PATIENCE
from tests.real.journals import full_disk

pytestmark = pytest.mark.real

# Ends at the worst moment: after the file was made, before the key is in it.
_CRASH = """
import os, sys
from pathlib import Path
from devicehub.config.scan_key import kept_key

os.fsync = lambda handle: os._exit(9)
kept_key(Path(sys.argv[1]), os.urandom)
"""


def test_a_key_is_made_once_and_only_its_user_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "scan.key"
    key = kept_key(path, Clock(seed=1).token)
    assert len(key) == SIZE
    assert kept_key(path, Clock(seed=2).token) == key == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["scan.key"]


def test_a_crash_while_it_is_made_leaves_none_and_the_next_start_makes_one(tmp_path: Path) -> None:
    path = tmp_path / "scan.key"
    ended = subprocess.run([sys.executable, "-c", _CRASH, str(path)], check=False, timeout=PATIENCE)
    assert ended.returncode == 9
    assert not path.exists()
    assert len(kept_key(path, Clock().token)) == SIZE
    assert [each.name for each in tmp_path.iterdir()] == ["scan.key"]


def test_a_full_disk_leaves_none(tmp_path: Path) -> None:
    path = tmp_path / "scan.key"
    with full_disk(), pytest.raises(ConfigError, match=r"scan\.key"):
        kept_key(path, Clock().token)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"k" * (SIZE - 1)])
def test_what_is_too_short_to_be_a_key_is_refused_by_name_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scan.key"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"{path}: {len(content)} bytes are no key"):
        kept_key(path, Clock().token)
    assert path.read_bytes() == content


def test_a_longer_key_of_the_site_s_own_is_taken(tmp_path: Path) -> None:
    (tmp_path / "scan.key").write_bytes(b"k" * 64)
    assert kept_key(tmp_path / "scan.key", Clock().token) == b"k" * 64
