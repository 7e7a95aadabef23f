"""What no client should send, and some will."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge_http.http.body import MAX_BODY_BYTES
from schemas.limits import MAX_COMMAND_BYTES
from tests.edge_http.conftest import Edge

TELL = b'{"version":"11.2","componentid":"c","evidence":{"value":%s}}'

BAD_BODIES = {
    "nothing": (b"", "malformed"),
    "not JSON": (b"hello", "malformed"),
    "half of it": (b'{"version": "11.2", "comp', "malformed"),
    "two of it": (TELL % b"1" + b"{}", "malformed"),
    "not UTF-8": (TELL % b'"\xff"', "malformed"),
    "a raw NUL": (TELL % b'"\x00"', "malformed"),
    "a lone surrogate": (TELL % rb'"\ud800"', "malformed"),
    "a lone surrogate and more": (TELL % rb'"\udc00abc"', "malformed"),
    "not a number": (TELL % b"NaN", "malformed"),
    "a huge exponent": (TELL % b"1e999", "bad_field"),
    "a huge integer": (TELL % (b"1" * 9000), "bad_field"),
    "a deep list": (TELL % (b"[" * 100_000), "too_deep"),
    "deep and well formed": (TELL % (b"[" * 100_000 + b"]" * 100_000), "too_deep"),
    "deep objects": (TELL % (b'{"a":' * 100_000), "too_deep"),
    "a list": (b"[]", "bad_field"),
    "text": (b'"tell"', "bad_field"),
    "null": (b"null", "bad_field"),
}


@pytest.mark.parametrize("op", ["tell", "nothing"])
@pytest.mark.parametrize(("body", "code"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_a_bad_body_is_refused_with_a_code(edge: Edge, op: str, body: bytes, code: str) -> None:
    """Never a 500, whatever the operation; nothing is sent."""
    response = await edge.post(op, body)
    found = await response.json()
    if op == "nothing":
        assert response.status in (200, 404, 413)
    else:
        assert response.status == 200
        assert (found["result"], found["error"]["code"], len(found["val"])) == ("error", code, 3)
    assert edge.requests.sent == []


async def test_a_large_integer_within_reason_is_passed_on(edge: Edge) -> None:
    """Whether it is a number that the component takes is for the model to say."""
    assert (await edge.call("tell", TELL % (b"1" * 300)))["result"] == "ok"
    assert edge.requests.commands[0].evidence.value == int("1" * 300)


async def test_escaped_control_characters_are_for_the_model_to_refuse(edge: Edge) -> None:
    """They are passed on as they are, to be judged in one place."""
    await edge.call("tell", {"componentid": "a\x00b", "evidence": {"value": "\x00"}, "context": ["\x07"]})
    assert edge.requests.commands[0].component == "a\x00b"


async def test_the_largest_command_fits(edge: Edge) -> None:
    """A value of almost the largest command's size arrives."""
    value = "x" * (MAX_COMMAND_BYTES - 1000)
    assert (await edge.call("tell", {"componentid": "c", "evidence": {"value": value}}))["result"] == "ok"


async def test_a_too_large_body_is_413(edge: Edge) -> None:
    """In the shape of the face, with the code."""
    response = await edge.post("tell", b" " * (MAX_BODY_BYTES + 1))
    found = await response.json()
    assert response.status == 413
    assert (found["result"], found["error"]["code"]) == ("error", "too_large")


async def test_a_too_large_body_without_a_length_is_413(edge: Edge) -> None:
    """Chunked bodies are counted as they come."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    response = await edge.http.post("/tell", data=chunks(), headers={"Authorization": "Bearer good"})
    assert response.status == 413
    assert (await response.json())["error"]["code"] == "too_large"


async def test_ten_megabytes_are_refused_and_the_edge_goes_on(edge: Edge) -> None:
    """The connection is told, and the next call works."""
    assert (await edge.post("tell", b"x" * 10_000_000)).status == 413
    assert (await edge.call("access"))["result"] == "ok"


async def test_a_bad_compressed_body_is_refused(edge: Edge) -> None:
    """A Content-Encoding that the body does not have is malformed, not a fault."""
    response = await edge.post("access", b"not gzip", headers={"Content-Encoding": "gzip"})
    found = await response.json() if response.content_type == "application/json" else None
    assert response.status < 500
    assert found is None or found["error"]["code"] == "malformed"


async def test_a_client_that_leaves_is_no_fault(edge: Edge) -> None:
    """Half a body and a closed connection leave the edge as it was."""
    port = edge.http.port
    assert port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /tell HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await edge.call("access"))["result"] == "ok"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/tell", 405),
        ("PUT", "/ask", 405),
        ("DELETE", "/ready", 405),
        ("POST", "/a/b", 404),
        ("GET", "/a/b", 404),
        ("GET", "/static", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/nothing", 404),
        ("POST", "/nothing", 404),
        ("DELETE", "/x%2fy", 404),
    ],
)
async def test_other_methods_and_paths_are_refused_in_json(edge: Edge, method: str, path: str, status: int) -> None:
    """No page, and state is never changed by GET."""
    response = await edge.http.request(method, path, headers={"Authorization": "Bearer good", "Accept": "text/html"})
    assert response.status == status
    assert (await response.json())["error"]["code"] == "unknown_verb"
    assert (await response.read()).endswith(b"}\n")
    assert response.headers.get("Allow") == ({405: "GET" if path == "/ready" else "POST"}.get(status))
    assert edge.requests.sent == []


@pytest.mark.parametrize("body", [b"", b"[]", b"x", b'{"a": 1}', b"\xff"])
@pytest.mark.parametrize("token", ["good", None])
async def test_what_is_no_call_finds_nothing(edge: Edge, body: bytes, token: str | None) -> None:
    """Only the original's clients, whose bodies name a version or a model, are answered false."""
    assert (await edge.post("nothing", body, token=token)).status == 404
    call = b'{"modelname": "-"}'
    assert (await edge.post("nothing", call, token=token)).status == (200 if token else 401)
