"""The command line as argparse sees it. Light: nothing here imports a command.

Each leaf sets `command` to the module below `devicehub.cli` that carries it out.
"""

from pathlib import Path

from devicehub import __version__
from devicehub.cli import words
from devicehub.cli.exits import MEANINGS
from devicehub.cli.grammar import Mixed, Nouns, Parser, broker_option, config_option, hub_options, leaf, noun
from devicehub.cli.parser_alarms import alarms, scans, whatif
from devicehub.cli.parser_broker import broker
from devicehub.cli.parser_exercises import exercises
from devicehub.cli.parser_inspections import inspections
from devicehub.cli.parser_tapes import tapes


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="devicehub",
        description="Drives handheld search equipment and publishes what it says over MQTT.",
        epilog="Every command takes --json. Exit codes: "
        + "; ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items())
        + ".",
    )
    parser.add_argument("--version", action="version", version=f"devicehub {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    ours = (
        _running,
        exercises,
        _devices,
        _drivers,
        _looking,
        alarms,
        whatif,
        scans,
        inspections,
        _journal,
        _configuration,
        _certificates,
        broker,
        _facts,
    )
    for add in ours:
        add(commands)
    return parser


def _running(commands: Nouns) -> None:
    run = leaf(commands, "run", "run", "run the hub")
    config_option(run)
    doctor = leaf(commands, "doctor", "doctor", "find what keeps this station from doing its work")
    doctor.add_argument("--fix", action="store_true", help="mend what is devicehub's own, and say what was done")
    doctor.add_argument("--offline", action="store_true", help="do not speak to the broker")
    doctor.add_argument("--user", default="", metavar="NAME", help="who the hub runs as; default: devicehub, or you")
    doctor.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="examine the disk mounted there")
    config_option(doctor)
    demo = leaf(commands, "demo", "demo", "run simulated devices and a broker on this computer, without hardware")
    demo.add_argument("--for", dest="seconds", type=words.seconds, metavar="SECONDS", help="stop by itself")
    demo.add_argument(
        "--port", type=words.port, default=0, metavar="N", help="of the broker; default: any that is free"
    )


def _devices(commands: Nouns) -> None:
    noun(commands, "devices", "what is configured and what is plugged in", _of_devices)


def _of_devices(nouns: Nouns) -> None:
    config_option(leaf(nouns, "list", "devices_list", "list the configured devices"))
    scan = leaf(nouns, "scan", "devices_scan", "show the hardware that is present and the drivers that may fit")
    scan.add_argument("--ble", type=words.seconds, metavar="SECONDS", help="listen for Bluetooth devices too")
    text = "listen for what devices on a network broadcast of themselves too; nothing is sent"
    scan.add_argument("--network", type=words.seconds, metavar="SECONDS", help=text)
    config_option(scan)
    add = leaf(nouns, "add", "devices_add", "add a device to the configuration file, if that stays valid")
    add.add_argument("place", metavar="PLACE", help="a port or an address, as devices scan shows it; a folder")
    add.add_argument("--driver", required=True, metavar="NAME")
    add.add_argument("--id", metavar="ID", help="of the device; default: the model, with a number")
    config_option(add)
    show = leaf(nouns, "show", "devices_show", "show one configured device and try to open it")
    show.add_argument("id", metavar="ID")
    show.add_argument("--offline", action="store_true", help="do not open it")
    config_option(show)
    identify = leaf(nouns, "identify", "devices_identify", "have a device show itself, or say how to tell which it is")
    identify.add_argument("id", metavar="ID")
    identify.add_argument("--issuer", metavar="NAME", help="who is answerable; default: the user of this computer")
    hub_options(identify)
    decode = leaf(
        nouns, "decode", "devices_decode", "show what a watch-folder device makes of a file, which stays there"
    )
    decode.add_argument("id", metavar="ID")
    decode.add_argument("files", nargs="+", type=Path, metavar="FILE")
    config_option(decode)


def _drivers(commands: Nouns) -> None:
    noun(commands, "drivers", "what can be driven", _of_drivers, Mixed)


def _of_drivers(nouns: Nouns) -> None:
    config_option(leaf(nouns, "list", "drivers_list", "list all drivers"))
    show = leaf(nouns, "show", "drivers_show", "show a driver's link, channels and options")
    show.add_argument("name", metavar="NAME")
    config_option(show)
    check = leaf(nouns, "check", "drivers_check", "prove device files, and play them against their simulators")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="FAMILY/MODEL.toml")
    check.add_argument(
        "--for", dest="seconds", type=words.seconds, default=300.0, metavar="SECONDS", help="of no real time"
    )
    new = leaf(nouns, "new", "drivers_new", "write driver, simulator and transcript of a new device from templates")
    new.add_argument("name", metavar="FAMILY.MAKER_MODEL")
    new.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="checkout; default: the current folder"
    )
    decode = leaf(nouns, "decode", "drivers_decode", "decode bytes with a driver to JSON lines")
    decode.add_argument("name", metavar="NAME")
    decode.add_argument("hex", nargs="*", metavar="HEX", help="hexadecimal bytes; - or nothing: standard input")
    decode.add_argument(
        "--file", type=Path, metavar="FILE", help="a capture: transcript, hexadecimal text or raw bytes"
    )
    decode.add_argument("--as", dest="form", choices=("auto", "transcript", "hex", "raw"), default="auto")
    decode.add_argument(
        "--port", metavar="PORT", help="characteristic, in:EP, frame:FOURCC:WxH or file name of the bytes"
    )
    decode.add_argument("--option", type=words.option, action="append", default=[], metavar="NAME=VALUE")
    config_option(decode)


