"""The composition root: configuration to a running hub, with its broker, links and signals."""

import asyncio
import faulthandler
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from devicehub.clock import Clock, since_boot
from devicehub.config import Config, load_config
from devicehub.config.broker import broker_settings
from devicehub.config.resources import shipped
from devicehub.configured import Configured
from devicehub.exercise.stage import Stage
from devicehub.folder import emptied, made, told
from devicehub.hub import Hub, Plan
from devicehub.links import Links
from devicehub.lock import held
from devicehub.model.errors import DeliveryError
from devicehub.observe.listener import listening
from devicehub.observe.notify import Notifier
from devicehub.observe.watching import Watch
from devicehub.publish.broker import EmbeddedBroker
from devicehub.publish.settings import BrokerSettings
from devicehub.taps import Taps
from devicehub.transport.hotplug import HotPlug, netlink, tell_arrivals
from devicehub.transport.inventory import Present
from devicehub.transport.progress import Progress
from devicehub.transport.world import SimulatedWorld
from devicehub.twins import Twins
from devicehub.view import View
from devicehub.workstation import local_page, voices

if TYPE_CHECKING:
    from devicehub.web.commissioning import Commissioning

_log = logging.getLogger(__name__)

SIMULATION_SEED = 20261124
ENDING_MOST = 20.0
BROKER_PAUSE_FIRST = 0.5
BROKER_PAUSE_MOST = 30.0
BROKER_STEADY = 60.0


@dataclass(frozen=True, slots=True)
class Ready:
    """What is told once everything is built: where broker, page and metrics are, what an embedded broker cannot do.

    `instructor`: the page for whoever leads the exercise, if one is played.
    """

    settings: BrokerSettings
    prefix: str
    banner: str
    page: str = ""
    instructor: str = ""
    metrics: str = ""


async def serve(
    config: Config,
    *,
    on_ready: Callable[[Ready], None],
    stop: asyncio.Event | None = None,
    file: Path | None = None,
    stage: Stage | None = None,
    commissioning: "Commissioning | None" = None,
) -> None:
    """Run the hub until `stop`, SIGTERM or SIGINT. Raises `ConfigError`, `JournalError`, `DeliveryError`.

    `file`: where `config` was read, to be read again on SIGHUP. A state folder is for one hub at a time: a second one
    gets a `JournalError`. `stage`: of the exercise that is played; the hub ends with it. `commissioning`: for its page.
    """
    clock, progress = Clock(boot=since_boot) if stage is None else stage.clock, Progress()
    stop, hangup = stop or asyncio.Event(), asyncio.Event()
    _on_signals(stop, hangup)
    async with AsyncExitStack() as stack:
        stack.enter_context(held(made(config.hub.state)))
        world = await _world(config.hub.state, clock, stack) if stage is None else stage.bench
        broker = await _broker(config, stack, clock)
        settings = broker_settings(config) if broker is None else _embedded(config, broker)
        links = stack.enter_context(closing(Links(clock, world, progress)))
        executor, evidence = (
            stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix=name)) for name in ("journal", "evidence")
        )
        configured = Configured(config, links, clock, file)
        plan = replace(configured.plan(settings), own_broker=broker is not None)
        plan = replace(plan, executor=executor, evidence_executor=evidence, progress=progress)
        plan = _watched(plan, config, configured, clock)
        plan = plan if stage is None else stage.entered(plan)
        hub = Hub(plan, clock)
        watch = _watch(hub, clock, stage)
        places = await stack.enter_async_context(local_page(configured, plan, hub, clock, stage, commissioning))
        metrics = await stack.enter_async_context(_metrics(config, watch))
        on_ready(Ready(settings, plan.topics.prefix, "" if broker is None else broker.banner, *places, metrics))
        beside = [_reloading(hub, hangup), _watching(hub, configured, clock), watch.run(), watch.stopping(stop)]
        beside += [*voices(config, plan.view, hub, clock), *_kept_up(broker, stage, hub, plan, clock)]
        async with _beside(stop, *beside):
            await hub.run(stop)


def _watched(plan: Plan, config: Config, configured: Configured, clock: Clock) -> Plan:
    """The plan of a hub that somebody at the workstation sees or hears."""
    if config.page.enabled:
        return replace(plan, view=View(), taps=Taps(clock.utc, configured.kept_back))
    return replace(plan, view=View()) if config.sound.player else plan


def _kept_up(
    broker: EmbeddedBroker | None, stage: Stage | None, hub: Hub, plan: Plan, clock: Clock
) -> list[Coroutine[None, None, None]]:
    """What keeps up what stands beside a hub: the file of what was refused; a broker or a stage of its own."""
    kept = [plan.quarantine.keep(plan.state, clock)]
    kept += [] if broker is None else [_kept(broker, hub, clock)]
    return kept if stage is None else [*kept, stage.perform(hub, plan)]


