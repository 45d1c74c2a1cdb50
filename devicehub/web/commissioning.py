"""A station that is set up at the page: examined, devices found, one of them added. For who has the page's token."""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from devicehub.model.commissioning import Examination, Hardware, Wish
from devicehub.model.errors import ConfigError, LinkBusyError
from devicehub.transport.blocking import Blocking
from devicehub.web.bodies import decoded

LONGEST: Final = 4096

T = TypeVar("T")


class Commissioning(Protocol):
    """What is done on the workstation for it. All of it is called in a thread."""

    @property
    def changes(self) -> bool:
        """Whether devices may be added."""
        ...

    def examined(self) -> Examination:
        """What a technician would look at. Raises nothing: what cannot be looked at is a finding."""
        ...

    def found(self) -> tuple[Hardware, ...]:
        """What is plugged in. Raises `ConfigError`."""
        ...

    def add(self, wish: Wish) -> str:
        """Add a device to the configuration file; gives its id. Raises `ConfigError`, and nothing has changed."""
        ...


class Office:
    """Carries it out for the page, in threads that keep nobody waiting at the end; each thing once at a time."""

    def __init__(self, commissioning: Commissioning | None, remark: Callable[[str, str], None]) -> None:
        """`commissioning`: None where no file configures this hub. `remark`: what was done becomes an event."""
        self._commissioning = commissioning
        self._remark = remark
        self._examining, self._finding = Blocking("examination"), Blocking("setup")

    async def examined(self, _: Request) -> Response:
        """An `Examination` as JSON."""
        return _json(await _done(self._examining, self._there().examined))

    async def found(self, _: Request) -> Response:
        """`{"changes": whether devices may be added, "hardware": [...]}`."""
        one = self._there()
        return _json({"changes": one.changes, "hardware": await _done(self._finding, one.found)})

    async def add(self, request: Request) -> Response:
        """A `Wish` comes true: `{"id"}`. It takes effect when the configuration is read again."""
        one = self._there()
        if not one.changes:
            raise HTTPException(403, "page.setup is not true in the configuration: no device is added here")
        wish = await _wish(request)
        name = await _done(self._finding, one.add, wish)
        self._remark("device-added", f"{name}, {wish.driver} at {wish.place}, by {wish.issuer}")
        return _json({"id": name})

    def _there(self) -> Commissioning:
        if self._commissioning is None:
            raise HTTPException(404, "no file configures this hub: there is nothing to set up")
        return self._commissioning


async def _done(thread: Blocking, work: Callable[..., T], *given: object) -> T:
    try:
        return await thread.run(work, *given)
    except LinkBusyError:
        raise HTTPException(409, "the last one is still under way") from None
    except ConfigError as error:
        raise HTTPException(422, str(error)) from None


async def _wish(request: Request) -> Wish:
    wish = await decoded(request, Wish, LONGEST, "a wish")
    if not wish.issuer.strip():
        raise HTTPException(422, "whoever adds a device says who that is")
    return wish


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
