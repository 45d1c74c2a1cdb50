"""The configuration's own words for what pydantic finds wrong."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ValidationError

from devicehub.config.limits import CHANNEL, NO_OR_CHANNEL, REFERENCE
from devicehub.config.models import URL, USB, Config, Secret
from devicehub.config.rules_head import SAID
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint
from devicehub.tomlfile.section import SEGMENT
from devicehub.tomlfile.words import Wording
from devicehub.tomlfile.words import complaints as in_words

_CHANNEL = "must be a channel's name, for an image followed by .min, .mean, .max or .p95"
_PATTERNS: Final = MappingProxyType(
    {
        SEGMENT: "must be 1 to 64 characters of a-z, 0-9 and '-'",
        "^[a-z0-9-]{0,64}$": "must be at most 64 characters of a-z, 0-9 and '-'",
        USB: 'must be vendor:product in lower-case hexadecimal, as "10c4:ea60"',
        URL: "must be mqtt://host[:port] or mqtts://host[:port]",
        SAID: "must not be empty",
        CHANNEL: _CHANNEL,
        NO_OR_CHANNEL: _CHANNEL,
        REFERENCE: "must be a channel's name, or a device's and a channel's with '/' between them",
        "^[A-Za-z0-9._-]{1,128}$": "must be a credential's name of A-Z, a-z, 0-9, '.', '_' and '-'",
        "^[A-Za-z_][A-Za-z0-9_]*$": "must be the name of an environment variable",
    }
)
_CREDENTIALS = "must not hold user name and password: they belong in mqtt.username and mqtt.password"


def complaints(
    error: ValidationError, root: type[BaseModel] = Config, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Complaint]:
    """Each of pydantic's errors about a `root`, in plain words and with a suggestion where there is one.

    `more`: what the regular expressions of a `root` that is not of the configuration ask for.
    """
    missing: dict[KeyPath, str] = {("hub",): "; add [hub] with site and node"}
    return in_words(error, root, Wording({**_PATTERNS, **more}, missing, Secret, {("mqtt", "url"): _CREDENTIALS}))
