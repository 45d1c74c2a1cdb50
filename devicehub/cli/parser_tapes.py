"""The part of the command line that is about transcripts of links."""

from pathlib import Path

from devicehub.cli import words
from devicehub.cli.grammar import Nouns, config_option, leaf


def tapes(commands: Nouns) -> None:
    """`devicehub record` and `devicehub replay`."""
    record = leaf(commands, "record", "record", "write what goes over a device's link as a transcript")
    record.add_argument(
        "device",
        metavar="DEVICE",
        help="of the configuration; or an unknown one, which is only listened to: its serial port, Bluetooth address, "
        "ble:NAME, usb:VENDOR:PRODUCT or usb:PLACE, as devices scan shows them",
    )
    record.add_argument("out", type=Path, metavar="OUT")
    record.add_argument("--redact", action="store_true", help="without serial numbers and without what was scanned")
    record.add_argument("--baud", type=words.whole(10**7), default=9600, metavar="N", help="of a serial port")
    record.add_argument("--for", dest="seconds", type=words.seconds, metavar="SECONDS", help="stop by itself")
    config_option(record)
    replay = leaf(commands, "replay", "replay", "play a transcript into a driver, in its own time")
    replay.add_argument("file", type=Path, metavar="FILE")
    replay.add_argument("--driver", required=True, metavar="NAME")
    replay.add_argument(
        "--expect", action="store_true", help="write what the driver makes of it to FILE.expected, at once"
    )
    replay.add_argument("--speed", type=words.speed, default=1.0, metavar="N", help="times as fast")
    replay.add_argument("--option", type=words.option, action="append", default=[], metavar="NAME=VALUE")
    config_option(replay)
