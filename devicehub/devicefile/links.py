"""A simulated device on its link: what `devicehub.simulator` asks of each kind."""

from collections import deque
from random import Random

from devicehub.devicefile.compiled import Compiled
from devicehub.devicefile.simulate import Device
from devicehub.simulator import AnySimulator, Endpoint, Interface, SimulatorFactory, StallError, UsbDescriptor

_NOTIFICATION = 20
_QUEUE = 256
_HID, _VENDOR = 0x03, 0xFF
_SET_IDLE = (0x21, 0x0A)


class _Serial:
    def __init__(self, device: Device) -> None:
        self._device = device
        self.do = device.do

    def on_bytes(self, data: bytes) -> bytes:
        """The host wrote; the answers."""
        return b"".join(self._device.receive(data))

    def advance(self, dt: float) -> bytes:
        """What it says of its own accord."""
        return b"".join(self._device.advance(dt))


class _Ble:
    def __init__(self, device: Device, compiled: Compiled) -> None:
        link = compiled.file.link
        self._device = device
        self._link = link
        self._whole = compiled.file.frame.kind == "packet"
        self.do = device.do
        self.name = f"{link.name}-000123"
        characteristics: list[tuple[str, tuple[str, ...]]] = [(one, ("notify",)) for one in link.notify]
        if link.write and link.write not in link.notify:
            characteristics.append((link.write, ("write", "write-without-response")))
        self.services: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {link.service: tuple(characteristics)}

    def on_write(self, characteristic: str, data: bytes) -> list[tuple[str, bytes]]:
        """The host wrote; the notifications that answer."""
        return self._notified(self._device.receive(data)) if characteristic == self._link.write else []

    def advance(self, dt: float) -> list[tuple[str, bytes]]:
        """Notifications of its own accord."""
        return self._notified(self._device.advance(dt))

    def _notified(self, frames: list[bytes]) -> list[tuple[str, bytes]]:
        port = self._link.notify[0]
        if self._whole:
            return [(port, frame) for frame in frames]
        return [
            (port, frame[at : at + _NOTIFICATION]) for frame in frames for at in range(0, len(frame), _NOTIFICATION)
        ]


class _Usb:
    def __init__(self, device: Device, compiled: Compiled) -> None:
        file = compiled.file
        self._device = device
        self._link = file.link
        self._reports = file.frame.report > 0
        self._ready: deque[bytes] = deque(maxlen=_QUEUE)
        self.do = device.do
        vendor, product = (int(part, 16) for part in file.link.usb[0].split(":"))
        endpoints = [Endpoint(file.link.endpoint_in, "interrupt", min(file.link.transfer, 512))]
        if any(request.send for request in file.request):
            endpoints.append(Endpoint(file.link.endpoint_out, "interrupt", min(file.link.transfer, 512)))
        self.descriptor = UsbDescriptor(
            vendor=vendor,
            product=product,
            title=file.title,
            interfaces=(Interface(0, 0, (_HID if self._reports else _VENDOR, 0, 0), tuple(endpoints)),),
        )

    def control_in(self, request_type: int, request: int, value: int, index: int, size: int) -> bytes:
        """Nothing is read over the control endpoint. Raises `StallError`."""
        del request_type, request, value, index, size
        raise StallError

    def control_out(self, request_type: int, request: int, value: int, index: int, data: bytes) -> None:
        """SET_IDLE, which the kernel asks of reports, is taken. Raises `StallError` for all else."""
        del value, index, data
        if not self._reports or (request_type, request) != _SET_IDLE:
            raise StallError

    def transfer_in(self, endpoint: int, size: int) -> bytes | None:
        """The next piece of what it says."""
        if endpoint != self._link.endpoint_in or not self._ready:
            return None
        frame = self._ready.popleft()
        if len(frame) > size:
            self._ready.appendleft(frame[size:])
        return frame[:size]

    def transfer_out(self, endpoint: int, data: bytes) -> None:
        """The host wrote. Raises `StallError` for an endpoint that is not there."""
        if len(self.descriptor.interfaces[0].endpoints) < 2 or endpoint != self._link.endpoint_out:
            raise StallError
        self._ready += self._device.receive(data)

    def advance(self, dt: float) -> None:
        """Time passes."""
        self._ready += self._device.advance(dt)


def simulator(compiled: Compiled) -> SimulatorFactory:
    """The factory of a simulated device."""

    def make(random: Random) -> AnySimulator:
        device = Device(compiled, random)
        match compiled.file.link.kind:
            case "ble":
                return _Ble(device, compiled)
            case "usb":
                return _Usb(device, compiled)
            case _:
                return _Serial(device)

    return make
