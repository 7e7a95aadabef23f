"""From outcomes and replies to the JSON that the original's clients read."""

from typing import Any, Final

import msgspec
from aiohttp import web

from edge_http.errors import STATUS_OF, headers_of, members_of
from edge_http.personis.requests import wants_envelope
from edge_http.responses import json_response
from schemas.errors import Code, Error, LlumError
from schemas.evidence import Evidence
from schemas.replies import AskReply, ComponentAnswer

_OWN_STATUS: Final = frozenset({Code.NOT_AUTHENTICATED, Code.TOO_LARGE, Code.UNAVAILABLE, Code.NOT_YET, Code.INTERNAL})
"""Codes that keep their HTTP status on this face: those that are not about the model. All others get 200."""

_FIELDS: Final = {
    "component.name": "componentobj.Identifier",
    "component.description": "componentobj.Description",
    "component.evidence": "componentobj.evidencelist",
    "view.name": "viewobj.Identifier",
    "view.components": "viewobj.component_list",
    "evidence_filter.name": "resolver.evidence_filter",
    "evidence_filter": "resolver",
}
"""Where the field of a command or query stands in the call. More particular names first."""

_WHOLE: Final = {
    "tell": {"component": "componentid"},
    "mkcomponent": {"component": "componentobj"},
    "mkview": {"view": "viewobj"},
    "mkcontext": {
        "name": "contextobj.Identifier",
        "description": "contextobj.Description",
        "resolver": "contextobj.resolver",
    },
}
"""The same for names that mean something else in each operation."""

_encoder: Final = msgspec.json.Encoder()

Value = Any
"""What an operation gives back; `msgspec.Raw` where it is encoded already."""


def ok_response(value: Value, *, envelope: bool) -> web.Response:
    """Answer an operation that succeeded."""
    return json_response(_encoder.encode({"result": "ok", "val": value} if envelope else value))


def error_response(body: bytes, error: LlumError) -> web.Response:
    """Answer an operation that failed; `body` is that of the call, as far as it was read.

    `val` has four items, never three: of three, the original's client unpickles the last.
    """
    has_status = error.code in _OWN_STATUS
    status = STATUS_OF[error.code] if has_status else 200
    if not wants_envelope(body):
        return json_response(b"false", status, headers_of(error))
    members = members_of(error.error)
    answer: dict[str, Any] = {"result": "error", "val": list(members.values())}
    if has_status:
        answer["error"] = members
    return json_response(_encoder.encode(answer), status, headers_of(error))


def in_call(op: str, error: Error) -> Error:
    """Give an error from the bus with its field named as the call names it."""
    if error.field is None:
        return error
    for ours, theirs in (*_FIELDS.items(), *_WHOLE.get(op, {}).items()):
        if error.field == ours or error.field.startswith((f"{ours}.", f"{ours}[")):
            return msgspec.structs.replace(error, field=theirs + error.field[len(ours) :])
    return error


def already_exists(name: str) -> str:
    """Say that a component is there. The original's client cannot take text at the top level that is not ASCII."""
    return f"component {name.encode('ascii', 'backslashreplace').decode()} already exists"


def with_contexts(reply: AskReply, components: list[dict[str, Any]]) -> list[Any]:
    """Render the list of four: components, sub-contexts, views, subscriptions."""
    views = {name: _view(name, items) for name, items in (reply.views or {}).items()}
    return [components, reply.contexts or [], views, reply.subscriptions or {}]


def component(answer: ComponentAnswer, evidence: msgspec.Raw) -> dict[str, Any]:
    """Render a component with its evidence, which is encoded already."""
    return {
        "Identifier": answer.path[-1],
        "Description": answer.description,
        "component_type": answer.component_type,
        "value_type": answer.value_type,
        "value_list": answer.value_list,
        "value": answer.value,
        "resolver": answer.resolver,
        "goals": answer.goals,
        "objectType": "Component",
        "creation_time": answer.creation_time,
        "evidencelist": evidence,
    }


def evidence_list(pieces: list[Evidence]) -> bytes:
    """Encode evidence as a JSON list."""
    return _encoder.encode([_evidence(piece) for piece in pieces])


def _evidence(piece: Evidence) -> dict[str, Any]:
    return {
        **piece.extra,
        "evidence_type": piece.evidence_type,
        "source": piece.source,
        "owner": piece.owner,
        "value": piece.value,
        "comment": piece.comment,
        "flags": piece.flags,
        "time": piece.time,
        "creation_time": piece.creation_time,
        "useby": piece.useby,
        "objectType": "Evidence",
    }


def _view(name: str, items: list[str | list[str]]) -> dict[str, Any]:
    return {"Identifier": name, "Description": "", "component_list": items, "objectType": "View"}
