"""The command line of exercises."""

from pathlib import Path

from devicehub.cli import words
from devicehub.cli.grammar import Nouns, Parser, leaf, noun

_LANGUAGES = ("en", "sq", "sr-Latn", "sr-Cyrl")


def exercises(commands: Nouns) -> None:
    """`simulate` and `train`."""
    simulate = leaf(commands, "simulate", "simulate", "play a scenario on this computer, without hardware")
    _scenario(simulate)
    _playing(simulate)
    nouns = noun(commands, "train", "exercises with a score")
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


def _scenario(parser: Parser) -> None:
    parser.add_argument("scenario", metavar="SCENARIO", help="name of a shipped one, or a file")


def _playing(parser: Parser) -> None:
    parser.add_argument("--seed", type=words.whole(10**9), metavar="N", help="of chance; default: the scenario's")
    parser.add_argument("--speed", type=words.pace, metavar="N", help="times as fast; default: the scenario's")
    parser.add_argument("--for", dest="seconds", type=words.seconds, metavar="SECONDS", help="end it earlier")
    parser.add_argument("--auto", action="store_true", help="let the automatic trainee answer")
    _language(parser)


def _language(parser: Parser) -> None:
    parser.add_argument("--language", choices=_LANGUAGES, default="en", help="of what is told; default: en")
