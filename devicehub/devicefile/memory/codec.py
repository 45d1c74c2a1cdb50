"""What a codec of a device's memory is, and the codecs by the names that device files call them."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from devicehub.devicefile.memory.gq_gmc import GqGmcLog
from devicehub.devicefile.memory.series import Series
from devicehub.model.errors import ProtocolError


class MemoryCodec(Protocol):
    """Reads one memory from its first byte on. `ended`: what follows was never written."""

    ended: bool

    def feed(self, data: bytes) -> Iterator[Series | ProtocolError]:
        """The records that the next bytes complete, and what of them makes no sense."""
        ...


CODECS: Final[Mapping[str, Callable[[], MemoryCodec]]] = MappingProxyType(
    {"gq-gmc": lambda: GqGmcLog(note=2), "gq-gmc-500": lambda: GqGmcLog(note=4)}
)
