"""Reads request bodies, whatever the Content-Type says; every fault is a refusal."""

import asyncio
from typing import Final

from aiohttp import web

from schemas.errors import Code, Refusal
from schemas.limits import MAX_COMMAND_BYTES

MAX_BODY_BYTES: Final = MAX_COMMAND_BYTES + 64 * 1024
"""Bytes of a body: a command of the largest size, and what the HTTP form of it has more (names of members, escapes)."""

BODY_TIMEOUT_S: Final = 30.0
"""Seconds until a body must have arrived, 36 KB/s for the largest: a slower sender holds its memory for too long."""


async def read_body(request: web.Request, max_bytes: int = MAX_BODY_BYTES, timeout_s: float = BODY_TIMEOUT_S) -> bytes:
    """Read the whole body, or raise `too_large` or, if it does not arrive in time, `malformed`."""
    body = arrived_body(request, max_bytes)
    if body is not None:
        return body
    declared = request.content_length
    if declared is not None and declared > max_bytes:
        raise too_large(max_bytes)
    try:
        async with asyncio.timeout(timeout_s):
            return await _arriving(request, max_bytes)
    except TimeoutError as error:
        raise Refusal(Code.MALFORMED, f"the body did not arrive within {timeout_s:g} s") from error


def arrived_body(request: web.Request, max_bytes: int = MAX_BODY_BYTES) -> bytes | None:
    """Take a body that is here already, as small ones are; None if it is not. Raises `too_large`."""
    if not request.content.is_eof():
        return None
    body = request.content.read_nowait()
    if len(body) > max_bytes:
        raise too_large(max_bytes)
    return body


async def _arriving(request: web.Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > max_bytes:
            raise too_large(max_bytes)
    return bytes(body)


def too_large(max_bytes: int = MAX_BODY_BYTES) -> Refusal:
    """Make the refusal of a body that exceeds its bound."""
    hint = "keep large data elsewhere and tell its address"
    return Refusal(Code.TOO_LARGE, f"a body has at most {max_bytes} bytes here", None, hint)
