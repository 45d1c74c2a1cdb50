"""A packet: bytes and the port they belong to.

`port` is "" for a serial line; a GATT characteristic UUID for BLE; a file name for a watch folder;
for video `frame:FOURCC:WIDTHxHEIGHT` (a FourCC without its trailing spaces), `frame-error` (a buffer the
kernel flagged as damaged, no data) or `key` (snapshot button, one byte: 1 pressed, 0 released); for a network
`udp:PORT` to a port of the device, `udp` or `tcp` from it, `local` (once, the own port in decimal); and for USB one of

    in:EP:SIZE                   ask for one bulk or interrupt transfer of at most SIZE bytes
    in:EP                        what came from that endpoint
    out:EP                       one bulk or interrupt transfer to the device
    ctl:RT:RQ:VALUE:INDEX        control transfer to the device, `data` is its data stage
    ctl:RT:RQ:VALUE:INDEX:SIZE   control transfer from the device; the answer carries the same port
    halt:EP                      clear the halt condition of an endpoint, forget the reads that wait there
    stall:RT:RQ:...              what comes instead of an answer when the device stalls that control transfer
    stall:EP                     the same of a read, where a device is only listened to: no halt is cleared there

with EP, RT (bmRequestType), RQ (bRequest), VALUE and INDEX in hexadecimal and SIZE in decimal.
Every USB transfer is asked for by the protocol; nothing is read that nobody wants.
"""

from msgspec import Struct


class Packet(Struct, frozen=True):
    """Bytes to or from one port of a link."""

    data: bytes
    port: str = ""


def usb_read(endpoint: int, size: int) -> Packet:
    """Ask for one transfer of at most `size` bytes from an IN endpoint (address with bit 7 set)."""
    return Packet(b"", f"in:{endpoint:02x}:{size}")


def usb_write(endpoint: int, data: bytes) -> Packet:
    """One bulk or interrupt transfer to an OUT endpoint."""
    return Packet(data, f"out:{endpoint:02x}")


def control_write(request_type: int, request: int, value: int, index: int, data: bytes = b"") -> Packet:
    """A control transfer with a data stage to the device."""
    return Packet(data, f"ctl:{request_type:02x}:{request:02x}:{value:04x}:{index:04x}")


def control_read(request_type: int, request: int, value: int, index: int, size: int) -> Packet:
    """A control transfer with a data stage of at most `size` bytes from the device."""
    return Packet(b"", f"ctl:{request_type:02x}:{request:02x}:{value:04x}:{index:04x}:{size}")


def clear_halt(endpoint: int) -> Packet:
    """Clear the halt condition of an endpoint and forget the reads that wait there."""
    return Packet(b"", f"halt:{endpoint:02x}")


def usb_port(endpoint: int) -> str:
    """The port under which data from an IN endpoint arrives."""
    return f"in:{endpoint:02x}"


def frame_port(fourcc: str, width: int, height: int) -> str:
    """The port under which a video frame of that format arrives."""
    return f"frame:{fourcc.rstrip()}:{width}x{height}"
