"""Safes that are models of their own: which there are, and what is known of each."""

from typing import TYPE_CHECKING, Any, NamedTuple

from bus.as_app import AsApp, LastWrites
from bus.users import list_users
from identity.preferences.keys import PreferenceKeys, is_key, is_safe
from identity.temporary.users import TemporaryUsers
from llum.preferences.stored import Safe, timestamp
from model.preferences.safe_documents import safe_document
from schemas.apps import PREFERENCES_APP
from schemas.errors import Code, Refusal
from schemas.preferences import SAFE_CONTEXT, PreferencesReply
from schemas.queries import Ask, Preferences
from schemas.replies import AskReply

if TYPE_CHECKING:
    from llum.client import Client


class Safes:
    """Looks at safes as the preferences service does. All methods raise `Transient`."""

    def __init__(self, client: "Client", keys: PreferenceKeys) -> None:
        self._client = client
        self._keys = keys

    async def users(self) -> list[str]:
        """Name the models of safes that there may be; not those whose end is noted, as they have moved elsewhere."""
        ending = await TemporaryUsers(self._client.bus).noted()
        return [user for user in await list_users(self._client.bus) if is_safe(user) and user not in ending]

    async def find(self, user: str) -> Safe | None:
        """Give what is known of a safe; None: there is no such model."""
        known = await self._known(user)
        return None if known is None else await self._safe(user, known)

    async def document(self, safe: Safe) -> dict[str, Any] | None:
        """Give the document of a safe; None: it is gone by now."""
        known, held = await self._known(safe.user), await self.preferences(safe.user)
        return None if known is None or held is None else safe_document(safe.id, known.facts, known.made, held.sets)

    async def preferences(self, user: str) -> PreferencesReply | None:
        """Give the preferences of a safe; None: there is no such model."""
        try:
            return await self.as_service(user).find(Preferences(), PreferencesReply)
        except Refusal as refusal:
            if refusal.code is Code.NO_SUCH_MODEL:
                return None
            raise

    def as_service(self, user: str) -> AsApp:
        """Speak to a safe as llum's own app for them."""
        return AsApp(self._client.requests, user, PREFERENCES_APP, LastWrites())

    async def _safe(self, user: str, known: "_Known") -> Safe:
        key = known.facts.get("key")
        opens = isinstance(key, str) and is_key(key) and await self._keys.safe_user(key) == user
        made = known.facts.get("created", None if "id" in known.facts else known.made)
        return Safe(user, known.facts.get("id", user), key if opens else None, made)

    async def _known(self, user: str) -> "_Known | None":
        """Give the facts of a safe; None: there is no such model."""
        try:
            reply = await self.as_service(user).find(Ask(context=[SAFE_CONTEXT]), AskReply)
        except Refusal as refusal:
            if refusal.code is Code.NO_SUCH_MODEL:
                return None
            if refusal.code is Code.NO_SUCH_CONTEXT:
                return _Known({}, None)
            raise
        facts = {one.path[-1]: one.value for one in reply.components if one.value is not None}
        made = min((one.creation_time for one in reply.components), default=None)
        return _Known(facts, None if made is None else timestamp(made))


class _Known(NamedTuple):
    facts: dict[str, Any]
    """By name, without those that are null."""
    made: str | None
    """When the first of them was told: as the model was made."""
