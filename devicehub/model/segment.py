"""Topic segments of any text, and texts that can be encoded: what devices and operating systems name things is neither.

A segment matches `[a-z0-9-]{1,64}`, so that `+`, `#`, `/`, NUL and device-supplied names never reach a topic.
"""

import re
import unicodedata
from hashlib import blake2b

SEGMENT = re.compile(r"[a-z0-9-]{1,64}")
_OTHER = re.compile(r"[^a-z0-9]+")
_MOST = 64
_DIGEST_BYTES = 6


def segment(text: str) -> str:
    """A legal topic segment for any text.

    Text that is legal already is returned as it is. Anything else keeps its legible part and gets a
    48-bit digest of the whole text, so that two texts do not meet in one segment.
    """
    if SEGMENT.fullmatch(text):
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    legible = _OTHER.sub("-", plain)[: _MOST - len(digest) - 1].strip("-")
    return f"{legible}-{digest}" if legible else digest


def unicode_text(text: str) -> str:
    """The text with lone surrogates (of file names and USB descriptors) spelled out: such a text can be encoded."""
    return text.encode("utf-8", "backslashreplace").decode()
