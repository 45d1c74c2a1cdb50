"""As much of HTTP as a scraper needs: one answer to one request, to this computer alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicehub.observe.listener import Answer, response

ANSWERS = {"/livez": lambda: Answer(200, "ok\n"), "/readyz": lambda: Answer(503, "FAIL broker\n")}


def asked(text: str) -> tuple[int, str]:
    head, _, body = response(text.replace("\n", "\r\n").encode(), ANSWERS).decode().partition("\r\n\r\n")
    assert f"Content-Length: {len(body) if body else ''}" in head or text.startswith("HEAD")
    return int(head.split(" ")[1]), body


def test_a_known_path_is_answered_with_what_holds_now() -> None:
    assert asked("GET /livez HTTP/1.1\nHost: 127.0.0.1:9480\n\n") == (200, "ok\n")
    assert asked("GET /readyz?verbose HTTP/1.1\nhost: localhost\n\n") == (503, "FAIL broker\n")
    assert asked("HEAD /livez HTTP/1.1\nHost: localhost\n\n") == (200, "")


@pytest.mark.parametrize(
    ("request_text", "code"),
    [
        ("GET /other HTTP/1.1\nHost: localhost\n\n", 404),
        ("POST /livez HTTP/1.1\nHost: localhost\n\n", 405),
        ("GET /livez HTTP/1.1\nHost: evil.example\n\n", 403),
        ("GET /livez HTTP/1.1\nHost: localhost.evil.example\n\n", 403),
        ("GET /livez HTTP/1.1\n\n", 403),
        ("GET /livez HTTP/1.1\nHost: localhost\nHost: evil.example\n\n", 403),
        ("GET /livez\nHost: localhost\n\n", 400),
        ("GET /livez SPDY/3\nHost: localhost\n\n", 400),
    ],
)
def test_everything_else_is_refused(request_text: str, code: int) -> None:
    assert asked(request_text)[0] == code


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(head: bytes) -> None:
    assert response(head, ANSWERS).startswith(b"HTTP/1.1 ")
