"""Where the configuration is when no file is named. Light: most commands ask, few read it."""

import os
from pathlib import Path

NAME = "devicehub.toml"


def usual_config() -> Path:
    """Where the configuration is looked for when no file is named.

    `DEVICEHUB_CONFIG`, else `devicehub.toml` in the current folder, else in `/etc/devicehub`.
    """
    given = os.environ.get("DEVICEHUB_CONFIG")
    if given:
        return Path(given)
    here = Path(NAME)
    system = Path("/etc/devicehub") / NAME
    return system if system.exists() and not here.exists() else here
