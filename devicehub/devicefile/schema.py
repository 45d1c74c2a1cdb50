"""The tables of a device file. Strict, frozen, no unknown keys; the reference's table of keys is generated from them.

Bytes are written as in `notation`, formulas as in `expression`, conditions as in `condition`.
"""

from typing import Annotated, Literal

from pydantic import Field

from devicehub.devicefile.schema_command import CommandTable
from devicehub.devicefile.schema_memory import MemoryTable
from devicehub.devicefile.schema_message import FieldTable, MessageTable
from devicehub.devicefile.schema_types import Bytes, ChannelName, Condition, Name, Scalar, Template, UnitName, UsbName
from devicehub.tomlfile.section import Section
from devicehub.wire.patience import REST_WITHIN


class LinkTable(Section):
    """How the device is connected."""

    kind: Literal["serial", "usb", "ble"] = Field(description="Serial line, USB transfers or a GATT peripheral")
    usb: Annotated[tuple[UsbName, ...], Field(strict=False)] = Field(
        default=(), description="USB ids, as `10c4:ea60`; of a serial adapter: those that suggest this device"
    )
    baud: int = Field(default=9600, ge=50, le=4_000_000, description="Serial: rate")
    parity: Literal["N", "E", "O"] = Field(default="N", description="Serial: parity")
    stop: Literal[1, 2] = Field(default=1, description="Serial: stop bits")
    rtscts: bool = Field(default=False, description="Serial: hardware handshake")
    endpoint_in: int = Field(default=0x81, ge=0x81, le=0x8F, description="USB: endpoint from the device")
    endpoint_option: Name | None = Field(default=None, description="USB: option that stands for `endpoint_in`")
    endpoint_out: int = Field(default=0x01, ge=0x00, le=0x0F, description="USB: endpoint to the device")
    transfer: int = Field(default=64, ge=1, le=1 << 20, description="USB: bytes of one transfer")
    name: str = Field(default="", description="BLE: beginning of the advertised name")
    service: str = Field(default="", description="BLE: service")
    notify: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="BLE: characteristics to listen to"
    )
    write: str = Field(default="", description="BLE: characteristic that requests are written to")
    acknowledged: bool = Field(default=True, description="BLE: write with response")
    piece: int = Field(default=0, ge=0, le=512, description="BLE: most bytes of one write; 0: the whole request")


class FrameTable(Section):
    """Where a frame begins and ends, and what all frames have in common."""

    kind: Literal["packet", "delimited", "length", "reply"] = Field(
        description="Each packet is one; between delimiters; with its length in it; as long as the request's answer is"
    )
    endian: Literal["little", "big"] = Field(default="little", description="Byte order of all fields that say no other")
    start: Bytes = Field(default="", description="delimited: first bytes")
    end: Bytes = Field(default="", description="delimited: last bytes; the same as `start` for SLIP")
    escape: dict[Bytes, Bytes] = Field(
        default_factory=dict, description="delimited: bytes on the line to the bytes that they stand for"
    )
    strip: Bytes = Field(default="", description="delimited: bytes taken off both ends of a frame, such as CR")
    sync: Bytes = Field(default="", description="length: bytes that each frame begins with")
    at: int = Field(default=0, ge=0, le=64, description="length: offset of the length in the frame")
    width: Literal[1, 2, 3, 4] = Field(default=1, description="length: bytes of the length")
    mask: int = Field(default=0xFFFFFFFF, ge=1, description="length: bits of it that count")
    adjust: int = Field(default=0, ge=-64, le=64, description="length: whole frame less what the length says")
    aside_start: Bytes = Field(
        default="",
        description="length: first bytes of other frames on the same line, without length and check; they and the last "
        "ones are part of it",
    )
    aside_end: Bytes = Field(default="", description="length: last bytes of those")
    rest_within_s: float = Field(
        default=REST_WITHIN, gt=0, le=60, description="length: how long the line may be silent within a frame"
    )
    least: int = Field(default=1, ge=1, description="Fewest bytes of a frame")
    most: int = Field(default=4096, ge=1, le=1 << 20, description="Most bytes of a frame")
    header: Annotated[tuple[FieldTable, ...], Field(strict=False)] = Field(
        default=(), description="Fields that every frame from the device begins with"
    )
    payload_at: int = Field(default=0, ge=0, le=64, description="packet: where the data begins, for `more`")
    payload_size_at: int | None = Field(default=None, description="packet: byte that says how much data there is")
    payload_most: int = Field(default=0, ge=0, le=1024, description="packet: most data in one packet, for `more_at`")
    report: int = Field(default=0, ge=0, le=1024, description="packet: size of every packet, the last ones padded")
    more_at: int | None = Field(default=None, description="packet: byte that says that the frame goes on")
    more_mask: int = Field(default=1, ge=1, le=255, description="packet: bits of that byte")
    more_alike: bool = Field(
        default=False,
        description="packet: the packets of a frame begin alike before `payload_at`, these two bytes aside; one that "
        "does not begins another frame",
    )
    more_within_s: float | None = Field(
        default=None, gt=0, le=60, description="packet: how long the next one of a frame may take"
    )
    request_head: Template = Field(default="", description="Bytes before what a request sends")
    request_tail: Template = Field(default="", description="Bytes behind it, before the check")
    request_adjust: int | None = Field(
        default=None, description="Whole request less what `{length:...}` says, if not as in `adjust`"
    )


