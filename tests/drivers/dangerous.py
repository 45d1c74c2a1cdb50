"""Commands that must never reach a device, by driver: those that sources call dangerous, and others that nobody asks."""

from collections.abc import Mapping
from types import MappingProxyType

from devicehub.devicefile.load import load
from devicehub.devicefile.notation import parse_template
from devicehub.registry import device_files
from devicehub.wire.packet import Packet, control_write
from drivers.trace.aci_pids3 import encode

DANGEROUS: Mapping[str, tuple[Packet, ...]] = MappingProxyType(
    {
        "thermal.seek_compact": tuple(control_write(0x41, number, 0, 0, b"\0\0") for number in (79, 80, 81, 82, 87)),
        "thermal.seek_compact_pro": tuple(control_write(0x41, number, 0, 0) for number in (79, 80, 81, 82, 87)),
        "thermal.gy_mcu90640": (Packet(bytes.fromhex("a565010b")),),
        "thermal.flir_boson_control": tuple(
            Packet(bytes.fromhex(f"8e0000000001{function:08x}ffffffff0000ae"))
            for function in (0x00050018, 0x0005001B, 0x00050012, 0x00050014, 0x000E000D, 0x00050099)
        ),
        "thermal.thermal_master_p3": (
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("012f41000000000000000000000000003c3a")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("050801000000000000000000000000000000")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("018201000000000000000000000000000000")),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes(8)),
            Packet(bytes(8), "out:01"),
        ),
        "thermal.infiray_p2pro_control": (
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0508000000000000")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("01c2000000000100")),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0182000000000100")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("0fc1000000000008")),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0a01000000000000")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("14c5000500000000")),  # the gain
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("09c4000000000001")),  # the palette
            control_write(0x41, 0x45, 0x78, 0x1D08, b"\x03"),  # which one
            control_write(0x41, 0x45, 0x78, 0x1D08, bytes(8)),
            control_write(0x41, 0x45, 0x78, 0x1D08, bytes(7) + b"\x02\n"),
            control_write(0x41, 0x45, 0x78, 0x1D00, bytes.fromhex("0584060000000031")),
            control_write(0x41, 0x45, 0x78, 0x9D00, bytes.fromhex("0584060000000030")),
            control_write(0x41, 0x45, 0x78, 0x9D08, bytes(64)),
            control_write(0x41, 0x45, 0x78, 0x1D64, bytes(8)),
            control_write(0x41, 0x20, 0, 0, bytes(18)),
            control_write(0x01, 0x0B, 1, 1),
            Packet(b"", "in:81:512"),
        ),
        "thermal.flir_one": (Packet(bytes.fromhex("cc0100000100000041000000f8b3f700"), "out:02"),),
        "endoscope.jhcmd": (Packet(b"JHCMD\xd0\x03", "udp:20000"), Packet(b"JHCMD\x10\x01", "udp:20000")),
        "endoscope.i4season": tuple(
            Packet(bytes.fromhex(f"eeffeeff0100{kind:02x}0001000000"), "udp:10005") for kind in (2, 10, 12, 13, 14)
        ),
        "thermal.thermal_master_p1": (
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("012f41000000000000000000000000003c3a")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("050801000000000000000000000000000000")),
            control_write(0x41, 0x20, 0, 0, bytes.fromhex("018201000000000000000000000000000000")),
            Packet(bytes(8), "out:01"),
        ),
        "endoscope.ov780": (Packet(b"\0\0\0v" + b"0010000600001d010f21FrameSize1", "udp:50000"),),
        "endoscope.depstech": (Packet(b"\x01", "tcp"),),
        "scanner.zebra_ssi": (
            Packet(bytes.fromhex("04c80400ff30")),  # defaults
            Packet(bytes.fromhex("04120400ffe6")),  # custom defaults
            Packet(bytes.fromhex("07c60408ffee01fe39")),  # a parameter, for good
            Packet(bytes.fromhex("04800400ff78")),  # remote management
        ),
        "scanner.zebra_ssi_ble": tuple(
            Packet(bytes.fromhex(data), "00000001-0000-1000-8000-008025000000")
            for data in ("080004c80400ff30", "080004120400ffe6", "0b0007c60408ffee01fe39", "080004800400ff78")
        ),
        "trace.aci_pids3": tuple(
            Packet(encode(text))
            for text in (
                "pids.savedata",
                "pid.calib 1;2;0;100",
                "pids.relay.state 011",
                "device.username X",
                "pids.reboot",
            )
        ),
        "radiation.radiacode_usb": (
            Packet(bytes.fromhex("0c00000027080080"), "out:01"),
            Packet(bytes.fromhex("0c0000002508008004050000 00000000"), "out:01"),  # the time base
        ),
        "radiation.radiacode": (
            Packet(bytes.fromhex("0c00000027080080")),
            Packet(bytes.fromhex("0c0000002b080080")),
            Packet(bytes.fromhex("0c0000002508008004050000 00000000")),  # the time base
        ),
    }
)
KROMEK = (
    "07 02 00*8", "07 07 00*4", "07 08 00*8", "07 09 00*4", "07 0b 00*4", "07 0c 01", "07 11 00", "07 12 00*4",
    "07 47", "08 51 00*8", "08 69 00*4", "07 7c 'X' 00*15",
)  # fmt: skip
"""The set form of what a detector is asked: 0x80 of the report is clear."""

REQUESTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "radiation.kromek_d5": KROMEK,
        "radiation.kromek_d3s": KROMEK,
        "radiation.gq_gmc": ("'POWEROFF'", "'FACTORYRESET'", "'ECFG'", "'WCFG' 00 00 00", "'ALARM0'", "'SPEAKER0'"),
        "radiation.radex_one": ("02 08 0e 00 00*4 0a 00*5",),
        "scanner.honeywell": ("4d 0d 'DEFALT!'", "4d 0d 'SCNLED0.'", "4d 0d 'DECHDR1,SCNAIM0.'"),
        "scanner.newland": ("'@SCNMOD0'",),
        "scanner.uhfreader18": ("03", "04", "05", "06", "22 00 00", "24 00", "25 03", "28 05", "2f 1e"),
        "scanner.sw_ct": (
            "03 01 02 06 00*4 00 11 22 33 44 55 66 77 88 99 aa bb", "21 00*8", "22", "24 05 1a", "27 00*8", "28",
            "2f 00*4", "3f 00*2", "85 01", "86 01",
        ),
        "scanner.thingmagic": (
            "23 03 e8 00", "24 03 e8 00*6 03 00 ee", "25 03 e8 00*4", "26 03 e8 00*6", "27 00", "2d 00", "2e 00",
            "01 00*8", "06 00 00 25 80", "07 08 95 9a 53", "09", "0a 00", "0d 00*4", "0f 00*4", "92 0b b8", "c3 00",
        ),
    }
)  # fmt: skip
"""Those of device files, as they stand behind `request_head`."""


def _framed(name: str, request: str) -> Packet:
    asking, template = load(device_files()[name]).asking, parse_template(request)
    return Packet(asking.request(template, dict.fromkeys(asking.slots(template), 0)))


def _ssi(opcode: int, data: bytes, status: int) -> bytes:
    """A packet of SSI; the sum is not looked at where something else is wrong with it."""
    return bytes([4 + len(data), opcode, 4, status]) + data + b"\0\0"


UNNAMED: Mapping[str, tuple[Packet, ...]] = MappingProxyType(
    {
        "scanner.uhfreader18": (
            *(_framed("scanner.uhfreader18", one) for one in ("07", "08", "0a", "0e", "10", "52", "55")),
            Packet(_framed("scanner.uhfreader18", "01").data + _framed("scanner.uhfreader18", "05").data),
        ),
        "scanner.thingmagic": (_framed("scanner.thingmagic", "04 00"), _framed("scanner.thingmagic", "93 00")),
        "scanner.newland": (_framed("scanner.newland", "'#FACDEF'"), _framed("scanner.newland", "'#C11MIN1'")),
        "scanner.honeywell": (Packet(b"\x16M\rREVINF^!\x16M\rDEFALT!"), Packet(b"\x16M\r232BAD9.")),
        "scanner.zebra_ssi": (
            *(Packet(_ssi(0xC6, b"\xff\xee\x01", status)) for status in (0x00, 0x18, 0x28, 0xF8)),
            Packet(b"\0" + bytes.fromhex("04c80400ff30")),  # behind the byte that wakes it
        ),
        "radiation.gq_gmc": (
            *(_framed("radiation.gq_gmc", one) for one in ("'REBOOT'", "'CFGUPDATE'", "'KEY0'", "'HEARTBEAT1'")),
            Packet(b"<GETCPM>><POWEROFF>>"),
        ),
        "radiation.kromek_d5": (Packet(b"\xc0\xc0" + _framed("radiation.kromek_d5", "07 08 00*8").data[1:]),),
        "thermal.gy_mcu90640": tuple(
            Packet(bytes.fromhex(one)) for one in ("a51501bb", "a52500ca", "a53501db", "a55501fba565010b")
        ),
        "thermal.seek_compact": (
            control_write(0x40, 79, 0, 0),
            control_write(0x42, 87, 0, 0),
            control_write(0x41, 55, 0, 0),
        ),
        "trace.aci_pids3": tuple(
            Packet(one)
            for one in (encode("pids.stop"), encode("device ?") + encode("pids.reboot"), encode("pids.current 1"))
        ),
        "thermal.flir_boson_control": (
            Packet(bytes.fromhex("8e000000009e8100050018ffffffff0000ae")),  # the sequence is escaped
        ),
        "endoscope.useeplus": (Packet(b"\xff\x55\xff\x55\xee\x11", "out:02"), Packet(b"\xbb\xaa\x06\0\0", "out:01")),
        "scanner.elyctis_idbox": (Packet(b"\x52\0\0"),),
    }
)
"""What no source calls dangerous, or calls so, hidden in another packet: refused because nobody asks it."""


WHOLE: Mapping[str, tuple[Packet, ...]] = MappingProxyType(
    {**DANGEROUS, **{name: tuple(_framed(name, one) for one in given) for name, given in REQUESTS.items()}}
)
