"""The page's server on a real socket: who may use it, what it tells, and that it ends in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from devicehub.clock import Clock
from devicehub.commissioning import StationCommissioning
from devicehub.model.errors import ConfigError
from devicehub.model.payload import RulesData
from devicehub.model.reading import Image, Layout, Reading, Stamp
from devicehub.model.rulebook import Response, RuleBook
from devicehub.preflight_page import printed
from devicehub.publish.port import Incoming, Outgoing
from devicehub.publish.topics import Topics
from devicehub.taps import Taps
from devicehub.view import View
from devicehub.web import Page, serving
from devicehub.web.training import Training
from devicehub.wire.packet import Packet
from tests.patience import PATIENCE

pytestmark = pytest.mark.real

TOPICS = Topics("bcp", "ws-1", exercise=True)
DIGEST = "ab" * 32
STEPS = (Response(("category:threat",), {"en": ("Stop.",)}),)
BOOK = RuleBook(RulesData(f"sha256:{DIGEST}", 0), "", changeable=False, points=(), responses=STEPS)


@dataclass
class Site:
    """A page, and what it was asked to have done."""

    view: View
    taps: Taps
    state: Path
    address: str = ""
    instructor: str = ""
    commands: list[Incoming] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def cookie(self) -> str:
        return f"devicehub={self.address.rpartition('=')[2]}"

    async def asks(
        self, path: str, headers: Mapping[str, str], method: str = "GET", body: bytes = b""
    ) -> tuple[int, str, bytes]:
        """A request by hand, so that every header is what the test says: status, headers, body."""
        given = {"Host": self.host, "Connection": "close", "Content-Length": str(len(body))} | dict(headers)
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        host, port = self.host.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        start, _, content = answer.partition(b"\r\n\r\n")
        return int(start.split()[1]), start.decode(), content

    @property
    def known(self) -> dict[str, str]:
        return {"Cookie": self.cookie}

    def socket(self, path: str, **headers: str) -> connect:
        given = {"Cookie": self.cookie} | headers
        origin = given.pop("Origin", f"http://{self.host}")
        return connect(f"ws://{self.host}{path}", additional_headers=given, origin=origin or None, compression=None)  # type: ignore[arg-type]


@asynccontextmanager
async def site(
    folder: Path,
    lesson: Training | None = None,
    commissioning: StationCommissioning | None = None,
    topics: Topics = TOPICS,
) -> AsyncIterator[Site]:
    one = Site(View(), Taps(lambda: 12.5, "scanner".__eq__), folder)
    page = Page(
        view=one.view,
        taps=one.taps,
        topics=topics,
        command=one.commands.append,
        state=folder,
        port=0,
        clock=Clock(),
        training=lesson,
        rules=lambda: BOOK,
        remark=lambda what, why: one.remarks.append((what, why)),
        connected=lambda: False,
        printed=printed,
        commissioning=commissioning,
    )
    async with serving(page) as places:
        one.address, one.instructor = places
        yield one


def out(topic: str, payload: bytes, *, retain: bool = False) -> Outgoing:
    return Outgoing(f"{TOPICS.prefix}/{topic}", payload, 1, retain, None, "t", "i", "s")


async def news(socket: ClientConnection) -> dict[str, object]:
    """The next message, but none of those by which the hub says that it is there while nothing happens."""
    found: dict[str, object] = {"messages": []}
    async with asyncio.timeout(PATIENCE):
        while found.get("messages") == []:
            found = json.loads(await socket.recv())
    return found


async def test_the_address_with_the_token_gives_a_cookie_and_the_cookie_gives_the_page(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        status, head, _ = await one.asks(f"/?token={one.cookie.partition('=')[2]}", {})
        assert (status, "location: /\r\n" in head) == (303, True)
        assert f"set-cookie: {one.cookie}; HttpOnly; Path=/; SameSite=strict" in head
        status, head, body = await one.asks("/", one.known)
        assert (status, b"<main" in body) == (200, True)
        assert "content-security-policy: default-src 'none'; script-src 'self'" in head
        assert (tmp_path / "page-token").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "open the address"),
        ({"Cookie": "devicehub=00"}, "open the address"),
        ({"Host": "broker"}, "127.0.0.1 and localhost alone"),
        ({"Host": "127.0.0.1.broker:80"}, "127.0.0.1 and localhost alone"),
        ({"Origin": "http://broker:1"}, "may not use this one"),
        ({"Origin": "http://127.0.0.1:1"}, "may not use this one"),
        ({"Origin": "null"}, "may not use this one"),
    ],
)
async def test_who_has_no_token_or_comes_from_elsewhere_gets_nothing(
    tmp_path: Path, headers: dict[str, str], why: str
) -> None:
    async with site(tmp_path) as one:
        known = {} if "Cookie" in headers or not headers else {"Cookie": one.cookie}
        for path in ("/", "/static/main.js", f"/evidence/{DIGEST}"):
            status, _, body = await one.asks(path, known | headers)
            assert (status, why in body.decode()) == (403, True)


async def test_a_socket_of_another_page_or_without_token_is_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        for headers in ({"Cookie": ""}, {"Origin": "http://broker:1"}, {"Origin": ""}):
            with pytest.raises((InvalidStatus, ConnectionClosed)):
                async with one.socket("/ws/news", **headers) as socket:
                    await socket.recv()


async def test_a_command_is_taken_as_if_it_had_come_over_mqtt_and_only_from_the_page_itself(tmp_path: Path) -> None:
    order = json.dumps({"target": "hub", "verb": "ack", "issuer": "op-1", "args": {"alarm": "x"}}).encode()
    async with site(tmp_path) as one:
        status, _, _ = await one.asks("/api/command", one.known, "POST", order)
        assert (status, one.commands) == (403, [])
        status, _, body = await one.asks("/api/command", one.known | {"Origin": f"http://{one.host}"}, "POST", order)
        (command,) = one.commands
        sent = json.loads(command.payload)
        assert (status, command.topic) == (202, f"{TOPICS.prefix}/cmd/hub/ack")
        assert (sent["issuer"], sent["args"], sent["id"]) == ("op-1", {"alarm": "x"}, json.loads(body)["id"])
        for wrong in (b"{", b'{"target": "hub"}', b'{"target": 1, "verb": "ack", "issuer": "op"}'):
            status, _, _ = await one.asks("/api/command", one.known | {"Origin": f"http://{one.host}"}, "POST", wrong)
            assert status == 422
        assert len(one.commands) == 1


async def test_what_is_retained_comes_first_and_then_what_is_new(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        one.view.post(out("device/a", b'{"data":1}', retain=True))
        async with one.socket("/ws/news") as socket:
            assert await news(socket) == {
                "prefix": TOPICS.prefix,
                "missed": 0,
                "connected": False,
                "messages": [["device/a", {"data": 1}]],
            }
            one.view.extend([out("alarm/a/hot", b"", retain=True), out("event/x", b'{"data":2}')])
            assert (await news(socket))["messages"] == [["event/x", {"data": 2}], ["alarm/a/hot", None]]


async def test_images_come_as_they_are_taken_and_only_the_newest(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        for shade in (1, 2):
            image = Image("image", bytes([shade, 0]), Layout.U8, 2, 1)
            one.view.look(Reading("cam", Stamp(1.0, 1.0), image))
        async with one.socket("/ws/images/cam?rate=20") as socket, asyncio.timeout(PATIENCE):
            first = await socket.recv()
            assert isinstance(first, bytes)
            assert (first[4], len(first)) == (2, 26)


async def test_what_passes_over_a_link_is_told_to_who_asks_and_of_documents_only_how_much(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        async with one.socket("/ws/raw/gamma-1") as open_one, one.socket("/ws/raw/scanner") as closed:
            assert await news(open_one) == {"hidden": False, "missed": 0, "lines": []}
            assert await news(closed) == {"hidden": True, "missed": 0, "lines": []}
            for device in ("gamma-1", "scanner"):
                one.taps.packet(device, "<", Packet(b"P<UTO"))
            assert (await news(open_one))["lines"] == [{"at": 12.5, "sign": "<", "text": "50 3c 55 54 4f"}]
            assert (await news(closed))["lines"] == [{"at": 12.5, "sign": "<", "text": "", "size": 5}]
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            async with one.socket("/ws/raw/gamma-1", Origin="http://broker:1") as socket:
                await socket.recv()


async def test_an_end_is_no_error_however_many_browsers_there_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with site(tmp_path) as one:
        sockets = [await one.socket(path) for path in ("/ws/news", "/ws/images/cam", "/ws/raw/cam")]
        sockets[0].transport.pause_reading()
        one.view.extend(out("event/x", b'"' + b"x" * 5_000_000 + b'"') for _ in range(4))
        await Clock().sleep(0)
    for socket in sockets:
        socket.transport.abort()
        await socket.wait_closed()
    assert [record.getMessage() for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}] == []


async def test_evidence_is_given_by_its_digest_and_nothing_else_of_the_disk(tmp_path: Path) -> None:
    for folder, data in (("evidence", b"real"), ("evidence-exercise", b"\xff\xd8\xff\xd9")):
        kept = tmp_path / folder / DIGEST[:2] / DIGEST
        kept.parent.mkdir(parents=True)
        kept.write_bytes(data)
    async with site(tmp_path) as one:
        status, head, body = await one.asks(f"/evidence/{DIGEST}", one.known)
        assert (status, body, "content-type: image/jpeg" in head) == (200, b"\xff\xd8\xff\xd9", True)
        assert f'content-disposition: inline; filename="evidence-exercise-{DIGEST}"' in head
        for path in (
            f"/evidence/{'cd' * 32}",
            "/evidence/..%2fpage-token",
            "/static/..%2f..%2fserver.py",
            "/static/../server.py",
        ):
            status, _, _ = await one.asks(path, one.known)
            assert status in {403, 404}


async def test_a_port_that_is_taken_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    async with site(tmp_path) as one:
        port = int(one.host.split(":")[1])
        page = Page(
            view=View(),
            taps=one.taps,
            topics=TOPICS,
            command=print,
            state=tmp_path,
            port=port,
            clock=Clock(),
            rules=lambda: BOOK,
            remark=print,
            connected=lambda: True,
            printed=printed,
        )
        with pytest.raises(ConfigError, match=f"page.port = {port}: Address already in use"):
            async with serving(page):
                pass


async def test_browsers_that_read_nothing_keep_nobody_from_ending(tmp_path: Path) -> None:
    clock = Clock()
    async with site(tmp_path) as one:
        stalled = [await one.socket("/ws/news") for _ in range(4)]
        for socket in stalled:
            socket.transport.pause_reading()
        big = b'"' + b"x" * 100_000 + b'"'
        for _ in range(100):
            one.view.extend(out("event/x", big) for _ in range(2))
            await clock.sleep(0)
        began = clock.monotonic()
    assert clock.monotonic() - began < 2.0
    for socket in stalled:
        socket.transport.abort()
        await socket.wait_closed()
