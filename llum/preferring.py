"""Preferences of people in the SDK: a part of the client."""

from typing import Any

from bus.as_app import new_id
from llum.given_paths import PathLike, segments_of
from llum.granting import Granting
from schemas import queries
from schemas.preferences import PREFERENCES_PLACE, PreferencesReply, PutMode, PutPreferences
from schemas.replies import Accepted


class Preferring(Granting):
    """Methods of a client that put and give preferences."""

    async def put_preferences(
        self,
        user: str,
        view: str,
        body: dict[str, Any],
        mode: PutMode = "replace",
        *,
        place: PathLike = PREFERENCES_PLACE,
        equivalents: dict[str, dict[str, Any]] | None = None,
    ) -> Accepted:
        """Put preferences into one ontology, all or none. `equivalents` say what means the same in others."""
        context = list(segments_of(place))
        command = PutPreferences(
            id=new_id(), context=context, view=view, body=body, mode=mode, equivalents=equivalents or {}
        )
        return await self.send(user, command)

    async def preferences(
        self, user: str, place: PathLike = PREFERENCES_PLACE, *, as_of_time: float | None = None
    ) -> PreferencesReply:
        """Give the preferences that are in a place, as each ontology was put. `as_of_time`: as they were then."""
        query = queries.Preferences(context=list(segments_of(place)), as_of_time=as_of_time)
        reply: PreferencesReply = await self._answered(user, query, PreferencesReply)
        return reply
