"""From a scenario file to what is played: every mistake as file:line:column, verbs and their values tried first."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from pydantic import ValidationError

from devicehub.clock import repeatable
from devicehub.config.checks import check
from devicehub.config.models import Config, HubConfig
from devicehub.config.plain_words import complaints
from devicehub.config.resources import shipped
from devicehub.config.workstation import PageConfig
from devicehub.exercise.acts import CABLE, HOUSE, Act, acts, mistake
from devicehub.exercise.bus import Bus
from devicehub.exercise.schema import ALARM, DURATION, LANGUAGES, MOMENT, NAME, ActorConfig, Scenario, Step
from devicehub.model.errors import ConfigError
from devicehub.publish.topics import Topics
from devicehub.registry import load_driver, load_simulator, simulator_names
from devicehub.simulator import AnySimulator, Simulator, SimulatorFactory
from devicehub.tomlfile.position import KeyPath
from devicehub.tomlfile.problems import Complaint, ConfigProblems, key_text, suggestion, value_mistake
from devicehub.tomlfile.read import placed, read_file

SITE: Final = "exercise"
_PATTERNS: Final = {
    MOMENT: 'must be minutes and seconds, as "02:10"',
    DURATION: 'must be seconds, as "8s"',
    ALARM: "must be device/point",
    NAME: "must be of a-z, 0-9 and -",
}
_SCRIPTED: Final = ("branch", "checkpoint", "end")
_REFUSALS: Final = (ValueError, KeyError, TypeError, IndexError)
_REAL: Final = ("usb", "serial", "address", "folder")


def scenario_file(name: str) -> Path:
    """A path as it is; a bare name is a shipped scenario's. Raises `ConfigError` for one that does not exist."""
    path = Path(name)
    if path.suffix or path.exists():
        return path
    found = sorted(one.stem for one in shipped("scenarios").glob("*.toml"))
    if name not in found:
        raise ConfigError(
            f"no scenario '{name}'{suggestion(name, found)}; there are {', '.join(found)}, or give a file"
        )
    return shipped("scenarios") / f"{name}.toml"


def load_scenario(path: Path) -> Scenario:
    """Read a scenario. Raises `ConfigProblems` with every mistake."""
    file = read_file(path, "no such scenario file")
    try:
        scenario = Scenario.model_validate(file.values, context={"folder": path.parent.absolute()})
    except ValidationError as error:
        found = complaints(error, Scenario, _PATTERNS)
        raise ConfigProblems(placed(one, file.places) for one in found) from None
    problems = [placed(one, file.places) for one in _wrong(scenario)]
    if problems:
        raise ConfigProblems(problems)
    return scenario


def config_of(scenario: Scenario, state: Path) -> Config:
    """The configuration of a hub that plays it: an exercise, every device simulated, an embedded broker and a page."""
    return Config(
        hub=HubConfig(site=SITE, node=scenario.scenario.id, exercise=True, state=state),
        page=PageConfig(enabled=True, port=0),
        lane=scenario.lane,
        desk=scenario.desk,
        device=tuple(one.device() for one in scenario.device),
        limit=scenario.limit,
        region=scenario.region,
        thermal=scenario.thermal,
    )


def place_of(scenario: Scenario) -> str:
    """Where all that a hub says which plays it is published: a topic prefix."""
    return Topics(SITE, scenario.scenario.id, exercise=True).prefix


def modelled(device: ActorConfig) -> SimulatorFactory:
    """Its simulator, told at each power-up what its `model` says."""
    factory = _simulator(device)

    def powered(random: Random) -> AnySimulator:
        simulator = factory(random)
        for verb, values in device.model.items():
            simulator.do(verb, **values)
        return simulator

    return powered


def _simulator(device: ActorConfig) -> Callable[[Random], AnySimulator]:
    """What stands for it, before it is told anything."""
    return partial(Bus, load_driver(device.driver)) if device.link == "bus" else load_simulator(device.driver)


def timeline(scenario: Scenario) -> list[Act]:
    """All that happens, in the order of time."""
    found = [act for number, step in enumerate(scenario.at) for act in acts(number, step)]
    return sorted(found, key=lambda act: act.at)


def injectable(scenario: Scenario, values: Mapping[str, object]) -> Step:
    """A step that an instructor wants now, tried first. Raises `ConfigError` saying all that is wrong."""
    given = dict(values)
    said = given.pop("text", None)
    text = {} if said is None else {"text": dict.fromkeys(LANGUAGES, said)}
    try:
        step = Step.model_validate({"t": "00:00", **given, **text})
    except ValidationError as error:
        raise ConfigError("; ".join(one.text for one in complaints(error, Step, _PATTERNS))) from None
    if step.do in _SCRIPTED:
        raise ConfigError(f"'{step.do}' stands in a scenario alone")
    tried = {device.id: modelled(device)(repeatable(0)) for device in scenario.device}
    if found := [one.text for one in _step((), 0, step, tried)]:
        raise ConfigError("; ".join(found))
    return step


