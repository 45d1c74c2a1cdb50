"""The part of the command line that is about desks: inspections, and what is looked at before a shift."""

from pathlib import Path

from devicehub.cli import words
from devicehub.cli.grammar import LANGUAGES, Nouns, Parser, config_option, hub_options, leaf, noun


def inspections(commands: Nouns) -> None:
    """`devicehub inspections`."""
    noun(
        commands, "inspections", "what was done at a desk between open and close, and how it came out", _of_inspections
    )
    _preflight(commands)


def _of_inspections(nouns: Nouns) -> None:
    shown = leaf(nouns, "list", "inspections_list", "list inspections, the newest last")
    shown.add_argument("--desk", metavar="DESK", help="of one desk")
    shown.add_argument("--open", action="store_true", help="those that last")
    shown.add_argument("--since", type=words.since, metavar="WHEN", help="as 8h or 30d, or an instant; default: all")
    config_option(shown)
    show = leaf(nouns, "show", "inspections_show", "show what was checked, by which device, and how it came out")
    show.add_argument("inspection", nargs="?", default="", metavar="ID", help="default: the one that was opened last")
    config_option(show)
    begin = _act(nouns, "open", "open-inspection", "begin one; one that is open at the desk ends")
    begin.add_argument("--reference", default="", metavar="TEXT", help="the operator's own, read by everybody")
    end = _act(nouns, "close", "close-inspection", "end one")
    end.add_argument("--inspection", default="", metavar="ID", help="its id, instead of the desk")
    end.add_argument("--note", default="", metavar="TEXT", help="for the record")


def _preflight(commands: Nouns) -> None:
    look = leaf(commands, "preflight", "preflight", "look at what the devices of each desk need before a shift")
    look.add_argument("desks", nargs="*", metavar="DESK", help="default: all, and the devices that belong to none")
    look.add_argument("--no-samples", action="store_true", help="no known sample is shown: what it proves is unknown")
    look.add_argument("--pages", type=Path, metavar="DIR", help="write a page to print for each desk")
    look.add_argument("--language", choices=LANGUAGES, default="en", help="of what is told; default: en")
    look.add_argument("--issuer", metavar="NAME", help="who is answerable; default: the user of this computer")
    hub_options(look)


def _act(nouns: Nouns, name: str, verb: str, text: str) -> Parser:
    act = leaf(nouns, name, "inspections_act", text)
    act.set_defaults(verb=verb)
    act.add_argument("desk", nargs="?", default="", metavar="DESK", help="default: the only one")
    act.add_argument("--issuer", metavar="NAME", help="who is answerable; default: the user of this computer")
    hub_options(act)
    return act
