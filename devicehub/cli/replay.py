"""`devicehub replay`: a transcript into a driver, in the transcript's own time."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from devicehub.cli.bar import Bar
from devicehub.cli.capture import LIMIT, Timed, play
from devicehub.cli.exits import CommandError, Exit
from devicehub.cli.given import given_driver, given_options, given_transcript
from devicehub.cli.output import new_file, print_line, say
from devicehub.cli.samples import fault_json, sample_json
from devicehub.cli.site import site_folder
from devicehub.clock import Clock
from devicehub.driver import Driver
from devicehub.log import escaped
from devicehub.record import expectation, format_sample, parse, run_transcript
from devicehub.wire.protocol import DeviceProtocol, Step

_TICKS = 1000
"""Of the bar, to a second of the transcript."""


def run(args: argparse.Namespace) -> int:
    """Print each sample and fault at its time. 0 if there was a sample, else 65. Or write down what is expected."""
    driver = given_driver(args.driver, site_folder(args))
    path: Path = args.file
    text = _text(path)
    packets, options = given_transcript(driver, text, str(path), given_options(driver, args.option))
    if args.expect:
        return _expect(driver.open(options), text, path)
    samples = asyncio.run(_replay(driver, driver.open(options), packets, args))
    return Exit.OK if samples else Exit.BAD_INPUT


def _expect(protocol: DeviceProtocol, text: str, path: Path) -> int:
    """Never overwrites: what was expected once is not lost by a slip."""
    lines = run_transcript(protocol, parse(text, str(path)))
    out = expectation(path)
    with new_file(out) as stream:
        stream.write(f"# What the driver makes of {path.name}.\n")
        stream.writelines(f"{line}\n" for line in lines)
    say(f"{out}: {sum(line.sign == '=' for line in lines)} samples, {sum(line.sign == '!' for line in lines)} faults")
    return Exit.OK


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as stream:
            return stream.read(LIMIT)
    except UnicodeDecodeError:
        raise CommandError(Exit.BAD_INPUT, f"{path}: not a transcript, which is UTF-8 text") from None


async def _replay(driver: Driver, protocol: DeviceProtocol, packets: Sequence[Timed], args: argparse.Namespace) -> int:
    clock = Clock()
    began = clock.monotonic()
    samples = 0
    total = round(packets[-1].at * _TICKS) if packets else 0
    bar = Bar("replaying", total, wanted=not sys.stdout.isatty(), as_json=args.json)
    for at, step in play(protocol, packets):
        await clock.sleep(began + at / args.speed - clock.monotonic())
        bar.reach(round(at * _TICKS))
        for value, line in _lines(at, step, driver):
            if args.json:
                print_line(value)
            else:
                say(f"{at:.2f} {line}")
        samples += len(step.samples)
    bar.end()
    return samples


def _lines(at: float, step: Step, driver: Driver) -> Iterator[tuple[dict[str, object], str]]:
    for sample in step.samples:
        yield {"at": at, **sample_json(sample, driver)}, f"= {escaped(format_sample(sample))}"
    for fault in step.faults:
        yield {"at": at, **fault_json(fault)}, f"! {escaped(str(fault))}"