def _looking(commands: Nouns) -> None:
    watch = leaf(commands, "watch", "watch", "print what is published")
    watch.add_argument(
        "filter", nargs="*", metavar="FILTER", help="MQTT topic filter; default: everything of devicehub"
    )
    watch.add_argument("--broker", metavar="URL", help="mqtt://host[:port]; default: that of the configuration")
    watch.add_argument("--count", type=words.whole(10**9), metavar="N", help="stop after N messages")
    watch.add_argument("--for", dest="seconds", type=words.seconds, metavar="SECONDS", help="stop after a time")
    config_option(watch)
    _consuming(commands)
    _sending(commands)
    _entering(commands)
    tapes(commands)


def _sending(commands: Nouns) -> None:
    send = leaf(commands, "send", "send", "give a command to a device or the hub and wait until it has ended")
    send.add_argument("target", metavar="TARGET", help="a device, or hub")
    send.add_argument("verb", metavar="VERB")
    send.add_argument("args", nargs="*", type=words.option, metavar="NAME=VALUE", help="a JSON value, else a text")
    send.add_argument("--issuer", metavar="NAME", help="who is answerable; default: the user of this computer")
    send.add_argument("--reason", default="", metavar="TEXT", help="for the record")
    send.add_argument(
        "--deadline", type=words.seconds, default=10.0, metavar="SECONDS", help="until it must have begun; default: 10"
    )
    hub_options(send)


def _entering(commands: Nouns) -> None:
    enter = leaf(commands, "enter", "enter", "enter what somebody found with a device that has no wire")
    enter.add_argument("device", metavar="DEVICE")
    enter.add_argument("outcome", metavar="OUTCOME", help="clear, alarm, inconclusive, aborted; of a dog: indication")
    enter.add_argument("--item", default="", metavar="TEXT", help="what was screened")
    enter.add_argument("--finding", default="", metavar="TEXT", help="what was found, in a word")
    enter.add_argument("--reading", default="", metavar="NUMBER", help="what the device showed, in its unit")
    enter.add_argument("--note", default="", metavar="TEXT", help="in your own words")
    enter.add_argument("--at", default="", metavar="INSTANT", help="when it was, with its zone; default: now")
    enter.add_argument("--issuer", metavar="NAME", help="who is answerable; default: the user of this computer")
    hub_options(enter)


def _consuming(commands: Nouns) -> None:
    consume = leaf(commands, "consume", "consume", "store what hubs publish, once and in order, and confirm it to them")
    consume.add_argument("out", type=Path, metavar="OUT", help="file that ends in .jsonl or .sqlite")
    consume.add_argument("--name", metavar="NAME", help="of this consumer; default: hub.node of the configuration")
    consume.add_argument("--node", action="append", metavar="SITE/NODE", help="one of them; default: all there are")
    consume.add_argument("--exercise", action="store_true", help="what is simulated instead of what is real")
    consume.add_argument(
        "--streams", default="alarms,events", metavar="LIST", help="of alarms, events, scans; default: alarms,events"
    )
    consume.add_argument("--leave", action="store_true", help="end the registration: hubs keep nothing back for it")
    broker_option(consume)
    check = leaf(commands, "consume-check", "consume_check", "play a hub to a durable consumer and judge its receipts")
    check.add_argument("words", nargs="+", metavar="COMMAND", help="starts the consumer, in the foreground")
    check.add_argument("--name", required=True, metavar="NAME", help="that the consumer confirms as")
    check.add_argument("--stored", metavar="COMMAND", help="prints what is stored, one message a line, in order")
    check.add_argument("--node", default="check/hub", metavar="SITE/NODE", help="to be played; default: check/hub")
    check.add_argument("--exercise", action="store_true", help="publish as what is simulated")
    check.add_argument("--kills", type=words.whole(10_000), default=20, metavar="N", help="with SIGKILL; default: 20")
    check.add_argument("--seed", type=words.whole(10**9), default=1, metavar="N", help="of chance; default: 1")
    broker_option(check)


def _configuration(commands: Nouns) -> None:
    noun(commands, "config", "the configuration file", _of_configuration)


