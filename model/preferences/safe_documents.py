"""A safe and its document: the command that makes the one, and the document that says what the other is.

What the document says goes where safes made here have it; what llum has no place for goes with it, and comes back.
"""

from collections.abc import Mapping
from typing import Any, Final

from model.preferences.documents import SAFE, Document, unkept
from schemas.preferences import DEFAULT_VIEW, PutPreferences, SafeFacts

SCHEMA_VERSION: Final = "0.2"
"""That of documents that llum writes of its own safes."""

MEMBERS: Final = (
    "_id", "type", "schemaVersion", "prefsSafeType", "name", "password", "email", "preferences", "timestampCreated",
    "timestampUpdated",
)  # fmt: skip
"""Of such a document, in their order."""

_MISSING: Final = "_missing"
"""What is kept of a document that does not have all members: their names. No member of a document begins with a _."""


def safe_command(document: Document, command_id: str) -> PutPreferences:
    """Give the command that makes the safe of a document."""
    members = document.members
    kept, sets = _kept(members), _sets(members)
    first = next(iter(sets), None)
    facts = SafeFacts(
        type=members["prefsSafeType"],
        name=members.get("name"),
        password=members.get("password"),
        email=members.get("email"),
        created=members.get("timestampCreated"),
        updated=members.get("timestampUpdated"),
        id=document.id,
        document=kept,
        sets={view: sets[view] for view in sets if view != first},
    )
    view = DEFAULT_VIEW if first is None else first
    return PutPreferences(id=command_id, view=view, body=sets.get(view), make=facts)


def safe_document(safe_id: str, facts: Mapping[str, Any], made: str | None, sets: Mapping[str, Any]) -> dict[str, Any]:
    """Give the document of a safe, of its facts by name. `made`: when its model was made."""
    kept = dict(facts.get("document") or {})
    missing = kept.pop(_MISSING, ())
    others = kept.pop("preferences", {})
    version = None if "schemaVersion" in missing else SCHEMA_VERSION
    values = {
        "_id": safe_id,
        "type": SAFE,
        "schemaVersion": kept.pop("schemaVersion", version),
        "prefsSafeType": facts.get("type", "user"),
        "name": facts.get("name"),
        "password": facts.get("password"),
        "email": facts.get("email"),
        "preferences": {**sets, **_left(others, sets)} or others,
        "timestampCreated": facts.get("created", None if "id" in facts else made),
        "timestampUpdated": facts.get("updated"),
    }
    there = {name: value for name, value in values.items() if value is not None or name not in missing}
    return {**there, **kept}


def _kept(members: dict[str, Any]) -> dict[str, Any]:
    """Give what goes with the safe."""
    kept = unkept(members, MEMBERS)
    preferences, sets = members.get("preferences"), _sets(members)
    others = {view: one for view, one in (preferences or {}).items() if view not in sets}
    if others or preferences is None:
        kept["preferences"] = others or None
    if members.get("schemaVersion", SCHEMA_VERSION) != SCHEMA_VERSION:
        kept["schemaVersion"] = members["schemaVersion"]
    missing = [name for name in MEMBERS if name not in members]
    return {**kept, _MISSING: missing} if missing else kept


def _sets(members: dict[str, Any]) -> dict[str, Any]:
    """Give the sets of preferences of a document. What is no object is none, though a database may hold it."""
    return {view: one for view, one in (members.get("preferences") or {}).items() if isinstance(one, dict)}


def _left(others: dict[str, Any] | None, sets: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a database has held in the place of sets that are not there now."""
    return {view: one for view, one in (others or {}).items() if view not in sets}
