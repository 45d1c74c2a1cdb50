"""Serial links: RS-232, CDC-ACM, USB bridges, `socket://` and `rfc2217://`.

pyserial opens and configures the port and holds it exclusively (`flock`); after that a local port is
read and written by the event loop itself. A remote port is read by one thread.

The kernel raises DTR and RTS when it opens a terminal, before anybody can ask for anything else.
A pseudo-terminal has no modem pins; pyserial ignores exactly the ENOTTY (or EINVAL) that setting
them gives there.
"""

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import serial

from devicehub.clock import Clock
from devicehub.driver import SerialLink
from devicehub.model.errors import (
    ConfigError,
    DeviceHubError,
    LinkBusyError,
    LinkMissingError,
    LinkPermissionError,
)
from devicehub.transport.blocking import Blocking
from devicehub.transport.link import LinkIdentity
from devicehub.transport.serial_ports import SerialPort, list_serial_ports, serial_identity
from devicehub.transport.serial_pumps import (
    PATIENCE,
    SYSTEM_ERRORS,
    DescriptorPump,
    Pump,
    ThreadPump,
    read_counted,
    read_socket,
)
from devicehub.wire.packet import Packet

__all__ = ["SerialPort", "SerialTransport", "list_serial_ports", "serial_identity"]

_Opened = tuple[serial.Serial, LinkIdentity]
_REMOTE: Final = ("socket", "rfc2217")
_BUSY: Final = frozenset({errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})
_NO_TERMINAL: Final = frozenset({errno.ENOTTY, errno.EISDIR})


class SerialTransport:
    """An open serial link. See `devicehub.transport.link.Transport`."""

    def __init__(self, pump: Pump, identity: LinkIdentity) -> None:
        """Use `open`."""
        self._pump = pump
        self.identity = identity

    @classmethod
    async def open(cls, link: SerialLink, port: str, *, clock: Clock, blocking: Blocking | None = None) -> Self:
        """Open a device path or a `socket://host:port` or `rfc2217://host:port` URL.

        `blocking`: of the device, shared by all its attempts. Raises `LinkMissingError`, `LinkBusyError`,
        `LinkPermissionError` (the text says what to do) and `ConfigError` for what can never be opened.
        """
        scheme = _scheme(port)
        blocking = blocking or Blocking(port)
        handle, identity = await blocking.run(_opened, link, port, scheme, undo=_close_unwanted)
        pump = _pump(handle, scheme, clock, blocking)
        pump.start()
        return cls(pump, identity)

    async def read(self) -> Packet:
        """All that arrived since the last call, at most 64 KiB. Raises `LinkLostError`."""
        return Packet(await self._pump.inbox.take())

    async def write(self, packet: Packet) -> None:
        """Write in full, in order. Raises `LinkLostError`."""
        await self._pump.write(packet.data)

    async def close(self) -> None:
        """Close the port. Never raises, may be called twice."""
        await self._pump.close()


def _scheme(port: str) -> str:
    """Nothing for a device path. Raises `ConfigError` for a URL that pyserial cannot serve here."""
    if "://" not in port:
        return ""
    parts = urlsplit(port)
    try:
        complete = bool(parts.hostname and parts.port)
    except ValueError:
        complete = False
    if parts.scheme not in _REMOTE or not complete:
        raise ConfigError(f"'{port}' is no port: expected a device path, socket://HOST:PORT or rfc2217://HOST:PORT")
    return parts.scheme


def _opened(link: SerialLink, port: str, scheme: str) -> _Opened:
    return _open(link, port, scheme), serial_identity(port)


def _open(link: SerialLink, port: str, scheme: str) -> serial.Serial:
    try:
        handle: serial.Serial = serial.serial_for_url(port, do_not_open=True)
        handle.baudrate = link.baud
        handle.bytesize = link.bits
        handle.parity = link.parity
        handle.stopbits = link.stop
        handle.rtscts = link.rtscts
        handle.dtr = link.dtr
        handle.timeout = 0 if scheme == "socket" else 0.1
        if scheme:
            handle.write_timeout = PATIENCE if scheme == "socket" else None
        else:
            handle.exclusive = True
        handle.open()
    except SYSTEM_ERRORS as error:
        raise _translated(error, port, scheme) from error
    except ValueError as error:
        raise _refused(error, port, scheme) from error
    return handle


def _close_unwanted(opened: _Opened) -> None:
    opened[0].close()


def _refused(error: ValueError, port: str, scheme: str) -> DeviceHubError:
    """A server that refuses the settings may come to reason; a baud rate that no terminal has never will."""
    if scheme:
        return LinkMissingError(f"{port}: the server refused the line's settings: {error}")
    return ConfigError(f"{port}: {error}")


def _translated(error: Exception, port: str, scheme: str) -> DeviceHubError:
    number = _errno(error)
    if scheme:
        return LinkMissingError(f"{port}: nobody serves it: {error}")
    if number in _BUSY:
        return LinkBusyError(f"{port} is in use by another program")
    if number in _DENIED:
        return LinkPermissionError(f"may not open {port}: {_remedy(port)}")
    if number in _NO_TERMINAL:
        return ConfigError(f"{port} is not a serial port")
    why = "" if number in {None, errno.ENOENT} else f": {os.strerror(number or 0)}"
    return LinkMissingError(f"no device at {port}{why}")


def _errno(error: BaseException) -> int | None:
    """The number of the system's error; pyserial and termios hide it in different places."""
    seen: BaseException | None = error
    while seen is not None:
        number = seen.args[0] if seen.args else None
        if isinstance(number, int):
            return number
        seen = seen.__context__
    return None


def _remedy(port: str) -> str:
    rule = "install the udev rules packaging/60-devicehub.rules"
    try:
        group, mode = Path(port).group(), Path(port).stat().st_mode
    except (OSError, KeyError, NotImplementedError):
        return f"add the user to the group of serial ports (on Debian 'dialout'), or {rule}"
    if group == "root" or not mode & stat.S_IWGRP:
        return rule
    return f"add the user to the group '{group}' (sudo usermod -aG {group} USER, then log in again), or {rule}"


def _pump(handle: serial.Serial, scheme: str, clock: Clock, blocking: Blocking) -> Pump:
    if scheme == "socket":
        return ThreadPump(handle, read_socket, blocking)
    if scheme or sys.platform == "win32":
        return ThreadPump(handle, read_counted, blocking)
    return DescriptorPump(handle, clock)