def _wrong(scenario: Scenario) -> Iterator[Complaint]:
    real = list(_real_devices(scenario))
    yield from real
    config = config_of(scenario, Path("state"))
    found = list(check(config))
    yield from found
    if not real and not found:
        yield from _steps(scenario)


def _real_devices(scenario: Scenario) -> Iterator[Complaint]:
    """Real and simulated devices are never mixed: a scenario cannot even name a real one."""
    simulated = simulator_names()
    for number, device in enumerate(scenario.device):
        path: KeyPath = ("device", number)
        if device.port not in ("", "sim:"):
            text = "a scenario has simulated devices only, never real ones: leave it out"
            yield value_mistake((*path, "port"), device.port, text)
        for key in _REAL:
            if getattr(device, key):
                yield Complaint((*path, key), f"{key}: a scenario has simulated devices only: leave it out")
        if device.driver not in simulated:
            yield value_mistake((*path, "driver"), device.driver, "has no simulator")


def _steps(scenario: Scenario) -> Iterator[Complaint]:
    if wrong := list(_models(scenario)):
        yield from wrong
        return
    tried = {device.id: modelled(device)(repeatable(0)) for device in scenario.device}
    last = 0.0
    for number, step in enumerate(scenario.at):
        path: KeyPath = ("at", number)
        if step.at < last:
            yield value_mistake((*path, "t"), step.t, "is before the step above")
        last = step.at
        yield from _step(path, number, step, tried)
        if step.expect is not None and (device := step.expect.alarm.partition("/")[0]) and device not in tried:
            yield value_mistake((*path, "expect", "alarm"), step.expect.alarm, "no such device")
    yield from _branches(scenario)
    yield from _commands(scenario)
    if scenario.at[-1].do != "end" or scenario.at[-1].path:
        yield Complaint(("at",), "at: the last step must be 'end', or the exercise never ends")


def _models(scenario: Scenario) -> Iterator[Complaint]:
    """What a simulator cannot be told at its power-up."""
    for number, device in enumerate(scenario.device):
        simulator = _simulator(device)(repeatable(0))
        for verb, values in device.model.items():
            try:
                simulator.do(verb, **values)
            except _REFUSALS as error:
                path: KeyPath = ("device", number, "model", verb)
                yield Complaint(path, f"{key_text(path)}: {_told(error)}")


def _commands(scenario: Scenario) -> Iterator[Complaint]:
    """A command that is expected has to be one that the trainee can give."""
    devices = {device.id: device for device in scenario.device}
    for number, step in enumerate(scenario.at):
        if step.expect is None or not step.expect.command:
            continue
        device, _, verb = step.expect.command.partition("/")
        if text := _uncommanded(devices.get(device), verb):
            yield value_mistake(("at", number, "expect", "command"), step.expect.command, text)


def _uncommanded(device: ActorConfig | None, verb: str) -> str:
    """Why a device cannot be given a command; empty if it can."""
    if device is None:
        return "no such device"
    command = load_driver(device.driver).command(verb)
    if command is None:
        return f"driver {device.driver} has no command '{verb}'"
    if device.link == "bus":
        return "a device on the bus takes no commands"
    return "the device needs control = true" if command.control and not device.control else ""


def _branches(scenario: Scenario) -> Iterator[Complaint]:
    """A branch asks for a step above that expects something; a path is of a branch above."""
    asked: set[str] = set()
    paths: set[str] = {""}
    for number, step in enumerate(scenario.at):
        path: KeyPath = ("at", number)
        if step.path not in paths:
            yield value_mistake((*path, "path"), step.path, "no branch above takes this path")
        if step.do == "branch":
            if (on := str(step.values.get("on", ""))) and on not in asked:
                yield value_mistake((*path, "on"), on, "no step above with this id expects something")
            paths |= {str(step.values[name]) for name in ("met", "missed") if name in step.values}
        if step.id and step.expect is not None:
            asked.add(step.id)


def _step(path: KeyPath, number: int, step: Step, tried: Mapping[str, Simulator]) -> Iterator[Complaint]:
    if text := mistake(step):
        yield value_mistake((*path, "do"), step.do, text)
    elif step.device and step.device not in tried:
        yield value_mistake((*path, "device"), step.device, "no such device" + suggestion(step.device, tried))
    else:
        try:
            for act in acts(number, step):
                _try(act, tried)
        except _REFUSALS as error:
            yield value_mistake((*path, "do"), step.do, _told(error))


def _told(error: Exception) -> str:
    return f"needs {error}" if isinstance(error, KeyError) else str(error)


def _try(act: Act, simulators: Mapping[str, Simulator]) -> None:
    """Do it to a simulator that nobody looks at. Raises what the simulator raises."""
    if act.faults is None and act.device and act.verb not in (*HOUSE, *CABLE):
        simulators[act.device].do(act.verb, **act.values)
