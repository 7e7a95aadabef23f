"""Answers that many endpoints give: errors of pages and of endpoints, and what is behind them."""

from collections.abc import Mapping
from typing import Final

from edge_http.openapi.describing import HTML, JSON, TEXT, JsonSchema, StatusAnswer, members, named, text
from schemas.errors import Code

_NULLABLE: Final = {"type": ["string", "null"]}

SCHEMAS: Final[Mapping[str, JsonSchema]] = {
    "Error": members(
        {
            "error": members(
                {
                    "code": {"type": "string", "enum": [code.value for code in Code]},
                    "message": text("For people."),
                    "field": _NULLABLE,
                    "hint": _NULLABLE,
                },
                {"missing": {"type": "object", "description": "The slice that the owner would have to grant."}},
            )
        }
    ),
    "OAuthError": members(
        {
            "error": text("As RFC 6749 and its kin call it.", "invalid_request"),
            "error_description": text("For people."),
            "code": {"type": "string", "enum": [code.value for code in Code]},
        },
        {"hint": text("What to do.")},
    ),
}

_SHOWN: Final = {HTML: {"type": "string"}, JSON: named("Error")}
"""Whoever reads pages gets one, everybody else JSON."""

_WORDS: Final = {
    400: "Something in it is missing, wrong, or there twice.",
    401: "Nobody is signed in, or not lately enough. A browser is sent to the sign-in page instead (303).",
    403: "It is not for this person, or no page of llum is shown to have sent it.",
    404: "There is no such thing.",
    409: "There is one already, or something has changed meanwhile.",
    413: "It is too large.",
    422: "It cannot be taken as things are.",
    429: "Too many attempts. `Retry-After` says when to come again.",
    503: "llum cannot answer now. `Retry-After` says when to come again.",
}

_OAUTH_WORDS: Final = _WORDS | {401: "The client is unknown, or has not shown that it is that one."}


def page(description: str) -> StatusAnswer:
    return StatusAnswer(description, {HTML: {"type": "string"}})


def found(description: str, schema: JsonSchema) -> StatusAnswer:
    return StatusAnswer(description, {JSON: schema})


def plain(description: str) -> StatusAnswer:
    return StatusAnswer(description, {TEXT: {"type": "string"}})


def sent_on(description: str = "A browser is sent on.") -> StatusAnswer:
    return StatusAnswer(description)


def refused(*statuses: int) -> dict[int, StatusAnswer]:
    """Give the errors of a page: whoever reads pages sees one."""
    return {status: StatusAnswer(_WORDS[status], _SHOWN) for status in (*statuses, 503)}


def of_form(*statuses: int) -> dict[int, StatusAnswer]:
    """Give the errors of what only somebody who is signed in may send, from a page of llum."""
    return refused(*sorted({400, 401, 403, 413, *statuses}))


def of_endpoint(*statuses: int) -> dict[int, StatusAnswer]:
    """Give the errors of an endpoint of OAuth."""
    return {status: found(_OAUTH_WORDS[status], named("OAuthError")) for status in (*statuses, 503)}
