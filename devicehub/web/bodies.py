"""What a browser sends with a request."""

from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

T = TypeVar("T")


async def decoded(request: Request, kind: type[T], most: int, what: str) -> T:
    """The JSON of a request's body. Raises `HTTPException` for one longer than `most` bytes, or of another make."""
    body = await request.body()
    if len(body) > most:
        raise HTTPException(413, f"{what} has at most {most} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise HTTPException(422, str(error)) from None
