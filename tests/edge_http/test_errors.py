"""The table from codes to statuses, and the error body."""

import msgspec
import pytest

from edge_http.http.errors import STATUS_OF, Unauthenticated, error_response
from schemas.errors import Code, Error, Refusal, Transient, raised_from


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_status(code: Code) -> None:
    """Each error code maps to a client or server error status."""
    assert 400 <= STATUS_OF[code] < 600


def test_an_error_is_rendered_with_all_its_parts() -> None:
    """The body names code, message, field and hint; the response is not stored and not sniffed."""
    response = error_response(Refusal(Code.BAD_FIELD, "what", "where", "how"))
    assert response.status == 400
    assert msgspec.json.decode(response.body) == {
        "error": {"code": "bad_field", "message": "what", "field": "where", "hint": "how"}
    }
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_an_absent_field_is_null() -> None:
    """A client can rely on the four members."""
    body = msgspec.json.decode(error_response(Refusal(Code.NO_SUCH_MODEL, "none")).body)
    assert body["error"]["field"] is None
    assert body["error"]["hint"] is None


def test_unavailable_says_when_to_come_back() -> None:
    """A 503 has Retry-After in whole seconds, rounded up."""
    response = error_response(Transient(Code.UNAVAILABLE, "away", retry_after_s=1.2))
    assert (response.status, response.headers["Retry-After"]) == (503, "2")


def test_not_authenticated_carries_its_challenge() -> None:
    """A 401 has the WWW-Authenticate that its error brings."""
    response = error_response(Unauthenticated("no", 'Bearer realm="x"'))
    assert (response.status, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="x"')


def test_an_error_that_came_with_a_delay_says_so() -> None:
    """Whatever its status: a plug-in that is off comes on again."""
    off = Error(Code.RESOLVER_FAILED, "it is off", retry_after_s=299.2)
    assert error_response(raised_from(off)).headers["Retry-After"] == "300"
    assert "Retry-After" not in error_response(raised_from(Error(Code.RESOLVER_FAILED, "no"))).headers
