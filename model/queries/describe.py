"""The smaller queries: what is in a context, which apps there are, what they may do, which rules wait."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from model.permissions import Asker, Grant, denied
from model.queries.targets import Place, find_component, find_place, visible_components
from model.queries.visible import rules_of, visible_contexts, visible_rules, visible_views
from model.reads import Found, Read
from model.resolvers.registry import Resolvers
from model.state import Model, contexts_below
from schemas.errors import Code, Refusal
from schemas.limits import MAX_EVIDENCE_PAGE
from schemas.paths import check_path, check_token
from schemas.queries import GetContext, GetPermission, ListApps, ListResolvers, ListRules
from schemas.replies import (
    AppDescription,
    AppsReply,
    ContextReply,
    ContextSize,
    Granted,
    PermissionReply,
    ResolversReply,
    RulesReply,
)

SmallQuery = GetContext | ListResolvers | ListApps | GetPermission | ListRules
SmallReply = ContextReply | ResolversReply | AppsReply | PermissionReply | RulesReply


class Described(msgspec.Struct):
    """A reply, and what must be counted for its `size`."""

    reply: SmallReply
    reads: list[Read] = []

    def finish(self, found: Sequence[Found]) -> SmallReply:
        """Complete the reply; `found` is parallel to `reads`."""
        if isinstance(self.reply, ContextReply) and self.reply.size is not None:
            self.reply.size.evidence = sum(one.count for one in found)
        return self.reply


def describe(model: Model, asker: Asker, query: SmallQuery, resolvers: Resolvers) -> Described:
    """Answer a small query. Raises a `Refusal`."""
    if isinstance(query, ListResolvers):
        listed = {name: resolvers[name].description for name in sorted(resolvers)}
        return Described(ResolversReply(seq=model.seq, resolvers=listed))
    if isinstance(query, GetContext):
        return _context(model, asker, query)
    return Described(_DESCRIBERS[type(query)](model, asker, query))


def _context(model: Model, asker: Asker, query: GetContext) -> Described:
    place = find_place(model, asker, tuple(query.context), "context")
    item = place.context.item
    reply = ContextReply(
        seq=model.seq,
        path=list(place.path),
        description=item.description,
        resolver=item.resolver,
        created=item.created_us / 1e6,
        contexts=visible_contexts(asker, place),
        components=[target.name for target in visible_components(asker, place)],
        views=visible_views(place),
        permission=_granted(place.grant),
    )
    return Described(reply, _count(model, asker, place, reply) if query.size else [])


def _count(model: Model, asker: Asker, place: Place, reply: ContextReply) -> list[Read]:
    """Count what the app may ask in a context and below, and plan the counting of evidence."""
    reads: list[Read] = []
    contexts = 0
    for path, context in contexts_below(place.path, place.context):
        grant = asker.grant(path)
        if not grant.ask:
            continue
        contexts += 1
        targets = visible_components(asker, Place(path, context, grant, None))
        reads += [_counted(model, target.component.number) for target in targets]
    reply.size = ContextSize(contexts=contexts, components=len(reads), evidence=0)
    return reads


def _counted(model: Model, component_no: int) -> Read:
    return Read(component_no=component_no, seq_max=model.seq, limit=MAX_EVIDENCE_PAGE, count_only=True)


def _granted(grant: Grant) -> Granted:
    return Granted(
        ask=grant.ask,
        tell=grant.tell,
        resolvers=sorted(grant.resolvers or ()),
        filters=sorted(grant.filters or ()),
        bind_resolver=grant.bind_resolver,
        bind_view=None if grant.bind_view is None else grant.bind_view[1],
        source=grant.source,
    )


def _apps(model: Model, asker: Asker, _query: ListApps) -> AppsReply:
    if not asker.is_owner:
        raise denied(asker.app, "list apps")
    listed = {
        name: AppDescription(description=app.description, role=app.role) for name, app in sorted(model.apps.items())
    }
    return AppsReply(seq=model.seq, apps=listed)


def _permission(model: Model, asker: Asker, query: GetPermission) -> PermissionReply:
    check_token(query.app, "app")
    path = check_path(query.context, "context")
    if not asker.is_owner and asker.app != query.app:
        raise denied(asker.app, "see the permissions of others", "app")
    if query.app not in model.apps:
        raise Refusal(Code.NO_SUCH_APP, f"{query.app} is not registered", "app")
    if query.component is None:
        setting = model.permissions.get(query.app, {}).get(path)
    else:
        setting = model.component_permissions.get(query.app, {}).get((*path, query.component))
    return PermissionReply(seq=model.seq, permission=setting)


def _rules(model: Model, asker: Asker, query: ListRules) -> RulesReply:
    path = tuple(query.context)
    if query.component is None:
        return RulesReply(seq=model.seq, rules=visible_rules(asker, find_place(model, asker, path, "context")))
    target = find_component(model, asker, path, query.component)
    rules = rules_of(asker, target.place.context, target.name)
    return RulesReply(seq=model.seq, rules={target.name: rules} if rules else {})


_DESCRIBERS: Final[dict[type[Any], Callable[[Model, Asker, Any], SmallReply]]] = {
    ListApps: _apps,
    GetPermission: _permission,
    ListRules: _rules,
}
