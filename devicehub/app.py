"""The composition root: configuration to a running hub, with its broker, links and signals."""

import asyncio
import faulthandler
import shutil
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from devicehub import __version__
from devicehub.clock import Clock
from devicehub.config import Config, MqttConfig, alarm_points, digest, load_config
from devicehub.config.resources import shipped
from devicehub.config.scan_key import kept_key
from devicehub.core import Setting
from devicehub.core.scans import Publish, ScanPolicy
from devicehub.driver import Driver
from devicehub.hub import Hub, Plan, will
from devicehub.links import Links
from devicehub.lock import held
from devicehub.model.errors import ConfigError
from devicehub.model.instant import instant
from devicehub.model.message import Kind
from devicehub.model.payload import InfoData
from devicehub.publish.broker import EmbeddedBroker
from devicehub.publish.envelope import Encoder
from devicehub.publish.mqtt import connect
from devicehub.publish.port import Connect
from devicehub.publish.settings import BrokerSettings, Tls, Version, tls_context
from devicehub.publish.topics import Topics, schema_id
from devicehub.registry import load_driver
from devicehub.supervisor import Post
from devicehub.transport.hotplug import HotPlug, netlink, tell_arrivals
from devicehub.transport.inventory import Present
from devicehub.transport.world import SimulatedWorld
from devicehub.twins import Twins

SIMULATION_SEED = 20261124
ENDING_MOST = 20.0


@dataclass(frozen=True, slots=True)
class Ready:
    """What is told once everything is built: where the broker is and what an embedded one cannot do."""

    settings: BrokerSettings
    prefix: str
    banner: str


async def serve(config: Config, *, on_ready: Callable[[Ready], None], stop: asyncio.Event | None = None) -> None:
    """Run the hub until `stop`, SIGTERM or SIGINT. Raises `ConfigError`, `JournalError`, `DeliveryError`.

    A state folder is for one hub at a time: a second one gets a `JournalError`.
    """
    clock = Clock()
    stop = stop or asyncio.Event()
    _stop_on_signals(stop)
    state = config.hub.state
    _make_folder(state)
    async with AsyncExitStack() as stack:
        stack.enter_context(held(state))
        ports = stack.enter_context(_emptied(state / "simulated"))
        world = await stack.enter_async_context(SimulatedWorld(ports, clock, SIMULATION_SEED))
        broker = await _broker(config, stack, clock)
        settings = broker_settings(config) if broker is None else _embedded(config, broker)
        links = Links(clock, world)
        stack.callback(links.close)
        executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="journal"))
        evidence = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="evidence"))
        plan = replace(_plan(config, links, settings, clock), executor=executor, evidence_executor=evidence)
        hub = Hub(plan, clock)
        on_ready(Ready(settings, plan.topics.prefix, broker.banner if broker is not None else ""))
        async with _hotplug(hub, plan, clock):
            await _together(hub, stop, broker)


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


def _stop_on_signals(stop: asyncio.Event) -> None:
    """A process that does not end in time shows where it hangs and ends with code 1: a thread cannot be cancelled."""

    def on_signal() -> None:
        stop.set()
        faulthandler.dump_traceback_later(ENDING_MOST, exit=True)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


def _make_folder(state: Path) -> None:
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"hub.state = {state}: {error.strerror}; choose a folder this user may write to") from None


async def _broker(config: Config, stack: AsyncExitStack, clock: Clock) -> EmbeddedBroker | None:
    """An embedded broker where none is configured, for as long as `stack` is open."""
    if config.mqtt.url:
        return None
    folder = config.hub.state / "broker"
    broker = EmbeddedBroker(folder, clock=clock, port=config.mqtt.embedded_port)
    await stack.enter_async_context(broker)
    stack.enter_context(_told(folder / "address", f"mqtt://{broker.host}:{broker.port}\n"))
    return broker


@contextmanager
def _told(path: Path, text: str) -> Iterator[None]:
    """A file that says where something is, for as long as it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """A folder of this run alone: what a killed run left in it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir()
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _embedded(config: Config, broker: EmbeddedBroker) -> BrokerSettings:
    return replace(broker_settings(config), host=broker.host, port=broker.port, version=broker.version)


