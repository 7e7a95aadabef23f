"""The middleware: one line for each request, and no fault that leaks."""

import structlog
from structlog.testing import capture_logs

from schemas.errors import Code
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import refused

TELL = {"componentid": "c", "evidence": {"value": "a secret value"}}


async def test_each_request_writes_one_line(edge: Edge) -> None:
    """Who, what, how it ended and how long it took; no token and no value."""
    with capture_logs() as lines:
        response = await edge.post("tell", TELL)
    (line,) = lines
    assert line["event"] == "request"
    assert line["request_id"] == response.headers["X-Request-Id"]
    expected = {"method": "POST", "route": "/tell", "op": "tell", "status": 200, "user": "alice", "app": "probe"}
    assert {name: line[name] for name in expected} == expected
    assert line["code"] is None
    assert line["bytes"] == len(await response.read())
    assert line["duration_ms"] >= 0
    assert "good" not in str(line)
    assert "secret" not in str(line)


async def test_the_line_names_the_code_of_an_error(edge: Edge) -> None:
    """Also where the status is 200."""
    edge.requests.outcomes = [refused(Code.BAD_VALUE)]
    with capture_logs() as lines:
        await edge.post("tell", TELL)
    assert (lines[0]["status"], lines[0]["code"]) == (200, "bad_value")


async def test_an_unknown_operation_is_not_written_into_the_log(edge: Edge) -> None:
    """What strangers make up does not become a name in the log."""
    with capture_logs() as lines:
        await edge.post("made_up")
    assert (lines[0]["route"], lines[0]["op"]) == ("/{op}", "unknown")


async def test_a_fault_is_logged_and_kept_from_the_client(edge: Edge) -> None:
    """Status 500, the request's id, no trace of what happened; the log has the traceback."""
    edge.requests.outcomes = [ZeroDivisionError("inner matters")]
    with capture_logs(processors=[structlog.processors.format_exc_info]) as lines:
        response = await edge.post("tell", TELL)
    found = await response.json()
    assert response.status == 500
    assert (found["result"], found["error"]["code"]) == ("error", "internal")
    assert response.headers["X-Request-Id"] in found["error"]["hint"]
    assert "inner" not in await response.text()
    failed = next(line for line in lines if line["event"] == "request_failed")
    assert "ZeroDivisionError" in failed["exception"]
    assert failed["request_id"] == response.headers["X-Request-Id"]


async def test_a_fault_outside_the_personis_face_is_json(edge: Edge) -> None:
    """Other routes answer `{"error": …}` only."""
    edge.bus.inbox.served.clear()
    response = await edge.http.get("/ready", headers={"Accept": "text/html"})
    assert response.status == 500
    assert list(await response.json()) == ["error"]


async def test_every_answer_has_the_security_headers(edge: Edge) -> None:
    """Answers and errors alike; and the server does not name its parts."""
    for response in (await edge.post("tell", TELL), await edge.post("tell", b""), await edge.http.get("/a/b")):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Server"] == "llum"
        assert response.content_type == "application/json"


async def test_request_ids_differ(edge: Edge) -> None:
    """Two requests are never taken for one."""
    ids = {(await edge.post("access")).headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5
