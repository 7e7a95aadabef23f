"""From outcomes and replies to the JSON that the original's clients read."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web

from edge_http.http.errors import STATUS_OF, headers_of, members_of
from edge_http.http.insufficient import insufficient_scope
from edge_http.http.pieces import pieces_response
from edge_http.http.responses import json_response
from edge_http.personis.old_errors import VAL_OF
from edge_http.personis.requests import wants_envelope
from model.formats.personis import LeftOut
from schemas.app_names import app_name
from schemas.asked import AskedRow
from schemas.errors import Code, Error, LlumError
from schemas.evidence import Evidence
from schemas.permissions import AS_TELL, PERMISSION_PARTS, Permission
from schemas.replies import (
    Accepted,
    AskReply,
    ComponentAnswer,
    ComponentFailure,
    ContextReply,
    Granted,
    RuleDescription,
    ViewDetails,
)
from schemas.reserved import unreserved

_OWN_STATUS: Final = frozenset(
    {
        Code.NOT_AUTHENTICATED,
        Code.NOT_FRESH,
        Code.CROSS_SITE,
        Code.TOO_LARGE,
        Code.RATE_LIMITED,
        Code.TOO_FAST,
        Code.UNAVAILABLE,
        Code.NOT_YET,
        Code.INTERNAL,
        # Only who chooses ids can get it, and the original's clients do not.
        Code.ID_REUSED,
    }
)
"""Codes that keep their HTTP status on this face: those that are not about the model. All others get 200."""

_DENIED: Final = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
"""The challenge of the 401 that tells a simple device that it may not."""

_FIELDS: Final = {
    "component.name": "componentobj.Identifier",
    "component.description": "componentobj.Description",
    "component.evidence": "componentobj.evidencelist",
    "component.extra": "componentobj",
    "view.name": "viewobj.Identifier",
    "view.components": "viewobj.component_list",
    "view.description": "viewobj.Description",
    "view.extra": "viewobj",
    "resolver_arguments": "resolver.arguments",
    "evidence_filter.name": "resolver.evidence_filter",
    "evidence_filter": "resolver",
}
"""Where the field of a command or query stands in the call. More particular names first."""

_COMPONENT_ID: Final = {"component": "componentid"}
_WHOLE: Final = {
    "tell": _COMPONENT_ID,
    "delcomponent": _COMPONENT_ID,
    "withdraw": _COMPONENT_ID,
    "consequences": _COMPONENT_ID,
    "follows": _COMPONENT_ID,
    "forgetpart": _COMPONENT_ID,
    "measurepart": _COMPONENT_ID,
    "set_goals": _COMPONENT_ID,
    "setresolver": _COMPONENT_ID,
    "list_subs": _COMPONENT_ID,
    "getpermission": _COMPONENT_ID,
    "setpermission": {**_COMPONENT_ID, **{part: f"permissions.{part}" for part in PERMISSION_PARTS}},
    "delete_sub": {**_COMPONENT_ID, "token": "subname"},
    "subscribe": {
        "component": "view",
        "further": "view",
        "statement": "subscription.statement",
        "user": "subscription.user",
    },
    "delview": {"view": "viewid"},
    "import_model": {"contexts": "partial_model"},
    "mkcomponent": {"component": "componentobj"},
    "mkview": {"view": "viewobj"},
    "mkcontext": {
        "name": "contextobj.Identifier",
        "description": "contextobj.Description",
        "resolver": "contextobj.resolver",
        "permissions": "contextobj.perms",
        "extra": "contextobj",
    },
}
"""The same for names that mean something else in each operation."""

_encoder: Final = msgspec.json.Encoder()

Value = Any
"""What an operation gives back; `msgspec.Raw` where it is encoded already."""

EvidencePieces = Sequence[bytes]
"""Evidence as a JSON list, cut into pieces anywhere."""


class LargeValue(NamedTuple):
    """A value of which parts are in pieces: in their places stand gaps, in the same order."""

    value: Value
    filling: Sequence[EvidencePieces]
    held: object
    """What must live as long as the pieces."""


GAP: Final = secrets.token_hex(16)
"""Stands where pieces go. Nobody outside knows it, so it is in no other place."""

_GAP: Final = b'"%b"' % GAP.encode()


def ok_response(value: Value, *, envelope: bool, beside: dict[str, Any] | None = None) -> web.Response:
    """Answer an operation that succeeded; what llum says more than the original stands beside the value."""
    if type(value) is LargeValue:
        return pieces_response(_filled(value, framed(value.value, envelope, beside)), value.held)
    return json_response(framed(value, envelope, beside))


def framed(value: Value, envelope: bool, beside: dict[str, Any] | None = None) -> bytes:
    """Encode a value as the answer to an operation that succeeded."""
    if not envelope:
        return _encoder.encode(value)
    return _encoder.encode({"result": "ok", "val": value, **(beside or {})})


def beside(
    failures: Sequence[ComponentFailure], skipped: Sequence[dict[str, Any]], settled: Accepted | None
) -> dict[str, Any]:
    """Name components that could not be answered, what an import has left out, and how far all has come."""
    named = {"failures": [_failure(failure) for failure in failures], "skipped": list(skipped)}
    said: dict[str, Any] = {name: members for name, members in named.items() if members}
    if settled is not None:
        said |= {"seq": settled.seq, "settled_seq": settled.settled_seq, "settled": settled.settled}
    return said


def skipped(one: dict[str, Any]) -> dict[str, Any]:
    """Render what the model has left out of an import."""
    return {**one, "app": app_name(one["app"])}


def left_out(one: LeftOut, base: list[str]) -> dict[str, Any]:
    """Render what could not even be sent, as what the model has left out."""
    app = {} if one.app is None else {"app": one.app}
    return {"what": one.what, **app, "path": [*base, *one.path], "code": one.code}


def _failure(failure: ComponentFailure) -> dict[str, Any]:
    return {"path": failure.path, "error": members_of(in_call("ask", failure.error))}


def error_response(body: bytes, error: LlumError, *, by_password: bool = False) -> web.Response:
    """Answer an operation that failed; `body` is that of the call, as far as it was read.

    `val` is for the original's OAuth client, `error` for all others. The original's client for simple devices, which
    sends a password, looks at nothing but the status.
    """
    has_status = by_password or error.code in _OWN_STATUS
    denied = by_password and error.code is Code.PERMISSION_DENIED
    status = 401 if denied else STATUS_OF[error.code] if has_status else 200
    headers = _DENIED if denied else headers_of(error)
    if not wants_envelope(body):
        return json_response(b"false", status, headers)
    return json_response(_error_answer(error), status, headers)


def error_to_oauth(metadata_url: str, body: bytes, error: LlumError) -> web.Response:
    """Answer an app that has its token by OAuth 2, and so knows what a 403 says: which right is missing.

    Everything else is answered as to the original's clients. `metadata_url`: where llum says who gives tokens.
    """
    if error.code is not Code.PERMISSION_DENIED:
        return error_response(body, error)
    headers = {"WWW-Authenticate": insufficient_scope(error.error, metadata_url)}
    return json_response(_error_answer(error), STATUS_OF[error.code], headers)


def _error_answer(error: LlumError) -> bytes:
    return _encoder.encode({"result": "error", "val": VAL_OF[error.code], "error": members_of(error.error)})


def _filled(large: LargeValue, frame: bytes) -> Iterator[bytes]:
    """Give the body in pieces: what was encoded as one is not copied into one text."""
    first, *rest = frame.split(_GAP)
    yield first
    for pieces, after in zip(large.filling, rest, strict=True):
        yield from pieces
        yield after


def in_call(op: str, error: Error) -> Error:
    """Give an error from the bus with its field named as the call names it."""
    if error.field is None:
        return error
    for ours, theirs in (*_FIELDS.items(), *_WHOLE.get(op, {}).items()):
        if error.field == ours or error.field.startswith((f"{ours}.", f"{ours}[", f"{ours}:")):
            return msgspec.structs.replace(error, field=theirs + error.field[len(ours) :])
    return error


def already_exists(name: str) -> str:
    """Say that a component is there."""
    return f"component {_ascii(name)} already exists"


def no_such_component(name: str) -> str:
    """Say that a component to be deleted is not there."""
    return f"no component matched {_ascii(name)}"


def _ascii(name: str) -> str:
    """Write a name for the original's client, which cannot take text at the top level that is not ASCII."""
    return name.encode("ascii", "backslashreplace").decode()