async def demo(state: Path, *, seconds: float | None, port: int = 0, on_ready: Callable[[Ready], None]) -> None:
    """Run `config/demo.toml`: simulated devices of every family and an embedded broker, for `seconds` or for ever.

    `port`: the broker's, 0 for any that is free.
    """
    config = demo_config(state, port)
    stop = asyncio.Event()
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, stop.set)
    await serve(config, on_ready=on_ready, stop=stop)


def demo_config(state: Path, port: int = 0) -> Config:
    """The demonstration's configuration with its state in `state` and its broker at `port`."""
    config = load_config(shipped("demo.toml"))
    hub = config.hub.model_copy(update={"state": state})
    return config.model_copy(update={"hub": hub, "mqtt": config.mqtt.model_copy(update={"embedded_port": port})})


def _watch(hub: Hub, clock: Clock, stage: Stage | None) -> Watch:
    """The service manager hears of a station; of an exercise, whose time may hurry, it does not."""
    return Watch(hub.figures, clock, Notifier(os.environ if stage is None else {}).tell)


@asynccontextmanager
async def _metrics(config: Config, watch: Watch) -> AsyncIterator[str]:
    """What monitoring asks for, if it may; gives its address, which stands in a file too. Raises `ConfigError`."""
    if not config.metrics.enabled:
        yield ""
        return
    async with listening(config.metrics.port, watch.answers()) as address:
        with told(config.hub.state / "metrics-address", f"{address}\n"):
            yield address


def _on_signals(stop: asyncio.Event, hangup: asyncio.Event) -> None:
    """A process that does not end in time shows where it hangs and ends with code 1: a thread cannot be cancelled."""

    def on_signal() -> None:
        stop.set()
        faulthandler.dump_traceback_later(ENDING_MOST, exit=True)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    loop.add_signal_handler(signal.SIGHUP, hangup.set)


async def _world(state: Path, clock: Clock, stack: AsyncExitStack) -> SimulatedWorld:
    ports = stack.enter_context(emptied(state / "simulated"))
    return await stack.enter_async_context(SimulatedWorld(ports, clock, SIMULATION_SEED))


async def _broker(config: Config, stack: AsyncExitStack, clock: Clock) -> EmbeddedBroker | None:
    """An embedded broker where none is configured, for as long as `stack` is open."""
    if config.mqtt.url:
        return None
    folder = config.hub.state / "broker"
    broker = EmbeddedBroker(folder, clock=clock, port=config.mqtt.embedded_port)
    await stack.enter_async_context(broker)
    stack.enter_context(told(folder / "address", f"mqtt://{broker.host}:{broker.port}\n"))
    return broker


def _embedded(config: Config, broker: EmbeddedBroker) -> BrokerSettings:
    return replace(broker_settings(config), host=broker.host, port=broker.port, version=broker.version)


@asynccontextmanager
async def _beside(stop: asyncio.Event, *works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """What runs for as long as the hub does. What ends by itself stops it; a bug is raised then."""
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ends:
        if isinstance(error, Exception):
            raise error


async def _reloading(hub: Hub, hangup: asyncio.Event) -> None:
    """Reload on SIGHUP, for ever; one reload for several that come at once."""
    while True:
        await hangup.wait()
        hangup.clear()
        hub.reload()


async def _kept(broker: EmbeddedBroker, hub: Hub, clock: Clock) -> None:
    """Start the embedded broker again whenever it ends, for ever; the hub goes on journalling meanwhile."""
    failures = 0
    while True:
        began = clock.monotonic()
        try:
            await broker.ended()
        except DeliveryError as error:
            hub.remark("broker-ended", str(error))
        failures = 0 if clock.monotonic() - began >= BROKER_STEADY else failures
        restarted = False
        while not restarted:
            await clock.sleep(clock.jitter(_broker_pause(failures)))
            restarted = await _restarted(broker)
            failures += 1
        hub.remark("broker-restarted", f"at {broker.host}:{broker.port} again")


async def _restarted(broker: EmbeddedBroker) -> bool:
    try:
        await broker.again()
    except DeliveryError as error:
        _log.error("%s", error)
        return False
    return True


def _broker_pause(failures: int) -> float:
    """Most seconds to wait before the next attempt."""
    return float(min(BROKER_PAUSE_MOST, BROKER_PAUSE_FIRST * 2 ** min(failures, 10)))


async def _watching(hub: Hub, configured: Configured, clock: Clock) -> None:
    """Try absent devices as soon as something is plugged in, and tell of devices that cannot be told apart."""
    twins = Twins(configured.drivers, partial(hub.remark, "conflict"))

    def arrived(present: tuple[Present, ...]) -> None:
        hub.wake()
        twins.look(present)

    await tell_arrivals(lambda: HotPlug(clock, netlink()), arrived, clock)
