"""Several mistakes at once, and files that cannot be read as a configuration at all."""

from pathlib import Path

from tests.unit.config.test_problems import GAMMA, HUB, problems


def test_mistakes_between_keys_are_told_beside_those_of_single_values(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    limits = (
        '[[limit]]\ndevice = "gama-1"\nchannel = "dose"\nhigh = "x"\n[[limit]]\ndevice = "gamma-1"\nchannel = "dos"\n'
    )
    path.write_text('[hub]\nsite = "S"\n' + GAMMA + GAMMA + '[[device]]\nid = "d"\ndriver = "thermal.gy"\n' + limits)
    assert problems(path) == [
        "1:2  hub.node: missing; This workstation within the site; a topic segment",
        "2:1  hub.site = \"S\": must be 1 to 64 characters of a-z, 0-9 and '-'",
        '7:1  device[1].id = "gamma-1": already used by device[0]',
        "11:1  device[2].driver = \"thermal.gy\": no such driver; did you mean 'thermal.gy_mcu90640'?",
        "13:1  limit[0].device = \"gama-1\": no such device; did you mean 'gamma-1'?",
        '15:1  limit[0].high = "x": must be a number',
        "18:1  limit[1].channel = \"dos\": no such channel to limit; did you mean 'dose'?",
    ]


def test_what_hangs_on_a_wrong_value_is_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    limit = '[[limit]]\ndevice = "a"\nchannel = "dose"\nhigh = 1\n'
    path.write_text(HUB + '[[device]]\nid = "a"\ndriver = 4\noptions = { x = 1 }\n' + limit)
    assert problems(path) == ["6:1  device[0].driver = 4: must be text in quotes"]
    path.write_text(HUB + '[[device]]\nid = 4\ndriver = "radiation.atom_fast"\n' + limit)
    assert problems(path) == ["5:1  device[0].id = 4: must be text in quotes"]
    path.write_text(HUB + "device = 3\n" + limit)
    assert problems(path)[0] == "4:1  hub.device: unknown key; did you mean 'device_files'?"
    path.write_text("device = [3]\n" + HUB + limit)
    assert "1:11  device[0] = 3: must be a table" in problems(path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.toml") == ["1:1  no such file; 'devicehub config init' writes one"]


def test_a_folder_is_not_a_configuration(tmp_path: Path) -> None:
    assert problems(tmp_path) == ["1:1  cannot be read: Is a directory"]


def test_bytes_that_are_not_utf8_are_located(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_bytes(b'[hub]\nsite = "Merdar\xeb"\n')
    assert problems(path) == ["2:15  not UTF-8 text: byte 0xeb"]


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "devicehub.toml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert problems(path) == ["1:1  larger than 1048576 bytes"]
