"""From a body that was read to one command: it is checked, and what says the same in other ontologies is found."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bus.as_app import new_id
from edge_http.preferences.answers import InvalidPreferences
from edge_http.preferences.face import PreferencesFace
from edge_http.preferences.limited import BeyondAllowed, Body, allowed_part
from edge_http.preferences.reached import ReachedPlace, moved_place
from schemas.errors import Code, Error, LlumError, raised_from
from schemas.preferences import DEFAULT_VIEW, PutMode, PutPreferences, SafeFacts
from schemas.replies import Refused

if TYPE_CHECKING:
    from model.preferences.ontologies import Ontologies

_OBJECT_EXPECTED: Final = {
    "message": "The value supplied should be a(n) object.",
    "dataPath": [],
    "schemaPath": ["type"],
    "rule": {"type": "object"},
}


def check_body(face: PreferencesFace, body: Any) -> Body:
    """Give a body that is preferences. Raises `InvalidPreferences` with all that is wrong."""
    if not isinstance(body, dict):
        raise InvalidPreferences([_OBJECT_EXPECTED])
    errors = face.installed.codex.errors(body)
    if errors:
        raise InvalidPreferences(errors)
    return body


def check_patch(face: PreferencesFace, patch: Body) -> Body:
    """Give a merge patch that leaves preferences. What it unsets is not checked. Raises as `check_body`.

    Each context has preferences: a patch that brings a new one without any brings none.
    """
    contexts = patch.get("contexts")
    if isinstance(contexts, dict):
        filled = {name: _with_preferences(context) for name, context in contexts.items()}
        patch = patch | {"contexts": filled}
    check_body(face, {"contexts": {}} | _without_nulls(patch))
    return patch


def _with_preferences(context: Any) -> Any:
    return {"preferences": {}} | context if isinstance(context, dict) else context


def _without_nulls(value: Body) -> Body:
    return {
        name: _without_nulls(member) if isinstance(member, dict) else member
        for name, member in value.items()
        if member is not None
    }


async def put_preferences(
    face: PreferencesFace,
    reached: ReachedPlace,
    body: Body,
    view: str,
    mode: PutMode,
    identifier: str | None = None,
    *,
    is_first: bool = False,
) -> bool:
    """Send the command; tell whether it has made the safe. Raises what the model refuses, and `unavailable`.

    `is_first`: the key is new, so nothing is there that could say the same in another ontology.

    Where a person has just joined the safe to their model, it is sent there. A token that may write some terms only
    may send nothing else: `BeyondAllowed`.
    """
    body = _within_allowed(reached, body, view, mode)
    command = PutPreferences(
        id=identifier or new_id(),
        context=list(reached.place),
        view=view,
        body=body,
        mode=mode,
        equivalents={} if is_first else _equivalents(face.installed.ontologies, body, view, mode),
        make=SafeFacts(key=reached.key) if reached.makes_safes else None,
    )
    outcome = await reached.as_app.outcome(command)
    if isinstance(outcome, Refused):
        moved = await moved_place(reached) if outcome.error.code is Code.READ_ONLY else None
        if moved is not None:
            return await put_preferences(face, moved, body, view, mode, identifier)
        raise _in_request(outcome.error)
    return bool(outcome.result["made"])


def _equivalents(ontologies: "Ontologies", body: Body, view: str, mode: PutMode) -> dict[str, Any]:
    """Find what goes in other ontologies: what a body sets, and what a patch unsets. A merge brings it back anyway."""
    if mode == "merge":
        return {}
    return ontologies.equivalents_of_patch(body, view) if mode == "patch" else ontologies.equivalents(body, view)


def _in_request(error: Error) -> LlumError:
    """Name the place in the body as the sender of the body does."""
    if error.field is not None:
        error = msgspec.structs.replace(error, field=error.field.removeprefix("body").removeprefix(".") or None)
    return raised_from(error)


def _within_allowed(reached: ReachedPlace, body: Body, view: str, mode: PutMode) -> Body:
    """Hold a token that may write some terms to these: in each context, and so that nothing else goes."""
    if reached.allowed is None:
        return body
    if view != DEFAULT_VIEW or mode == "replace":
        raise BeyondAllowed(None, "send ?merge=true without another view: it may unset nothing else")
    return allowed_part(body, reached.allowed, mode)
