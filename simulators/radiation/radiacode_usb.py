"""RadiaCode over USB: the device of `radiacode` behind two bulk endpoints."""

from random import Random

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor
from simulators.radiation.radiacode import UUID_WRITE, RadiaCodeSim

_OUT, _IN = 0x01, 0x81


class RadiaCodeUsbSim:
    """Verbs: those of `RadiaCodeSim`, and `leftover`, which leaves half an answer to somebody else in the device."""

    descriptor = UsbDescriptor(
        vendor=0x0483,
        product=0xF123,
        serial="RC-102-000123",
        manufacturer="Scan-Electronics",
        title="RadiaCode-102",
        interfaces=(Interface(0, endpoints=(Endpoint(_IN, size=64), Endpoint(_OUT, size=64))),),
    )

    def __init__(self, random: Random) -> None:
        self._device = RadiaCodeSim(random)
        self._outbox = b""

    def do(self, verb: str, **values: float | str) -> None:
        """Change the simulated world."""
        if verb == "leftover":
            self._outbox += bytes(77)
        else:
            self._device.do(verb, **values)

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """It has no vendor requests."""
        del request_type, request, value, index, size
        raise StallError

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """It has no vendor requests."""
        del request_type, request, value, index, data
        raise StallError

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """A piece of an answer."""
        if endpoint != _IN or not self._outbox:
            return None
        piece, self._outbox = self._outbox[:size], self._outbox[size:]
        return piece

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """A request. Raises `StallError`."""
        if endpoint != _OUT:
            raise StallError
        self._outbox += b"".join(value for _, value in self._device.on_write(UUID_WRITE, data))

    def advance(self, dt: float) -> None:
        """`dt` seconds pass."""
        self._device.advance(dt)


SIMULATOR = RadiaCodeUsbSim