def with_contexts(reply: AskReply, components: list[dict[str, Any]], user: str) -> list[Any]:
    """Render the list of four: components, sub-contexts, views, subscriptions."""
    return [components, reply.contexts or [], views(reply), subscriptions(reply.rules or {}, user)]


def views(reply: AskReply) -> dict[str, Any]:
    """Render a context's views by name."""
    details = reply.view_details or {}
    return {name: _view(name, items, details.get(name, _PLAIN)) for name, items in (reply.views or {}).items()}


def subscriptions(rules: dict[str, dict[str, RuleDescription]], user: str) -> dict[str, dict[str, Any]]:
    """Render rules by component and token. The original shows a password with each; here there is none."""
    return {
        name: {token: _subscription(rule, user) for token, rule in by_token.items()} for name, by_token in rules.items()
    }


def _subscription(rule: RuleDescription, user: str) -> dict[str, Any]:
    """What was given for its user is shown as that; then the app that it belongs to stands beside it."""
    scheduled = {} if rule.schedule is None else {"schedule": rule.schedule}
    suspended = {} if rule.suspended is None else {"suspended": rule.suspended}
    kept = {"statement": rule.statement, "created": rule.created, **scheduled, **suspended}
    app = app_name(rule.app)
    named = {"user": app} if rule.user is None else {"user": rule.user, "app": app}
    return {**kept, **named, "modelname": user}


