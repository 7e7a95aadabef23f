"""The preferences service."""

from typing import Final

from edge_http.openapi.answers import found
from edge_http.openapi.describing import FORM, JSON, DescribedEndpoint, JsonSchema, StatusAnswer, members, named, text
from schemas.errors import Code

_MERGE_PATCH: Final = "application/merge-patch+json"

_OBJECT: Final[JsonSchema] = {"type": "object"}

_EXAMPLE: Final = {
    "contexts": {"gpii-default": {"preferences": {"http://registry.gpii.net/common/fontSize": 18}}},
}

_SET: Final[JsonSchema] = {
    "examples": [_EXAMPLE],
    **members(
        {
            "contexts": {
                "type": "object",
                "additionalProperties": members({"preferences": _OBJECT}, {"name": {"type": "string"}}),
            }
        },
        {"name": {}, "metadata": {}},
    ),
}

SCHEMAS: Final[dict[str, JsonSchema]] = {
    "PreferenceSet": _SET,
    "PreferencesError": members(
        {
            "isError": {"const": True},
            "message": text("For people."),
            "code": {"type": "string", "enum": [code.value for code in Code]},
        },
        {
            "errorCode": text("As the original service calls it.", "GPII_ERR_NO_GPIIKEY"),
            "isValid": {"const": False},
            "errors": {"type": "array", "items": _OBJECT},
            "field": {"type": ["string", "null"]},
            "hint": {"type": ["string", "null"]},
            "missing": {"type": "object", "description": "The slice that the owner would have to grant."},
        },
    ),
}

_PUT: Final = found("What was sent, and the key.", members({"gpiiKey": {"type": "string"}, "preferences": _OBJECT}))

_GOT: Final = StatusAnswer(
    "The preferences. Nothing at all: the key is known, and has no safe.", {JSON: named("PreferenceSet")}
)

_SETTING: Final[dict[str, JsonSchema]] = {name: {"type": "string"} for name in ("gpiiKey", "view", "set", "term")}

_HISTORY: Final = members(
    _SETTING | {"history": {"type": "array", "items": members({"app": text("Who.", "kiosk"), "time": text("When.")})}},
    {"next": text("There is a further page: send this as `after`.")},
)

_WORDS: Final = {
    400: "The body is no preferences: `errors` says why. Or it cannot be read, or a parameter is wrong.",
    401: "There is no token, or it is worthless, and the paths are not open without one.",
    403: "The token or key is for other preferences, may not do that, or was revoked.",
    404: "There is no such key, or its preferences are read-only.",
    409: "The id was used before, or something of that name is there already.",
    413: "The body has more than 100 KiB.",
    422: "It cannot be taken as things are.",
    429: "Too many are under way. `Retry-After` says when to come again.",
    503: "llum cannot answer now. `Retry-After` says when to come again.",
}


def _refused(*statuses: int) -> dict[int, StatusAnswer]:
    return {status: found(_WORDS[status], named("PreferencesError")) for status in (*statuses, 503)}


_VIEW: Final[dict[str, JsonSchema]] = {"view": text("The ontology; `flat` if none is named.", "flat")}
_AT: Final[dict[str, JsonSchema]] = {"at": text("As of this time: ISO 8601, or seconds since 1970.")}
_TERM: Final[dict[str, JsonSchema]] = {
    "term": text("Which setting: a term, or a path.", "http://registry.gpii.net/common/fontSize"),
    **_VIEW,
    "set": text("Which context of the preferences.", "gpii-default"),
}
_SENT: Final = {JSON: _SET, FORM: members({"contexts": _OBJECT})}
_READING: Final = (400, 401, 403, 404)
_WRITING: Final = (400, 401, 403, 404, 409, 413, 422, 429)


PREFERENCES: Final = (
    DescribedEndpoint(
        "POST",
        "/preferences",
        "Keeps preferences under a new key.",
        {200: _PUT, **_refused(400, 401, 403, 413, 422, 429)},
        query=_VIEW,
        body=_SENT,
    ),
    DescribedEndpoint(
        "GET",
        "/preferences/{key}",
        "Gives preferences in an ontology.",
        {200: _GOT, 304: StatusAnswer("`If-None-Match` names what there is."), **_refused(*_READING)},
        query={**_VIEW, **_AT},
    ),
    DescribedEndpoint(
        "PUT",
        "/preferences/{key}",
        "Keeps preferences in an ontology, in place of those there, or merged into them.",
        {200: _PUT, **_refused(*_WRITING)},
        query={**_VIEW, "merge": text("Only `true` merges.", "true")},
        body=_SENT,
    ),
    DescribedEndpoint(
        "PATCH",
        "/preferences/{key}",
        "Changes preferences by a merge patch (RFC 7396): null unsets.",
        {200: _PUT, **_refused(*_WRITING)},
        query=_VIEW,
        body={_MERGE_PATCH: members({}, {"contexts": _OBJECT})},
    ),
    DescribedEndpoint(
        "GET",
        "/preferences/{key}/history",
        "Says of a setting who set it, when, and what it was before.",
        {200: found("Oldest first.", _HISTORY), **_refused(*_READING)},
        query={**_TERM, "after": text("The `next` of the page before.")},
    ),
    DescribedEndpoint(
        "GET",
        "/preferences/{key}/explain",
        "Says why a setting has its value.",
        {200: found("The value, and why.", members(_SETTING | {"explanation": _OBJECT})), **_refused(*_READING)},
        query={**_TERM, **_AT},
    ),
    DescribedEndpoint(
        "GET",
        "/preferences/{key}/changes",
        "Tells what changes, as it happens: server-sent events. `Last-Event-ID` names what was heard last.",
        {
            200: StatusAnswer("It goes on until the right to know ends.", {"text/event-stream": {"type": "string"}}),
            **_refused(400, 401, 403, 404, 429),
        },
    ),
)
