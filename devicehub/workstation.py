"""What is at this workstation for whoever works there: the page, and alarms that are heard."""

from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from devicehub.clock import Clock
from devicehub.config import Config
from devicehub.configured import Configured
from devicehub.exercise.stage import Stage
from devicehub.folder import emptied, told
from devicehub.hub import Hub, Plan
from devicehub.model.alarm import Priority
from devicehub.model.errors import ConfigError
from devicehub.preflight_page import printed
from devicehub.publish.topics import Topics
from devicehub.sound import Sounder, Sounding
from devicehub.view import View

if TYPE_CHECKING:
    from devicehub.web.commissioning import Commissioning  # a hub without a page need not have what it imports


@asynccontextmanager
async def local_page(
    configured: Configured,
    plan: Plan,
    hub: Hub,
    clock: Clock,
    stage: Stage | None,
    commissioning: "Commissioning | None",
) -> AsyncIterator[tuple[str, str]]:
    """The local page; gives its addresses, empty without one. Raises `ConfigError`. Imports what only a page needs."""
    if plan.view is None or plan.taps is None:
        yield "", ""
        return
    try:
        from devicehub.web import Page, serving  # noqa: PLC0415 - a hub without a page need not have it installed
    except ImportError as error:
        raise ConfigError(f"page.enabled = true: {error.name} is missing; install devicehub[page]") from None
    page = Page(
        view=plan.view,
        taps=plan.taps,
        topics=plan.topics,
        command=hub.command,
        state=plan.state,
        port=configured.page.port,
        clock=clock,
        rules=configured.rulebook,
        training=stage,
        printed=printed,
        remark=hub.remark,
        connected=hub.connected,
        commissioning=commissioning,
    )
    async with serving(page) as places, AsyncExitStack() as files:
        for name, place in zip(("page-address", "instructor-address"), places, strict=True):
            if place:
                files.enter_context(told(plan.state / name, f"{place}\n"))
        yield places


def voices(config: Config, view: View | None, hub: Hub, clock: Clock) -> Iterator[Coroutine[None, None, None]]:
    """What runs beside the hub so that alarms are heard; nothing where nobody is to hear them."""
    if view is not None and config.sound.player:
        yield _sounding(config, view, hub, clock)


async def _sounding(config: Config, view: View, hub: Hub, clock: Clock) -> None:
    """Have alarms heard, for ever. Raises `ConfigError`."""
    topics = Topics(config.hub.site, config.hub.node, exercise=config.hub.exercise)
    with emptied(config.hub.state / "sounds") as folder:
        sounding = Sounding(
            player=config.sound.player,
            least=Priority(config.sound.least),
            place=f"{topics.prefix}/alarm/",
            folder=folder,
            told=hub.sounded,
        )
        await Sounder(sounding, view, clock).run()
