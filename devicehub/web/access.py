"""Who may use the page: this workstation alone, with the token that stands in a file only its user may read.

A page on loopback is reached by every program and every web site that the browser shows. So each request has to name
loopback in `Host` (against DNS rebinding), to come from the page itself where it says where it comes from, and to carry
the token: once in the address, from then on in a cookie that no script can read.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "devicehub"
KEPT: Final = "page-token"
_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_FORBIDDEN: Final = 403


def policy(scripts: str = "'self'", styles: str = "'self'") -> str:
    """What a page may do: nothing with anybody else, and run no text that the server did not vouch for."""
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src 'self' blob:; connect-src 'self'; "
        "font-src 'self'; media-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


def vouched(text: str) -> str:
    """A script or a style within a page, as `policy` allows it: by its SHA-256."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS: Final[Mapping[bytes, bytes]] = {
    b"content-security-policy": policy().encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cache-control": b"no-store",
}


def token_file(state: Path, fresh: str) -> str:
    """The token of a state folder; `fresh` where there is none yet. Raises `OSError`."""
    path = state / KEPT
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(fresh + "\n", encoding="ascii")
    return path.read_text(encoding="ascii").strip()


class Guard:
    """Lets through what is allowed, and puts the headers of a page that trusts nothing on all answers."""

    def __init__(self, app: ASGIApp, token: str, instructor: str = "") -> None:
        """`instructor`: another token, of whoever leads an exercise; whether it was given is `state.instructor`."""
        self._app = app
        self._token = token
        self._instructor = instructor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `Guard`."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        why = self._refusal(scope, headers)
        if why:
            await _refused(scope, receive, send, why)
        elif scope["type"] == "http" and (given := _given(scope)) and self._known(given):
            await self._welcome(given, scope, receive, send)
        else:
            scope.setdefault("state", {})["instructor"] = self._leads(_given(scope)) or self._leads(_cookie(headers))
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> str:
        """Why a request is not let through; empty where it is."""
        if not _of_loopback(f"//{headers.get('host', '')}"):
            return "this page answers to 127.0.0.1 and localhost alone"
        origin = headers.get("origin", "")
        if origin and (not _of_loopback(origin) or urlsplit(origin).netloc != headers.get("host")):
            return f"a page of {origin!r} may not use this one"
        if not origin and (scope["type"] == "websocket" or scope["method"] not in {"GET", "HEAD"}):
            return "whoever changes something says where it comes from"
        if self._known(_given(scope)) or self._known(_cookie(headers)):
            return ""
        return "open the address that devicehub printed when it started: it has the token of this workstation"

    def _known(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode()) or self._leads(given)

    def _leads(self, given: str) -> bool:
        return bool(self._instructor) and hmac.compare_digest(given.encode(), self._instructor.encode())

    async def _welcome(self, given: str, scope: Scope, receive: Receive, send: Send) -> None:
        """The token leaves the address: a cookie has it from now on."""
        answer = RedirectResponse(scope["path"], 303)
        answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", path="/")
        await answer(scope, receive, _with_headers(send))


def _of_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _NAMES
    except ValueError:
        return False


def _given(scope: Scope) -> str:
    """The token in the address."""
    found = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
    return found[0] if found else ""


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


async def _refused(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4403, "reason": why[:120]})
    else:
        await PlainTextResponse(f"{why}\n", _FORBIDDEN)(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *((k, v) for k, v in HEADERS.items() if k not in own)]
        await send(message)

    return sent