def exported_subscriptions(
    rules: dict[str, dict[str, RuleDescription]], user: str
) -> dict[str, dict[str, dict[str, Any]]]:
    """Render rules with the four members that the original wants to import: with one more or less it takes none."""
    return {name: {token: _exported(rule, user) for token, rule in by.items()} for name, by in rules.items()}


def _exported(rule: RuleDescription, user: str) -> dict[str, Any]:
    return {"user": rule.user or app_name(rule.app), "password": "", "statement": rule.statement, "modelname": user}


def context(path: list[str], found: ContextReply, permissions: dict[str, Any]) -> dict[str, Any]:
    """Render what is known of a context. Its size is a number: of contexts, components and pieces of evidence."""
    rendered = {
        "Identifier": path[-1] if path else ".",
        "Description": found.description,
        "perms": permissions,
        "resolver": found.resolver,
        "objectType": "Context",
        "creation_time": found.created,
    }
    if found.time_zone is not None:
        rendered["time_zone"] = found.time_zone
    if found.size is not None:
        rendered["size"] = found.size.contexts + found.size.components + found.size.evidence
    return {**found.extra, **rendered}


def asked_row(row: AskedRow) -> dict[str, Any]:
    """Write who asked or told something. The app has the name that it is known by."""
    return {**msgspec.structs.asdict(row), "app": app_name(row.app)}


def permission(found: Permission | Granted) -> dict[str, Any]:
    """Render what is set for an app in one place; what is not set is left out, and what `tell` says for others."""
    said = {name: part for name in PERMISSION_PARTS if (part := getattr(found, name, None)) is not None}
    return {name: part for name, part in said.items() if name not in AS_TELL or part != said.get("tell")}


def component(answer: ComponentAnswer, evidence: msgspec.Raw | str) -> dict[str, Any]:
    """Render a component with its evidence, which is encoded already, or a gap for it."""
    members = {
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
    return members if answer.extra is None else {**answer.extra, **members}


def evidence_list(pieces: Sequence[Evidence]) -> bytes:
    """Encode evidence as a JSON list, without what was withdrawn: the original's clients would count it."""
    return _encoder.encode([_evidence(piece) for piece in pieces if piece.withdrawn is None])


class _OldEvidence(msgspec.Struct, gc=False):
    """Evidence as the original gives it. A struct is encoded three times as fast as a dictionary."""

    evidence_type: str
    source: str
    owner: str
    value: Any
    comment: str | None
    flags: list[str]
    time: float | None
    creation_time: float
    useby: float | None
    objectType: str = "Evidence"  # noqa: N815 - the original's name


def _evidence(piece: Evidence) -> _OldEvidence | dict[str, Any]:
    told = _OldEvidence(
        piece.evidence_type,
        app_name(piece.source),
        piece.owner,
        piece.value,
        piece.comment,
        piece.flags,
        piece.time,
        piece.creation_time,
        piece.useby,
    )
    if not piece.extra and not piece.correction:
        return told
    correction = {"correction": True} if piece.correction else {}
    return {**unreserved(piece.extra), **correction, **msgspec.structs.asdict(told)}


_PLAIN: Final = ViewDetails()


def _view(name: str, items: list[str | list[str]], details: ViewDetails) -> dict[str, Any]:
    own = {"Identifier": name, "Description": details.description, "component_list": items, "objectType": "View"}
    return {**details.extra, **own}