def _of_configuration(nouns: Nouns) -> None:
    check = leaf(nouns, "check", "config_check", "find mistakes")
    check.add_argument("file", nargs="?", type=Path, metavar="FILE")
    config_option(check)
    init = leaf(nouns, "init", "config_init", "write a configuration with every key and its default")
    init.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("devicehub.toml"),
        metavar="FILE",
        help="default: devicehub.toml; - is standard output",
    )
    migrate = leaf(nouns, "migrate", "config_migrate", "bring it to the format of this version, and back")
    migrate.add_argument("file", nargs="?", type=Path, metavar="FILE")
    how = migrate.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    how.add_argument("--back", action="store_true", help="put the former file in its place again")
    config_option(migrate)
    diff = leaf(nouns, "diff", "config_diff", "show where another configuration differs from this one")
    diff.add_argument("other", type=Path, metavar="OTHER", help="as the one that a change kept beside it")
    config_option(diff)
    leaf(nouns, "schema", "config_schema", "print the JSON Schema of the configuration")
    show = leaf(nouns, "show", "config_show", "print the configuration, all files merged")
    show.add_argument("file", nargs="?", type=Path, metavar="FILE")
    show.add_argument("--effective", action="store_true", help="with the defaults of everything that is not set")
    config_option(show)


def _journal(commands: Nouns) -> None:
    noun(commands, "journal", "what is stored on this computer and how far it was delivered", _of_journal)


def _of_journal(nouns: Nouns) -> None:
    status = leaf(nouns, "status", "journal_status", "show how far each stream was stored, delivered and confirmed")
    replay = leaf(nouns, "replay", "journal_replay", "deliver events again, by the running hub or by the next one")
    what = replay.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", dest="first", type=words.whole(10**15), metavar="N", help="the first sequence number")
    what.add_argument("--quarantine", action="store_true", help="what the broker refused")
    replay.add_argument("--stream", choices=("alarms", "events", "scans"), default="events", help="default: events")
    discharge = leaf(nouns, "discharge", "journal_discharge", "wait no longer for a durable consumer")
    discharge.add_argument("consumer", metavar="CONSUMER")
    export = leaf(nouns, "export", "journal_export", "write stored events and the images that they speak of as a ZIP")
    export.add_argument("out", type=Path, metavar="OUT", help="a zip file that does not exist yet")
    export.add_argument("--since", type=words.since, metavar="WHEN", help="as 8h or 30d, or an instant; default: all")
    export.add_argument(
        "--kind", default="", metavar="WORD", help="how their type begins, as alarm or inspection.ended"
    )
    export.add_argument("--device", default="", metavar="DEVICE", help="of one device")
    export.add_argument("--node", type=words.node, metavar="SITE/NODE", help="under one name; default: all it ever had")
    export.add_argument("--exercise", action="store_true", help="what is simulated instead of what is real")
    verify = leaf(nouns, "verify", "journal_verify", "check every stored event against its digest and the chain")
    verify.add_argument("--state", type=Path, metavar="DIR", help="folder of the journal; default: the configuration's")
    for one in (status, replay, discharge, export, verify):
        config_option(one)


def _certificates(commands: Nouns) -> None:
    noun(commands, "tls", "certificates for a broker and its clients", _of_certificates)


def _of_certificates(nouns: Nouns) -> None:
    init = leaf(nouns, "init", "tls_init", "make a test authority, a broker certificate and one per client")
    init.add_argument("folder", type=Path, metavar="DIR")
    init.add_argument("--host", action="append", metavar="NAME", help="of the broker; default: this computer's")
    init.add_argument("--node", action="append", metavar="NAME", help="hub.node of a client; default: this computer's")
    init.add_argument(
        "--days", type=words.whole(3650), default=365, metavar="N", help="how long they are valid; default: 365"
    )
    add = leaf(nouns, "add", "tls_add", "make one more client certificate from that authority")
    add.add_argument("folder", type=Path, metavar="DIR")
    add.add_argument("name", metavar="NAME", help="hub.node of the client")
    add.add_argument(
        "--days", type=words.whole(3650), default=365, metavar="N", help="how long it is valid; default: 365"
    )


def _facts(commands: Nouns) -> None:
    schema = leaf(commands, "schema", "schema", "print what is published, as AsyncAPI or JSON Schema")
    schema.add_argument("form", nargs="?", choices=("asyncapi", "json"), default="asyncapi")
    completion = leaf(commands, "completion", "completion", "print what completes commands in a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    leaf(commands, "man", "man", "print the manual page")
    diagnostics = leaf(commands, "diagnostics", "diagnostics", "pack what helps to find a fault, without secrets")
    diagnostics.add_argument("out", type=Path, metavar="OUT", help="a zip file that does not exist yet")
    config_option(diagnostics)
    leaf(commands, "version", "version", "print the version")
