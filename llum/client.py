"""The SDK: tell and ask from Python, straight over the bus.

    async with Client.connect(app="kitchen") as llum:
        await llum.tell("alice", "Personal/firstname", "Al")
        answer = await llum.ask("alice", "Personal/firstname")
        print(answer.value)

Every method raises `Refusal` for what cannot succeed as it is (its `code` is stable, its `error.field` says what to
mend) and `Transient` for what may succeed later. A path is text with `/` between its segments, or a list of segments.
What is asked reflects what the same client has told. Of what a client is given to send about one person at once, four
commands are on the bus at a time; the others wait for their turn.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from bus.as_app import OUTCOME_WITHIN_S, AsApp, LastWrites, new_id
from bus.connection import Bus
from bus.requests import Requests
from bus.showing import Token
from bus.turns import Turns
from llum.connecting import PATIENCE_S, connected
from llum.given_paths import PathLike, parted, segments_of
from llum.preferring import Preferring
from schemas import commands, following, parts, queries, replies
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.asked import AskedReply
from schemas.commands import Command
from schemas.definitions import ComponentDefinition, ImportedContext, ModelDefinition, ViewDefinition
from schemas.errors import raised_from
from schemas.evidence import EvidenceFilter, EvidenceType, NewEvidence
from schemas.paths import check_token
from schemas.permissions import Permission
from schemas.replies import Accepted

R = TypeVar("R", bound=replies.Reply)


class Client(Preferring):
    """Speaks as one app, about any user. Make it with `Client.connect`; safe to share between tasks."""

    def __init__(self, bus: Bus, requests: Requests, app: str) -> None:
        self.bus = bus
        self.requests = requests
        self.app = app
        self._writes = LastWrites()
        self._turns = Turns()

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(
        cls,
        url: str | None = None,
        data_dir: Path | str | None = None,
        app: str = OWNER_APP,
        token: Token | None = None,
        patience_s: float | None = PATIENCE_S,
    ) -> AsyncIterator["Client"]:
        """Connect to a bus: at `url`, else at LLUM_NATS_URL, else where the llum on the data folder runs.

        With a token it speaks as that token's app, about that token's person alone. A function in its place gives the
        token to show now; if it gives an `ExpiringToken`, that is replaced before it expires. Without a token it needs
        the operator's credentials, which are in the data folder, and may speak as any app.

        A connection that is lost comes back by itself, and what was under way is sent again. With a token each method
        raises `unavailable` after `patience_s` without a sign of a worker, None: after its own time.

        Raises `llum.failures.Fault` if no llum runs there, `Refusal` if the app's id cannot be one, `Transient`
        `not_authenticated` for a token that is not good.
        """
        check_token(app, "app")
        async with connected(url, data_dir, app, token, patience_s) as (bus, requests):
            yield cls(bus, requests, app)

    async def tell(
        self,
        user: str,
        path: PathLike,
        value: Any,
        *,
        evidence_type: EvidenceType = "explicit",
        flags: Sequence[str] = (),
        comment: str | None = None,
        time: float | None = None,
        useby: float | None = None,
        extra: dict[str, Any] | None = None,
        id: str | None = None,
        settle: bool = False,
    ) -> Accepted:
        """Tell one piece of evidence, and return when it has been applied. Times are seconds since 1970.

        The same `id` again changes nothing and gives the first outcome: choose your own to try again safely.
        With `settle` it returns when what rules in the same model do with it is applied, too, or after 2 s: `settled`.
        """
        context, component = parted(path)
        evidence = NewEvidence(
            value=value,
            evidence_type=evidence_type,
            flags=list(flags),
            comment=comment,
            time=time,
            useby=useby,
            extra=extra or {},
        )
        command = commands.Tell(id=id or new_id(), context=context, component=component, evidence=evidence)
        return await self.send(user, command, settle=settle)

    async def correct(self, user: str, path: PathLike, value: Any, *, comment: str | None = None) -> Accepted:
        """Say in the owner's name what is right, whatever else is told, until it is withdrawn. Owner apps only.

        The result's `seq` and `n` name the correction for `withdraw`.
        """
        context, component = parted(path)
        command = commands.Correct(id=new_id(), context=context, component=component, value=value, comment=comment)
        return await self.send(user, command)

    async def withdraw(
        self, user: str, path: PathLike, seq: int, n: int = 0, *, comment: str | None = None
    ) -> Accepted:
        """Take back a piece of evidence: one's own, or as an owner app any. Raises `no_such_evidence`."""
        context, component = parted(path)
        command = commands.Withdraw(id=new_id(), context=context, component=component, seq=seq, n=n, comment=comment)
        return await self.send(user, command)

    async def consequences(
        self, user: str, path: PathLike, seq: int | None = None, n: int = 0
    ) -> replies.ConsequencesReply:
        """Say what would follow if a piece of evidence were withdrawn; without `seq`, if the component were deleted.

        Nothing happens. Raises what refuses the command itself.
        """
        context, component = parted(path)
        deletion = commands.DeleteComponent(id="", context=context, component=component)
        command = (
            deletion if seq is None else commands.Withdraw(id="", context=context, component=component, seq=seq, n=n)
        )
        return await self._answered(user, queries.Consequences(command=command), replies.ConsequencesReply)

    async def follows(self, user: str, path: PathLike, seq: int, n: int = 0) -> following.FollowsReply:
        """Say what has followed from a piece of evidence, and who has asked since. Owner apps only."""
        context, component = parted(path)
        query = queries.Follows(context=context, component=component, seq=seq, n=n)
        return await self._answered(user, query, following.FollowsReply)

    async def ask(
        self,
        user: str,
        path: PathLike,
        *,
        resolver: str | None = None,
        evidence_filter: EvidenceFilter | None = None,
        held_at: float | None = None,
        include_evidence: bool = False,
        explain: bool = False,
        min_seq: int | None = None,
        as_of_seq: int | None = None,
        as_of_time: float | None = None,
    ) -> replies.ComponentAnswer:
        """Resolve one component. The answer reflects what this client has told; `min_seq`: what others have, too."""
        context, component = parted(path)
        query = queries.Ask(
            context=context,
            view=[component],
            resolver=resolver,
            evidence_filter=evidence_filter,
            held_at=held_at,
            include_evidence=include_evidence,
            explain=explain,
            min_seq=min_seq,
            as_of_seq=as_of_seq,
            as_of_time=as_of_time,
        )
        reply = await self.ask_all(user, query)
        for failure in reply.failures:
            raise raised_from(failure.error)
        return reply.components[0]

    async def ask_all(self, user: str, query: queries.Ask) -> replies.AskReply:
        """Send any ask: a whole context, a view. What could not be answered is in the reply's `failures`."""
        return await self._answered(user, query, replies.AskReply)

    async def access(self, user: str) -> replies.AccessReply:
        """Say whether the user has a model that knows this app, or raise `no_such_model`, `permission_denied`."""
        return await self._answered(user, queries.Access(), replies.AccessReply)

    async def make_model(self, user: str, definition: ModelDefinition) -> Accepted:
        """Make a user's model, as the operator does; this app becomes its first owner app. Raises `already_exists`."""
        command = commands.MakeModel(id=new_id(), definition=definition, owner=self.app)
        made = await AsApp(self.requests, check_token(user, "user"), ADMIN_APP, self._writes).send(command)
        self._writes.note((user, self.app), made.seq)
        return made

    async def make_context(
        self, user: str, path: PathLike, description: str = "", *, resolver: str | None = None, exist_ok: bool = False
    ) -> Accepted:
        """Make a context below one that is there."""
        context, name = parted(path)
        given: dict[str, Any] = {"description": description, "resolver": resolver, "exist_ok": exist_ok}
        return await self.send(user, commands.MakeContext(id=new_id(), context=context, name=name, **given))

    async def make_component(
        self, user: str, context: PathLike, component: ComponentDefinition, *, exist_ok: bool = False
    ) -> Accepted:
        """Make a component in a context."""
        command = commands.MakeComponent(
            id=new_id(), context=list(segments_of(context)), component=component, exist_ok=exist_ok
        )
        return await self.send(user, command)

    async def make_view(self, user: str, context: PathLike, view: ViewDefinition) -> Accepted:
        """Make or replace a view in a context."""
        return await self.send(user, commands.MakeView(id=new_id(), context=list(segments_of(context)), view=view))

    async def delete_context(self, user: str, path: PathLike) -> Accepted:
        """Delete a context and all below it; never the root."""
        return await self.send(user, commands.DeleteContext(id=new_id(), context=list(segments_of(path))))

    async def delete_component(self, user: str, path: PathLike) -> Accepted:
        """Delete a component."""
        context, component = parted(path)
        return await self.send(user, commands.DeleteComponent(id=new_id(), context=context, component=component))

    async def delete_view(self, user: str, path: PathLike) -> Accepted:
        """Delete a view; the last segment of the path is its name."""
        context, view = parted(path)
        return await self.send(user, commands.DeleteView(id=new_id(), context=context, view=view))

    async def set_resolver(self, user: str, path: PathLike, resolver: str | None) -> Accepted:
        """Set the resolver for asks about a component that name none; None: that of its context."""
        context, component = parted(path)
        return await self.send(
            user, commands.SetResolver(id=new_id(), context=context, component=component, resolver=resolver)
        )

    async def set_context_resolver(self, user: str, path: PathLike, resolver: str | None) -> Accepted:
        """Set the resolver of a context, for components in and below it that have none; None: unset."""
        return await self.send(
            user, commands.SetResolver(id=new_id(), context=list(segments_of(path)), resolver=resolver)
        )

    async def set_goals(self, user: str, path: PathLike, goals: Sequence[PathLike]) -> Accepted:
        """Say which components this one serves."""
        context, component = parted(path)
        paths = [list(segments_of(goal)) for goal in goals]
        return await self.send(user, commands.SetGoals(id=new_id(), context=context, component=component, goals=paths))

    async def set_time_zone(self, user: str, time_zone: str | None) -> Accepted:
        """Set the person's time zone, such as Europe/Amsterdam; None: that of the installation. Owner apps only.

        Raises `bad_field` if there is no such zone.
        """
        from bus.time_zones import zone_named  # here: few ever set one

        if time_zone is not None:
            zone_named(time_zone)
        return await self.send(user, commands.SetTimeZone(id=new_id(), time_zone=time_zone))

    async def make_rule(self, user: str, path: PathLike, statement: str) -> str:
        """Attach a rule to a component, and give its token. Raises `bad_rule` with the position."""
        context, component = parted(path)
        command = commands.MakeRule(id=new_id(), context=context, component=component, statement=statement)
        return str((await self.send(user, command)).result)

    async def activate_rule(self, user: str, path: PathLike, token: str) -> Accepted:
        """Put a suspended rule to work. Owner apps only. Raises `no_such_rule`."""
        context, component = parted(path)
        return await self.send(
            user, commands.ActivateRule(id=new_id(), context=context, component=component, token=token)
        )

    async def delete_rule(self, user: str, path: PathLike, token: str) -> Accepted:
        """Remove a rule. Raises `no_such_rule`."""
        context, component = parted(path)
        return await self.send(
            user, commands.DeleteRule(id=new_id(), context=context, component=component, token=token)
        )

    async def register_app(
        self,
        user: str,
        app: str,
        description: str = "",
        role: Literal["owner", "app"] = "app",
        origins: Sequence[str] | None = None,
    ) -> Accepted:
        """Register an app with the user's model; its web pages come from `origins`. Owner apps only."""
        command = commands.RegisterApp(id=new_id(), app=app, description=description, role=role)
        command.origins = None if origins is None else list(origins)
        return await self.send(user, command)

    async def delete_app(self, user: str, app: str) -> Accepted:
        """Remove an app with its permissions and rules. Owner apps only. Its passwords are not touched."""
        return await self.send(user, commands.DeleteApp(id=new_id(), app=app))

    async def set_permission(
        self,
        user: str,
        app: str,
        context: PathLike,
        *,
        component: str | None = None,
        whose_rules: str | None = None,
        **parts: Any,
    ) -> Accepted:
        """Say what an app may do in a context and below, or with one component of it. Owner apps only.

        `parts` are those of a `Permission`: `ask=True`. None leaves a part as it is; an empty list allows all, an empty
        text unbinds, `expires` 0 means never. With `whose_rules` it is about the rules that the app has in that
        person's model.
        """
        place: dict[str, Any] = {"context": list(segments_of(context)), "component": component}
        return await self.send(
            user, commands.SetPermission(id=new_id(), app=app, whose_rules=whose_rules, **place, **parts)
        )

    async def import_contexts(
        self, user: str, context: PathLike, contexts: list[ImportedContext], *, id: str | None = None
    ) -> Accepted:
        """Put contexts with their evidence below one that is there: a page of an export, say. Owner apps only."""
        return await self.send(
            user, commands.Import(id=id or new_id(), context=list(segments_of(context)), contexts=contexts)
        )

    async def forget(self, user: str) -> Accepted:
        """Erase the model. Owner apps only. `llum admin person forget` erases what else there is of a person."""
        return await self.send(user, commands.Forget(id=new_id()))

    async def forget_part(self, user: str, part: parts.ForgetPart) -> Accepted:
        """Erase a part of the model. Owner apps only. `measure_part` says when the log has lost it, too."""
        return await self.send(user, part)

    async def measure_part(self, user: str, part: queries.MeasurePart) -> parts.MeasurePartReply:
        """Say how much there is of a part, and whether the log still has one that was forgotten. Owner apps only."""
        return await self._answered(user, part, parts.MeasurePartReply)

    async def get_context(self, user: str, path: PathLike = (), *, size: bool = False) -> replies.ContextReply:
        """Describe a context: its description, resolver, contexts, components, views, and what this app may do."""
        return await self._answered(
            user, queries.GetContext(context=list(segments_of(path)), size=size), replies.ContextReply
        )

    async def list_resolvers(self, user: str) -> dict[str, str]:
        """Give the resolvers that may be named, with their descriptions."""
        return (await self._answered(user, queries.ListResolvers(), replies.ResolversReply)).resolvers

    async def list_apps(self, user: str) -> dict[str, replies.AppDescription]:
        """Give the apps of a model with description and role. Owner apps only."""
        return (await self._answered(user, queries.ListApps(), replies.AppsReply)).apps

    async def asked(
        self, user: str, path: PathLike = (), app: str | None = None, *, since: float = 0, until: float | None = None
    ) -> AskedReply:
        """Say who asked and told what at a path and below, the latest first. Owner apps only. Times as in `tell`."""
        query = queries.Asked(app=app, path=list(segments_of(path)), since=since or None, until=until)
        return await self._answered(user, query, AskedReply)

    async def get_permission(
        self, user: str, app: str, context: PathLike, *, component: str | None = None, whose_rules: str | None = None
    ) -> Permission | None:
        """Give what is set for an app in exactly this place; None: nothing. Owner apps, or the app itself."""
        query = queries.GetPermission(app=app, context=list(segments_of(context)), component=component)
        reply = await self._answered(user, query, replies.PermissionReply)
        return reply.permission if whose_rules is None else reply.rules_of.get(whose_rules)

    async def list_rules(
        self, user: str, context: PathLike, *, component: str | None = None
    ) -> dict[str, dict[str, replies.RuleDescription]]:
        """Give rules by component and token: of one component, or of all in a context."""
        query = queries.ListRules(context=list(segments_of(context)), component=component)
        return (await self._answered(user, query, replies.RulesReply)).rules

    async def export(self, user: str, context: PathLike = ()) -> AsyncIterator[replies.ExportReply]:
        """Give a part of a model page by page, as it was at the first page. Owner apps only."""
        query = queries.Export(context=list(segments_of(context)))
        while True:
            page = await self._answered(user, query, replies.ExportReply)
            yield page
            if page.next is None:
                return
            query = queries.Export(context=query.context, after=page.next)

    async def send(
        self, user: str, command: Command, timeout_s: float = OUTCOME_WITHIN_S, *, settle: bool = False
    ) -> Accepted:
        """Send any command and return its outcome, or raise the refusal. `settle` is that of `tell`."""
        return await self.of(user).send(command, timeout_s, settle=settle)

    async def _answered(self, user: str, query: queries.Query, kind: type[R]) -> R:
        return await self.of(user).find(query, kind)

    async def query(self, user: str, query: queries.Query) -> replies.Reply:
        """Send any query and return its reply, or raise its error."""
        return await self.of(user).ask(query)

    def of(self, user: str) -> AsApp:
        """Give one person's model, as this app sees it. Raises `bad_field` if the user's id cannot be one."""
        return AsApp(self.requests, check_token(user, "user"), self.app, self._writes, self._turns)
