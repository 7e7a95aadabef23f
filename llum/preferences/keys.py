"""Keys as the operator sees them: what each opens, and that it opens nothing any more."""

from typing import TYPE_CHECKING, Any

import msgspec

from identity.preferences.keys import KeyRecord, PreferenceKeys, check_key
from llum.preferences.safes import Safes
from schemas.errors import Code, Refusal

if TYPE_CHECKING:
    from llum.client import Client


class ShownSafe(msgspec.Struct):
    """A safe that is a model of its own."""

    id: str
    type: str
    made: str | None
    updated: str | None
    settings: dict[str, int]
    """How many it holds, by ontology."""


class ShownKey(msgspec.Struct):
    """What `llum preferences show` shows."""

    key: str
    user: str
    """Whose model it opens."""
    place: list[str]
    """The context there."""
    is_joined: bool
    """The place is a part of a person's model, and what is there is shown to that person alone."""
    revoked: bool
    reason: str | None
    safe: ShownSafe | None
    """None: it is joined, or nothing was stored yet."""


async def look_up(client: "Client", key: str) -> ShownKey:
    """Tell what a key opens. Raises `bad_field`, `no_such_key`."""
    keys = PreferenceKeys(client.bus)
    record = await keys.find(check_key(key))
    safe = None if record.is_joined else await _shown_safe(Safes(client, keys), record.user)
    _check_known(record, safe)
    return _shown(record, safe)


async def revoke(client: "Client", key: str, reason: str | None) -> ShownKey:
    """Have a key open nothing from now on. What it has opened stays. Raises `bad_field`, `no_such_key`."""
    shown = await look_up(client, key)
    record = await PreferenceKeys(client.bus).revoke(key, reason)
    return _shown(record, shown.safe)


async def _shown_safe(safes: Safes, user: str) -> ShownSafe | None:
    safe, held = await safes.find(user), await safes.preferences(user)
    if safe is None or held is None:
        return None
    settings = {view: sum(map(_count, _trees(one))) for view, one in held.sets.items()}
    return ShownSafe(safe.id, held.type, safe.made, held.updated, settings)


def _check_known(record: KeyRecord, safe: ShownSafe | None) -> None:
    if not record.known and safe is None:
        hint = "a key is written as whoever made it has written it, with capitals and small letters"
        raise Refusal(Code.NO_SUCH_KEY, f"nothing is stored under the key {record.key[:80]!r}", "gpiiKey", hint)


def _shown(record: KeyRecord, safe: ShownSafe | None) -> ShownKey:
    return ShownKey(record.key, record.user, list(record.place), record.is_joined, record.revoked, record.reason, safe)


def _trees(one: Any) -> list[Any]:
    """Give the preferences of a set, context by context."""
    contexts = one.get("contexts") if isinstance(one, dict) else None
    found = contexts.values() if isinstance(contexts, dict) else ()
    return [context.get("preferences") for context in found if isinstance(context, dict)]


def _count(tree: Any) -> int:
    """Count the settings in a tree."""
    if not isinstance(tree, dict):
        return 0
    return sum(_count(value) if isinstance(value, dict) and value else 1 for value in tree.values())
