"""The watch list: keyed hashes of what is looked for, so that whoever reads the list learns nothing from it. Pure.

An entry is HMAC-SHA-256 of a text, or of issuer and number of a document, with the key of the scan hash.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Final, Self

from msgspec import Struct

from devicehub.core.mrz import identity
from devicehub.model.alarm import Condition
from devicehub.model.reading import DeviceAlarm

POINT: Final = "watchlist"
_PROOF: Final = b"devicehub watch list"


class WatchList(Struct, frozen=True):
    """What is looked for. `digests` are entries of 32 bytes.

    `label` is all that an alarm says of it, beside `rules`: a SHA-256 by which it can be told later which list it was.
    """

    label: str
    digests: frozenset[bytes]
    rules: str

    @classmethod
    def of(cls, label: str, entries: Iterable[bytes]) -> Self:
        """A list; the same entries give the same `rules` in any order."""
        digests = frozenset(entries)
        content = label.encode() + b"\n" + b"".join(sorted(digests))
        return cls(label, digests, "sha256:" + hashlib.sha256(content).hexdigest())

    def has(self, data: bytes, key: bytes) -> bool:
        """Whether a scan is on the list; the time it takes does not depend on how long the list is."""
        return any(keyed(text, key) in self.digests for text in _looked_up(data))


def entry(text: str, key: bytes) -> bytes:
    """The entry of something to look for: a machine-readable zone counts by issuer and number, else the text itself."""
    return keyed((identity(text) or text.strip()).encode(), key)


def keyed(data: bytes, key: bytes) -> bytes:
    """HMAC-SHA-256, 32 bytes."""
    return hmac.digest(key, data, hashlib.sha256)


def proof(key: bytes) -> bytes:
    """What tells whether a list was made with this key, and does not tell the key."""
    return keyed(_PROOF, key)


def alarms(watch: WatchList) -> tuple[DeviceAlarm, DeviceAlarm]:
    """The alarm of a hit. A scan has no duration: it comes, is over at once, and stays until somebody has closed it."""
    comes = DeviceAlarm(POINT, active=True, text=watch.label, condition=Condition.LISTED)
    return comes, DeviceAlarm(POINT, active=False, text=watch.label, condition=Condition.LISTED)


def _looked_up(data: bytes) -> Iterator[bytes]:
    """As it was read, without the white space around it, and as the document it is."""
    yield data
    text = data.decode("utf-8", "backslashreplace")
    yield text.strip().encode()
    document = identity(text)
    if document is not None:
        yield document.encode()