class CheckTable(Section):
    """A check value in each frame, and in each request."""

    kind: Literal["crc", "sum", "xor"] = Field(description="Kind of check")
    width: Literal[8, 16, 24, 32] = Field(default=8, description="Bits")
    poly: int = Field(default=0, ge=0, description="crc: polynomial without its highest bit, not reflected")
    init: int = Field(default=0, ge=0, description="Initial value")
    refin: bool = Field(default=False, description="crc: bytes enter lowest bit first")
    refout: bool = Field(default=False, description="crc: as `refin`")
    xorout: int = Field(default=0, ge=0, description="crc: combined with the result")
    augmented: bool = Field(default=True, description="crc: false if no zeros are shifted in behind the message")
    check: int | None = Field(default=None, ge=0, description="Its value over `123456789`, proved at load")
    words: Literal["u8", "u16le", "u16be"] = Field(default="u8", description="sum: what is added")
    modulus: int | None = Field(default=None, ge=2, description="sum: modulus, if not 2 to the width")
    negate: Literal["none", "ones", "twos"] = Field(
        default="none", description="sum: as it is, all ones less the sum, or zero less the sum"
    )
    begin: int = Field(default=0, ge=0, description="First byte of the frame that it covers")
    end: int | None = Field(
        default=None, description="Byte behind the last; 0 or less counts from the end; else up to the check"
    )
    at: int | None = Field(default=None, description="Where it stands, negative from the end; else at the end")
    encoding: Literal["little", "big", "hex"] = Field(default="little", description="Byte order, or hexadecimal digits")
    zero_is_unchecked: bool = Field(default=False, description="A check of 0 means that there is none")
    request: bool = Field(default=True, description="Requests have it too")
    wrong: Literal["refuse", "doubt"] = Field(
        default="refuse",
        description="What becomes of a frame whose check does not match; `doubt`, where nobody published the rule: "
        "its values are uncertain",
    )


class ChannelTable(Section):
    """One thing that the device measures."""

    name: ChannelName = Field(description="Name of the channel; a topic segment")
    title: str = Field(min_length=1, description="What it is, in words")
    kind: Literal["measurement", "state", "spectrum", "image", "scan"] = Field(
        default="measurement", description="What it yields"
    )
    unit: UnitName = Field(default="1", description="UCUM unit")
    low: float | None = Field(default=None, description="Less is physically impossible")
    high: float | None = Field(default=None, description="More is physically impossible")
    resolution: float | None = Field(default=None, gt=0, description="Smallest step")
    states: Annotated[tuple[str, ...], Field(strict=False)] = Field(default=(), description="state: its words")


class OptionTable(Section):
    """A setting that a site may change; put into requests as `{name:u8}`."""

    name: Name = Field(description="Name")
    title: str = Field(min_length=1, description="What it is, in words")
    default: Scalar = Field(description="Value unless the site gives another")
    low: float | None = Field(default=None, description="Least")
    high: float | None = Field(default=None, description="Greatest")


class CounterTable(Section):
    """A number that each request that has it advances."""

    name: Name = Field(description="Name")
    start: int = Field(default=0, ge=0, description="First value")
    modulus: int = Field(default=256, ge=1, description="It begins anew at this")
    plus: int = Field(default=0, ge=0, description="Added to what is sent")


class RequestTable(Section):
    """Something that the device is asked."""

    name: Name = Field(description="Name of the request")
    send: Template = Field(description="What is sent, between `request_head` and `request_tail`")
    replies: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(), description="Messages that answer it; none: it is not answered"
    )
    period_s: float | None = Field(
        default=None, ge=0, description="Every so many seconds; 0: until it was answered once; without: only on demand"
    )
    timeout_s: float = Field(default=1.0, gt=0, le=60, description="How long an answer may take")
    retries: int = Field(default=0, ge=0, le=10, description="How often it is sent again at once")
    size: int | None = Field(default=None, ge=1, le=65536, description="reply: bytes of the answer")
    idle_s: float | None = Field(default=None, gt=0, le=5, description="reply: the answer ends in a silence of so long")
    when: Condition | None = Field(default=None, description="Only while remembered fields are so")
    unless: Condition | None = Field(default=None, description="Not while remembered fields are so")


class ForbiddenTable(Section):
    """A dangerous command of the device: its link refuses it, whoever wants it sent."""

    title: str = Field(min_length=1, description="What it would do")
    send: Template = Field(description="How it begins behind `request_head`; `{any:u8}` is any byte")
    end: Bytes = Field(default="", description="How it ends, its check aside")


