"""`mqtt.tls_minimum`: 1.3 unless somebody says otherwise, and only where there is TLS."""

import ssl
from pathlib import Path

import pytest

from devicehub.config import Config, ConfigProblems, load_config
from devicehub.config.broker import broker_settings
from devicehub.config.load import digest

HUB = '[hub]\nsite = "s"\nnode = "n"\n[mqtt]\n'


def loaded(folder: Path, mqtt: str) -> Config:
    path = folder / "hub.toml"
    path.write_text(HUB + mqtt)
    return load_config(path)


@pytest.mark.parametrize(
    ("line", "minimum"),
    [
        ("", ssl.TLSVersion.TLSv1_3),
        ('tls_minimum = "1.3"', ssl.TLSVersion.TLSv1_3),
        ('tls_minimum = "1.2"', ssl.TLSVersion.TLSv1_2),
    ],
)
def test_tls_1_3_is_the_least_unless_1_2_is_allowed(tmp_path: Path, line: str, minimum: ssl.TLSVersion) -> None:
    settings = broker_settings(loaded(tmp_path, f'url = "mqtts://broker"\n{line}\n'))
    assert settings.tls is not None
    assert settings.tls.minimum_version is minimum
    assert settings.tls.verify_mode is ssl.CERT_REQUIRED
    assert settings.tls.check_hostname


@pytest.mark.parametrize("version", ["1.1", "1.4", "tlsv1.2", ""])
def test_another_version_is_a_mistake(tmp_path: Path, version: str) -> None:
    with pytest.raises(ConfigProblems, match="tls_minimum"):
        loaded(tmp_path, f'url = "mqtts://broker"\ntls_minimum = "{version}"\n')


@pytest.mark.parametrize("url", ["", "mqtt://broker"])
def test_it_is_a_mistake_where_there_is_no_tls(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigProblems, match="tls_minimum"):
        loaded(tmp_path, f'url = "{url}"\ntls_minimum = "1.2"\n')


def test_weakening_tls_shows_in_the_digest_of_the_configuration(tmp_path: Path) -> None:
    strict = digest(loaded(tmp_path, 'url = "mqtts://broker"\n'))
    assert digest(loaded(tmp_path, 'url = "mqtts://broker"\ntls_minimum = "1.2"\n')) != strict
