"""Whether desks and devices fit each other."""

from collections.abc import Iterator

from devicehub.config.models import Config
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, suggestion, value_mistake


def desk_complaints(config: Config) -> Iterator[Complaint]:
    """Every mistake of desks: names that are used twice, devices that are not there or that sit at another desk."""
    ids = [device.id for device in config.device]
    desks: set[str] = set()
    taken: dict[str, str] = {}
    for number, desk in enumerate(config.desk):
        path: KeyPath = ("desk", number)
        if desk.id in desks:
            yield value_mistake((*path, "id"), desk.id, "another [[desk]] has that name")
        desks.add(desk.id)
        for device in desk.devices:
            if device not in ids:
                near = suggestion(device, ids) or "; it must be the id of a [[device]]"
                yield value_mistake((*path, "devices"), device, f"no such device{near}")
            elif device in taken:
                yield value_mistake((*path, "devices"), device, f"it belongs to desk '{taken[device]}' already")
            taken.setdefault(device, desk.id)
