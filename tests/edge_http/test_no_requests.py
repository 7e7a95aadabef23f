"""What aiohttp refuses by itself is answered as all errors are: JSON, and no word of what llum is made of."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.edge_http.conftest import Edge
from tests.edge_http.connecting import Client


@pytest.fixture
async def client(edge: Edge) -> AsyncIterator[Client]:
    assert edge.http.port is not None
    client = await Client.connect(edge.http.port)
    yield client
    client.close()


LONG = b"x" * 10_000

NO_REQUESTS = {
    "no HTTP": (b"what is this\r\n\r\n", 400, "malformed"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "malformed"),
    "another HTTP": (b"GET / HTTP/9.9\r\nHost: llum\r\n\r\n", 400, "malformed"),
    "a header without a name": (b"GET / HTTP/1.1\r\nHost: llum\r\n: x\r\n\r\n", 400, "malformed"),
    "a header with a control character": (b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", 400, "malformed"),
    "two lengths": (
        b"POST /tell HTTP/1.1\r\nHost: llum\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "malformed"
    ),
    "a path that is too long": (b"GET /" + LONG + b" HTTP/1.1\r\nHost: llum\r\n\r\n", 431, "too_large"),
    "a header that is too long": (b"GET / HTTP/1.1\r\nHost: llum\r\nX: " + LONG + b"\r\n\r\n", 431, "too_large"),
    "an unknown path": (b"GET /nowhere HTTP/1.1\r\nHost: llum\r\n\r\n", 404, "unknown_verb"),
    "a method that it has not": (b"DELETE /tell HTTP/1.1\r\nHost: llum\r\n\r\n", 405, "unknown_verb"),
    "an expectation": (
        b"POST /tell HTTP/1.1\r\nHost: llum\r\nExpect: wonders\r\nContent-Length: 0\r\n\r\n", 417, "malformed"
    ),
    "a body that is too large": (
        b"POST /tell HTTP/1.1\r\nHost: llum\r\nAuthorization: Bearer good\r\nContent-Length: 99999999\r\n\r\n",
        413,
        "too_large",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "status", "code"), NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
async def test_every_refusal_is_json_and_names_no_versions(client: Client, sent: bytes, status: int, code: str) -> None:
    """With its code, and the id under which the log has it."""
    client.send(sent)
    answered, headers, body = await client.answer()
    assert (answered, body["error"]["code"]) == (status, code)
    assert set(body["error"]) == {"code", "message", "field", "hint"}
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "llum"
    assert headers["X-Request-Id"]
    said = str((headers, body)).lower()
    assert not [name for name in ("aiohttp", "python", "llhttp", "xxxx", "traceback") if name in said]


async def test_what_came_is_neither_said_nor_logged(client: Client) -> None:
    """It may be a password, sent to the wrong door."""
    with capture_logs() as lines:
        client.send(b"secret-in-the-wrong-place\r\n\r\n")
        _, headers, body = await client.answer()
    (line,) = lines
    assert line["request_id"] == headers["X-Request-Id"]
    assert (line["event"], line["status"], line["code"]) == ("request", 400, "malformed")
    assert "secret" not in str((body, line))