class ConversationTable(Section):
    """How the requests follow each other."""

    start: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(), description="Requests sent first, each after the answer to the one before"
    )
    stop: Annotated[tuple[Name, ...], Field(strict=False)] = Field(
        default=(), description="Requests sent when the hub lets go of the device"
    )
    gap_s: float = Field(default=0.0, ge=0, le=10, description="Least time between an answer and the next request")
    again_s: float = Field(default=10.0, gt=0, description="When a request that is asked once is tried again")
    silent_after: int = Field(default=3, ge=1, description="Unanswered requests after which nothing is detected")


class ErrorsTable(Section):
    """What becomes of bytes that make no sense."""

    resync: Literal["next", "idle"] = Field(
        default="next", description="Look for a frame one byte further on, or wait until the line was idle"
    )
    idle_s: float = Field(default=0.1, gt=0, le=5, description="How long an idle line is silent")
    answer: Name | None = Field(default=None, description="Request that is sent when a check fails: NAK")
    reopen_after: int = Field(
        default=0, ge=0, description="Damaged frames in a row after which the link is opened anew; 0: never"
    )


class VectorTable(Section):
    """Bytes and what they mean; checked when the file is loaded and by the tests."""

    hex: Bytes = Field(description="Bytes as they go over the line")
    source: str = Field(min_length=1, description="Where they were seen")
    evidence: Literal["computed", "published", "recording"] = Field(
        default="computed", description="Computed from the protocol, printed in a public source, or sent by a device"
    )
    request: Name | None = Field(default=None, description="The request that they are")
    options: dict[str, Scalar] = Field(default_factory=dict, description="Options and counters of that request")
    message: Name | None = Field(default=None, description="The message that they are")
    decoded: dict[str, object] = Field(default_factory=dict, description="Fields and what they are")
    samples: Annotated[tuple[str, ...], Field(strict=False)] | None = Field(
        default=None, description="What is made of it, one line each as in a transcript"
    )
    fault: str | None = Field(default=None, description="Why they are refused, as in a transcript")
    forbidden: str | None = Field(default=None, description="The `[[forbidden]]` command that they are, by its title")


class SimulateTable(Section):
    """The device itself, from the same description."""

    model: str = Field(default="constant", description="Physical model that gives the quantities")
    options: dict[str, Scalar] = Field(default_factory=dict, description="Parameters of the model")
    values: dict[str, dict[str, object]] = Field(
        default_factory=dict, description="By message: field to a number, words, or a formula of the model's quantities"
    )
    when: dict[str, Condition] = Field(
        default_factory=dict, description="By message: it is said only if this holds of the quantities"
    )
    on: dict[str, str] = Field(default_factory=dict, description="By message: sent when the model has this event")
    every_s: dict[str, float] = Field(default_factory=dict, description="By message: sent unasked every so often")


class DeviceFile(Section):
    """A device file."""

    format: Literal[1] = Field(description="Version of this language")
    title: str = Field(min_length=1, description="The device, in words")
    source: str = Field(min_length=1, description="The public document that this is written from")
    untested: bool = Field(default=False, description="There are no vectors; all that it yields says so")
    capabilities: Annotated[tuple[ChannelName, ...], Field(strict=False)] = Field(
        default=(), description="What it detects"
    )
    stale_after_s: float = Field(default=10.0, gt=0, description="Silence in seconds after which its values are stale")
    quiet: bool = Field(default=False, description="It speaks only when somebody uses it")
    plausibility: str = Field(
        default="",
        description="Where no check is a CRC, or a frame may be without: what damage passes, swapped bytes above all; "
        "behind a semicolon what carries the integrity in its stead",
    )
    self_tests: bool = Field(
        default=False, description="It tests itself: a capability's cause is then `self-test-failed` when that failed"
    )
    link: LinkTable = Field(description="How it is connected")
    frame: FrameTable = Field(description="Where frames begin and end")
    check: Annotated[tuple[CheckTable, ...], Field(strict=False)] = Field(default=(), description="Check values")
    channel: Annotated[tuple[ChannelTable, ...], Field(strict=False)] = Field(description="What it measures")
    option: Annotated[tuple[OptionTable, ...], Field(strict=False)] = Field(default=(), description="Settings")
    counter: Annotated[tuple[CounterTable, ...], Field(strict=False)] = Field(default=(), description="Counters")
    message: Annotated[tuple[MessageTable, ...], Field(strict=False)] = Field(description="Frames from the device")
    request: Annotated[tuple[RequestTable, ...], Field(strict=False)] = Field(default=(), description="Requests")
    command: Annotated[tuple[CommandTable, ...], Field(strict=False)] = Field(
        default=(), description="What it can be told"
    )
    forbidden: Annotated[tuple[ForbiddenTable, ...], Field(strict=False)] = Field(default=(), description="Never sent")
    memory: Annotated[tuple[MemoryTable, ...], Field(strict=False)] = Field(default=(), description="Its memory")
    conversation: ConversationTable = Field(default=ConversationTable(), description="Order of requests")
    errors: ErrorsTable = Field(default=ErrorsTable(), description="What becomes of damaged bytes")
    vector: Annotated[tuple[VectorTable, ...], Field(strict=False)] = Field(default=(), description="Proofs")
    simulate: SimulateTable = Field(default=SimulateTable(), description="The simulated device")
