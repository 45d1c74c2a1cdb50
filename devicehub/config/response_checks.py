"""Whether response steps fit the devices, and each other."""

from collections.abc import Iterator

from devicehub.config.models import Config
from devicehub.config.responses import LANGUAGES
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, key_text, suggestion, value_mistake


def response_complaints(config: Config) -> Iterator[Complaint]:
    """Every mistake of responses: for nothing, for what is not there, twice for the same, steps without translation."""
    ids = [device.id for device in config.device]
    taken: set[str] = set()
    for number, response in enumerate(config.response):
        path: KeyPath = ("response", number)
        if not [*response.places()]:
            yield Complaint(path, f"{key_text(path)}: needs points or a category that it is for")
        for place in response.places():
            key = "category" if place.startswith("category:") else "points"
            shown, device = place.removeprefix("category:"), place.partition("/")[0]
            if place in taken:
                yield value_mistake((*path, key), shown, "another [[response]] is for that")
            elif key == "points" and device not in ids:
                near = suggestion(device, ids) or "; it must be the id of a [[device]]"
                yield value_mistake((*path, key), shown, f"no such device{near}")
            taken.add(place)
        for language, steps in response.texts().items():
            if len(steps) != len(response.en):
                where = (*path, LANGUAGES[language])
                text = f"{key_text(where)}: has {len(steps)} steps, and en has {len(response.en)}"
                yield Complaint(where, text)
