"""Forms with a file, as a browser sends them (RFC 7578). Only pages that take a file read these."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.multipart import BodyPartReader

from edge_http.http.body import BODY_TIMEOUT_S, too_large
from schemas.errors import Code, Refusal

MAX_FIELD_BYTES: Final = 4096
"""Bytes of a field that is no file."""

MAX_PARTS: Final = 32
"""Fields of such a form, the file included."""


async def read_upload(request: web.Request, max_bytes: int) -> tuple[dict[str, list[str]], bytes]:
    """Read the fields, and the file, of at most so many bytes; without one it is empty.

    Raises `too_large`, `malformed`.
    """
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _read(request, max_bytes)
    except TimeoutError as error:
        raise Refusal(Code.MALFORMED, f"the body did not arrive within {BODY_TIMEOUT_S:g} s") from error
    except (ValueError, AssertionError, HttpProcessingError, web.HTTPException) as error:
        # What aiohttp raises for bodies that are not what they say; a part that is too long among it.
        raise Refusal(Code.MALFORMED, f"the body is no form with a file: {error}") from error


async def _read(request: web.Request, max_bytes: int) -> tuple[dict[str, list[str]], bytes]:
    reader, fields, file = await request.multipart(), dict[str, list[str]](), b""
    for _ in range(MAX_PARTS):
        part = await reader.next()
        if part is None:
            return fields, file
        if not isinstance(part, BodyPartReader) or not part.name:
            raise Refusal(Code.MALFORMED, "a part of the form has no name")
        if part.filename is None:
            value = await _bytes_of(part, MAX_FIELD_BYTES)
            fields.setdefault(part.name, []).append(value.decode())
        else:
            file = await _bytes_of(part, max_bytes)
    raise Refusal(Code.TOO_LARGE, f"a form with a file has at most {MAX_PARTS} fields")


async def _bytes_of(part: BodyPartReader, max_bytes: int) -> bytes:
    found = bytearray()
    while chunk := await part.read_chunk():
        found += chunk
        if len(found) > max_bytes:
            raise too_large(max_bytes)
    return bytes(found)
