"""What an owner's app asks about the rights of other apps: a part of the client."""

from collections.abc import Sequence
from typing import Any, Literal

from bus.as_app import new_id
from llum.given_paths import PathLike, segments_of
from schemas import queries
from schemas.granting import CheckReply, PreviewGrantReply
from schemas.grants import Consent, ConsentVerdict, GrantsReply
from schemas.replies import Accepted
from schemas.slices import Action, Slice


class Granting:
    """Methods of a client. `Client` has what they send by."""

    async def _answered(self, user: str, query: queries.Query, kind: type[Any]) -> Any:
        raise NotImplementedError

    async def send(self, user: str, command: Any) -> Accepted:
        """Send any command and return its outcome, or raise the refusal."""
        raise NotImplementedError

    async def consent(
        self,
        user: str,
        app: str,
        decision: ConsentVerdict,
        granted: Sequence[Slice] = (),
        *,
        refused: Sequence[Slice] = (),
        role: Literal["app", "owner"] = "app",
        **said: Any,
    ) -> Accepted:
        """Decide what an app may do. Owner apps only. `said` are texts: `name`, `host`, `purpose`, `how`."""
        slices: dict[str, Any] = {"granted": list(granted), "refused": list(refused)}
        return await self.send(user, Consent(id=new_id(), app=app, decision=decision, role=role, **slices, **said))

    async def grants(self, user: str, app: str | None = None) -> GrantsReply:
        """Say what apps may do, and what was decided: of one app, or of all. An app that is no owner's: of itself."""
        reply: GrantsReply = await self._answered(user, queries.Grants(app=app), GrantsReply)
        return reply

    async def preview_grant(
        self,
        user: str,
        app: str,
        granted: Sequence[Slice] = (),
        *,
        decision: Literal["allowed", "changed"] = "allowed",
        role: Literal["app", "owner"] = "app",
        limit: int = 200,
    ) -> PreviewGrantReply:
        """Say what an app would see under a grant that is not stored, and change nothing. Owner apps only."""
        query = queries.PreviewGrant(app=app, granted=list(granted), decision=decision, role=role, limit=limit)
        reply: PreviewGrantReply = await self._answered(user, query, PreviewGrantReply)
        return reply

    async def check(
        self,
        user: str,
        app: str,
        action: Action,
        context: PathLike = (),
        *,
        component: str | None = None,
        whose_rules: str | None = None,
    ) -> CheckReply:
        """Say whether an app may do something in a place, and which settings decide that. Owner apps only."""
        place: dict[str, Any] = {"context": list(segments_of(context)), "component": component}
        reply: CheckReply = await self._answered(
            user, queries.Check(app=app, action=action, whose_rules=whose_rules, **place), CheckReply
        )
        return reply
