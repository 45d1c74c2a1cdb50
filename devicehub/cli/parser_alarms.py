"""The part of the command line that is about alarms, and about what raises them on scans."""

from pathlib import Path
from typing import Final

from devicehub.cli import words
from devicehub.cli.grammar import Nouns, Parser, config_option, hub_options, leaf, noun

DISPOSITIONS: Final = (
    "confirmed-threat",
    "innocent.second-test-negative",
    "innocent.known-cause",
    "nuisance",
    "unresolved",
    "test",
)
STATES: Final = (
    "normal",
    "unack-active",
    "ack-active",
    "rtn-unack",
    "latched",
    "shelved",
    "suppressed",
    "out-of-service",
)


def alarms(commands: Nouns) -> None:
    """`devicehub alarms`."""
    noun(commands, "alarms", "what stands, what people did about it, and how well the alarms do", _of_alarms)


def _of_alarms(nouns: Nouns) -> None:
    shown = leaf(nouns, "list", "alarms_list", "list the alarms that stand, and the points that were put aside")
    shown.add_argument("--exit-code", action="store_true", help="end with 10 while one stands that is not put aside")
    hub_options(shown)
    ack = _act(nouns, "ack", "say that an alarm was seen")
    _why(ack, needed=False)
    confirm = _act(nouns, "confirm", "say what a detection was, which closes it")
    confirm.add_argument("--as", dest="disposition", choices=DISPOSITIONS, required=True, help="what it was")
    _why(confirm, needed=False)
    shelve = _act(nouns, "shelve", "put an alarm point aside for a time, which always ends")
    ends = shelve.add_mutually_exclusive_group(required=True)
    ends.add_argument("--for", dest="seconds", type=words.span, metavar="TIME", help="as 30m or 8h")
    ends.add_argument("--until", type=words.instant, metavar="INSTANT", help="as 2026-11-24T09:00:00Z")
    ends.add_argument("--once", action="store_true", help="until the alarm has ended once")
    _why(shelve, needed=True)
    _why(_act(nouns, "unshelve", "take a shelved alarm point back"), needed=False)
    history = leaf(nouns, "history", "alarms_history", "show what happened to alarms, the newest last")
    history.add_argument("--device", metavar="DEVICE", help="of one device")
    history.add_argument("--state", choices=STATES, help="what led to one state")
    stats = leaf(nouns, "stats", "alarms_stats", "show how well the alarms do, from what is stored")
    rules = leaf(nouns, "rules", "alarms_rules", "show by which rules alarms came, and who changed them why")
    for one in (history, stats, rules):
        one.add_argument("--since", type=words.since, metavar="WHEN", help="as 8h or 30d, or an instant; default: all")
        config_option(one)


def whatif(commands: Nouns) -> None:
    """`devicehub whatif`."""
    parser = leaf(commands, "whatif", "whatif", "show which alarms other rules would have raised, from what is stored")
    parser.add_argument("--rules", type=Path, required=True, metavar="FILE", help="rule file to be tried")
    parser.add_argument("--since", type=words.since, metavar="WHEN", help="as 8h or 30d, or an instant; default: all")
    config_option(parser)


def scans(commands: Nouns) -> None:
    """`devicehub scans`."""
    noun(commands, "scans", "what is looked for among barcodes and documents", _of_scans)


def _of_scans(nouns: Nouns) -> None:
    make = leaf(nouns, "hash", "scans_hash", "make a watch list of keyed hashes from texts on standard input")
    make.add_argument("--label", required=True, metavar="NAME", help="all that an alarm says of the list")
    config_option(make)


def _act(nouns: Nouns, verb: str, text: str) -> Parser:
    act = leaf(nouns, verb, "alarms_act", text)
    act.set_defaults(verb=verb)
    act.add_argument("alarm", type=words.alarm, metavar="DEVICE/POINT", help="or the id of a standing alarm")
    act.add_argument("--revision", type=words.whole(10**9), metavar="N", help="refuse it if the alarm is at another")
    act.add_argument("--issuer", metavar="NAME", help="who is answerable; default: the user of this computer")
    hub_options(act)
    return act


def _why(act: Parser, *, needed: bool) -> None:
    act.add_argument("--why", required=needed, default="", metavar="TEXT", help="for the record")