async def _together(hub: Hub, stop: asyncio.Event, broker: EmbeddedBroker | None) -> None:
    """Run the hub; without its own broker it cannot go on: it stops, keeping its journal, and raises."""
    run = asyncio.create_task(hub.run(stop))
    if broker is None:
        await run
        return
    ended = asyncio.create_task(broker.ended())
    try:
        await asyncio.wait({run, ended}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await run
        if ended.done():
            ended.result()
    finally:
        for task in (run, ended):
            task.cancel()
        await asyncio.gather(run, ended, return_exceptions=True)


def broker_settings(config: Config) -> BrokerSettings:
    """How to connect to the configured broker. Raises `ConfigError` for a secret or certificate that is not usable."""
    mqtt = config.mqtt
    url = urlsplit(mqtt.url or "mqtt://127.0.0.1")
    secure = url.scheme == "mqtts"
    return BrokerSettings(
        host=url.hostname or "127.0.0.1",
        port=url.port or (8883 if secure else 1883),
        identifier=f"devicehub-{config.hub.site}-{config.hub.node}",
        username=mqtt.username,
        password=mqtt.password.read() if mqtt.password is not None else "",
        tls=_tls(mqtt) if secure else None,
        version=Version(mqtt.protocol),
        keepalive=mqtt.keepalive_s,
        window=mqtt.window,
    )


def _tls(mqtt: MqttConfig) -> ssl.SSLContext:
    return tls_context(ca=mqtt.ca, certificate=mqtt.certificate, key=mqtt.key, minimum=Tls(mqtt.tls_minimum))


def _plan(config: Config, links: Links, settings: BrokerSettings, clock: Clock) -> Plan:
    """What the hub is made of, without the threads of its journal and of its evidence."""
    enabled = [device for device in config.device if device.enabled]
    models = {name: load_driver(name) for name in {device.driver for device in enabled}}
    drivers = {device.id: models[device.driver].configured(device.options) for device in enabled}
    topics = Topics(config.hub.site, config.hub.node, exercise=config.hub.exercise)
    boot = clock.token(4).hex()
    encoder = Encoder(config.hub.site, config.hub.node, boot=boot, exercise=config.hub.exercise)
    return Plan(
        setting=_setting(config, drivers, clock),
        posts=_posts(config, drivers, links),
        connect=_connect(settings, topics, encoder, clock, boot),
        topics=topics,
        encoder=encoder,
        boot=boot,
        info=lambda: _info(config, boot, clock),
        state=config.hub.state,
        health_every=config.hub.health_s,
        keep_days=config.journal.days,
        window=config.mqtt.window,
    )


def _connect(settings: BrokerSettings, topics: Topics, encoder: Encoder, clock: Clock, boot: str) -> Connect:
    return lambda: connect(settings, will(topics, encoder, clock, boot))


def _setting(config: Config, drivers: Mapping[str, Driver], clock: Clock) -> Setting:
    return Setting(
        devices=drivers,
        limits=[point for point in alarm_points(config) if point.device in drivers],
        scans=ScanPolicy(Publish(config.scan.publish), _scan_key(config, clock)),
        rules_digest=digest(config),
        batch_readings=config.hub.readings == "batch",
        ids=clock.ulid,
    )


def _scan_key(config: Config, clock: Clock) -> bytes:
    """The configured key of the scan hash, or a random one that stays on this workstation."""
    if config.scan.key is not None:
        return config.scan.key.read().encode()
    return kept_key(config.hub.state / "scan.key", clock.token)


def _posts(config: Config, drivers: Mapping[str, Driver], links: Links) -> list[Post]:
    return [
        Post(device.id, links.opener(device, driver), partial(driver.open, device.options), driver.quiet)
        for device in config.device
        if (driver := drivers.get(device.id)) is not None
    ]


def _info(config: Config, boot: str, clock: Clock) -> InfoData:
    return InfoData(
        version=__version__,
        boot=boot,
        config_digest=digest(config),
        schema_version=config.schema_version,
        drivers=tuple(sorted({device.driver for device in config.device})),
        devices=tuple(device.id for device in config.device if device.enabled),
        clock_source="system",
        started=instant(clock.utc()),
        schemas=tuple(schema_id(kind) for kind in Kind),
    )


@asynccontextmanager
async def _hotplug(hub: Hub, plan: Plan, clock: Clock) -> AsyncIterator[None]:
    """Try absent devices as soon as something is plugged in, and tell of devices that cannot be told apart."""
    twins = Twins(plan.setting.devices.values(), partial(hub.remark, "conflict"))

    def arrived(present: tuple[Present, ...]) -> None:
        hub.wake()
        twins.look(present)

    task = asyncio.create_task(tell_arrivals(lambda: HotPlug(clock, netlink()), arrived, clock))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
