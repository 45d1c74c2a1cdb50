"""What an input of Atheris means: a few bytes that reach any place of any packet, however large.

    byte 0   bits 0-1 what (`LITERAL` and those behind it), 2 checks are made right again behind the edits,
             3 on another port than its own, 4-7 how long after the last; which port, of what comes next
    byte 1   not of what comes next: which packet that is recorded; which port
    then     the bytes of a literal packet; of another its edits, each
                 byte 0      bits 0-5 what (`EDITS`), 6 whether within `NEAR` bytes of an end, 7 whether from the end
                 bytes 1-3   where, most significant first, within the packet as it is then
                 byte 4      how much; what is put there follows, at most `PUT` bytes

An edit that ends early is finished with its own CRC-32, so that each byte more or less is an edit somewhere else.
"""

import zlib

LITERAL, RECORDED, NEXT = range(3)
"""Bytes as they stand; a recorded packet by its number; from here on the next of the conversation that a life is in."""
WHAT, SEALED, ELSEWHERE, TIME = 3, 4, 8, 4
EDIT = 5
KIND, CLOSE, FROM_END = 0x3F, 0x40, 0x80
NEAR = 1023
PUT = 0x0F
FILLED = TEETH = 256
EXTREMES = (0x00, 0x01, 0x7F, 0x80, 0xFF)
GROWN = 32


def edited(packet: bytes, edits: bytes) -> bytes:
    """A packet with edits, one after the other until it has grown by `GROWN`."""
    if not edits:
        return packet
    data, at = bytearray(packet), 0
    while at < len(edits) and len(data) <= len(packet) + GROWN:
        head = edits[at : at + EDIT]
        if len(head) < EDIT:
            head = (head + zlib.crc32(head).to_bytes(4, "big"))[:EDIT]
        what, much, at = head[0], head[4], at + EDIT
        size = min(len(data), NEAR) if what & CLOSE else len(data)
        where = int.from_bytes(head[1:4], "big") % (size + 1)
        edit = EDITS[(what & KIND) % len(EDITS)]
        at += edit(data, len(data) - where if what & FROM_END else where, much, edits[at : at + (much & PUT)])
    return bytes(data)


def _flip(data: bytearray, at: int, much: int, _: bytes) -> int:
    if at < len(data):
        data[at] ^= much or 0xFF
    return 0


def _replace(data: bytearray, at: int, _: int, new: bytes) -> int:
    data[at : at + len(new)] = new
    return len(new)


def _fill(data: bytearray, at: int, much: int, _: bytes) -> int:
    data[at : at + FILLED] = bytes([_value(much)]) * len(data[at : at + FILLED])
    return 0


def _comb(data: bytearray, at: int, much: int, _: bytes) -> int:
    step = len(data) // TEETH + 1
    data[at % step :: step] = bytes([_value(much)]) * len(data[at % step :: step])
    return 0


def _value(much: int) -> int:
    return EXTREMES[much % 8] if much % 8 < len(EXTREMES) else much


def _insert(data: bytearray, at: int, _: int, new: bytes) -> int:
    data[at:at] = new
    return len(new)


def _delete(data: bytearray, at: int, much: int, _: bytes) -> int:
    del data[at : at + much]
    return 0


def _truncate(data: bytearray, at: int, *_: object) -> int:
    del data[at:]
    return 0


def _behead(data: bytearray, at: int, *_: object) -> int:
    del data[:at]
    return 0


def _repeat(data: bytearray, at: int, much: int, _: bytes) -> int:
    data[at:at] = data[at : at + much]
    return 0


EDITS = (
    *(_flip, _flip, _replace, _replace, _fill, _fill, _comb, _comb),
    *(_insert, _delete, _truncate, _behead, _repeat),
)
"""Those that leave a packet as long as it was are more: what has another length is often looked at no further."""
