"""Small devices for the tests of the USB edge."""

from collections import defaultdict, deque

from devicehub.simulator import Endpoint, Interface, StallError, UsbDescriptor


class Echo:
    """Two bulk IN endpoints fed by the test, one OUT endpoint that comes back on 0x81, and a few control requests.

    Requests: 1 gives what 2 wrote; 3 stalls.
    """

    def __init__(self, serial: str = "E-1", alternates: int = 1) -> None:
        endpoints = (Endpoint(0x81), Endpoint(0x82, "interrupt", 64), Endpoint(0x02))
        settings = [Interface(0, 0, endpoints=endpoints)]
        settings += [Interface(0, number, endpoints=endpoints) for number in range(1, alternates)]
        self.descriptor = UsbDescriptor(
            vendor=0x1209, product=0x0001, serial=serial, manufacturer="Test", title="Echo", interfaces=tuple(settings)
        )
        self.ready: dict[int, deque[bytes]] = defaultdict(deque)
        self.written: list[bytes] = []
        self.stalls: dict[int, int] = {}
        self.selected: list[tuple[int, int]] = []
        self._memory = b""

    def do(self, verb: str, **values: float | str) -> None:
        raise ValueError(verb)

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        if request != 1:
            raise StallError
        return self._memory[:size]

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        if (request_type, request) == (0x01, 0x0B):
            self.selected.append((index, value))
        elif request == 2:
            self._memory = data
        else:
            raise StallError

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        if self.stalls.get(endpoint, 0) > 0:
            self.stalls[endpoint] -= 1
            raise StallError
        return self.ready[endpoint].popleft()[:size] if self.ready[endpoint] else None

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        self.written.append(data)
        self.ready[0x81].append(data)

    def advance(self, dt: float) -> None:
        return None
