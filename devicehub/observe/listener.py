"""`/metrics`, `/livez` and `/readyz` on loopback: a listener of its own, since a hub without a page has it too.

It speaks as much of HTTP/1.1 (RFC 9112) as a scraper and `curl` need: one GET or HEAD a connection, without a body.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

from devicehub.model.errors import ConfigError

LOOPBACK: Final = "127.0.0.1"
LONGEST: Final = 8192
PATIENCE: Final = 5.0
MOST: Final = 16
_PLAIN: Final = "text/plain; charset=utf-8"
_NAMES: Final = frozenset({"127.0.0.1", "localhost"})
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class Answer(Struct, frozen=True):
    """What is answered to a path."""

    code: int
    text: str
    content: str = _PLAIN


Answers = Mapping[str, Callable[[], Answer]]


@asynccontextmanager
async def listening(port: int, answers: Answers) -> AsyncIterator[str]:
    """Answer for as long as this is entered; gives the address. Raises `ConfigError` where the port is taken.

    `port`: 0 for any free one. `answers`: by path; none of them waits.
    """
    busy: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(busy) < MOST:
            busy.add(writer)
            try:
                await _served(reader, writer, answers)
            finally:
                busy.discard(writer)
        writer.close()

    try:
        server = await asyncio.start_server(serve, LOOPBACK, port, limit=LONGEST)
    except OSError as error:
        raise ConfigError(f"metrics.port = {port}: {error.strerror}; choose another or 0 for any free one") from None
    async with server:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        server.close()
        for writer in busy:
            writer.close()


async def _served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers) -> None:
    """One request. Whoever asks nothing in time, or no longer listens, gets no answer."""
    try:
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(response(head, answers))
            await writer.drain()
    except asyncio.LimitOverrunError:
        writer.write(_encoded(Answer(400, f"a request has at most {LONGEST} bytes\n")))
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
        return


def response(head: bytes, answers: Answers) -> bytes:
    """The whole answer to the head of a request."""
    first, *fields = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return _encoded(Answer(400, "this is no HTTP/1.1 request\n"))
    if not _of_loopback(fields):  # a web site that the browser shows reaches loopback too
        return _encoded(Answer(403, "this answers to 127.0.0.1 and localhost alone\n"))
    if words[0] not in {"GET", "HEAD"}:
        return _encoded(Answer(405, "GET or HEAD\n"))
    find = answers.get(words[1].partition("?")[0])
    answer = Answer(404, "".join(f"{path}\n" for path in answers)) if find is None else find()
    return _encoded(answer, body=words[0] == "GET")


def _of_loopback(fields: list[str]) -> bool:
    hosts = [value.strip() for name, _, value in (line.partition(":") for line in fields) if name.lower() == "host"]
    return len(hosts) == 1 and hosts[0].partition(":")[0] in _NAMES


def _encoded(answer: Answer, *, body: bool = True) -> bytes:
    text = answer.text.encode()
    head = (
        f"HTTP/1.1 {answer.code} {_REASONS[answer.code]}\r\nContent-Type: {answer.content}\r\n"
        f"Content-Length: {len(text)}\r\nConnection: close\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode() + (text if body else b"")
