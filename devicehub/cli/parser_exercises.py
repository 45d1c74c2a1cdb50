"""The command line of exercises."""

from pathlib import Path

from devicehub.cli import words
from devicehub.cli.grammar import LANGUAGES, Mixed, Nouns, Parser, leaf, noun


def exercises(commands: Nouns) -> None:
    """`simulate` and `train`."""
    simulate = leaf(commands, "simulate", "simulate", "play a scenario on this computer, without hardware")
    _scenario(simulate)
    _playing(simulate)
    noun(commands, "train", "exercises with a score", _of_training, Mixed)


def _of_training(nouns: Nouns) -> None:
    run = leaf(nouns, "run", "train_run", "play a scenario, then tell the score")
    _scenario(run)
    run.add_argument("state", type=Path, metavar="FOLDER", help="a new folder, for its journal")
    _playing(run)
    score = leaf(nouns, "score", "train_score", "tell the score of an exercise by its journal")
    report = leaf(nouns, "report", "train_report", "write the score of an exercise as one page that prints")
    for one in (score, report):
        _scenario(one)
        one.add_argument("state", type=Path, metavar="FOLDER", help="of the exercise")
    report.add_argument("out", type=Path, metavar="OUT", help="HTML file to be made")
    _language(report)
    _leading(nouns)


def _leading(nouns: Nouns) -> None:
    """What an instructor does to an exercise that is played."""
    _told(nouns, "pause", "stop the time of an exercise that is played")
    _told(nouns, "resume", "let the time of an exercise go on")
    speed = _told(nouns, "speed", "change how fast an exercise goes")
    speed.add_argument("speed", type=words.pace, metavar="N", help="times as fast as the wall clock, from 0.25 to 20")
    inject = _told(nouns, "inject", "do in an exercise, now, what a scenario could do")
    inject.add_argument("do", metavar="VERB", help="of the scenario language, as hotspot or unplug")
    inject.add_argument("values", nargs="*", type=words.option, metavar="NAME=VALUE", help="what the verb takes")
    inject.add_argument("--device", metavar="DEVICE", help="for a verb that needs one")
    inject.add_argument("--for", dest="seconds", type=words.seconds, metavar="SECONDS", help="undo it after that time")
    _told(nouns, "end", "end an exercise; one that stays when it is over is closed by a second time")


def _told(nouns: Nouns, verb: str, text: str) -> Parser:
    told = leaf(nouns, verb, "train_tell", text)
    told.set_defaults(verb=verb)
    told.add_argument("state", type=Path, metavar="FOLDER", help="of the exercise")
    told.add_argument("--issuer", metavar="NAME", help="who is answerable; default: the user of this computer")
    return told


def _scenario(parser: Parser) -> None:
    parser.add_argument("scenario", metavar="SCENARIO", help="name of a shipped one, or a file")


def _playing(parser: Parser) -> None:
    parser.add_argument("--seed", type=words.whole(10**9), metavar="N", help="of chance; default: the scenario's")
    parser.add_argument("--speed", type=words.pace, metavar="N", help="times as fast; default: the scenario's")
    parser.add_argument("--for", dest="seconds", type=words.seconds, metavar="SECONDS", help="end it earlier")
    parser.add_argument("--held", action="store_true", help="begin with a pause, which the instructor ends")
    parser.add_argument("--stay", action="store_true", help="stay when it is over, until the instructor ends it")
    parser.add_argument("--auto", action="store_true", help="let the automatic trainee answer")
    _language(parser)


def _language(parser: Parser) -> None:
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of what is told; default: en")
