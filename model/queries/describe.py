"""The smaller queries: who the app is, what a context holds, which apps there are, what they may do, their rules."""

import math
from collections.abc import Generator

from model.commands.targets import no_such_context
from model.evidence import first_us
from model.permissions import OWNER, Asker, Grant, denied, grantees_of, parted_grantee, rights_somewhere
from model.queries.past import Then
from model.queries.rights import settings_of
from model.queries.targets import Place, Target, find_component, find_place, visible_components
from model.queries.visible import rules_of, view_details, visible_contexts, visible_rules, visible_views
from model.reads import Found, Read
from model.resolvers.registry import Resolvers
from model.sight import Sight
from model.state import Model, contexts_below
from schemas.app_names import app_name
from schemas.errors import Code, Refusal
from schemas.limits import MAX_EVIDENCE_PAGE
from schemas.missing import right
from schemas.paths import Path, check_path, check_token
from schemas.permissions import VERBS
from schemas.queries import GetContext, GetPermission, ListRules
from schemas.replies import (
    AccessReply,
    AppDescription,
    AppsReply,
    ContextReply,
    ContextSize,
    Granted,
    PermissionReply,
    ResolversReply,
    RulesReply,
)


def describe_context(then: Then, asker: Asker, query: GetContext) -> Generator[list[Read], list[Found], ContextReply]:
    """Describe a context that the app may ask. Raises a `Refusal`."""
    model = then.model
    place = find_place(model, asker, tuple(query.context), "context")
    item = place.context.item
    views = visible_views(asker, place)
    reply = ContextReply(
        seq=model.seq,
        path=list(place.path),
        description=item.description,
        resolver=item.resolver,
        created=item.created_us / 1e6,
        contexts=visible_contexts(asker, place),
        components=[target.name for target in visible_components(asker, place)],
        views=views,
        view_details=view_details(place, views),
        extra=item.extra or {},
        time_zone=item.time_zone,
        permission=_granted(place.grant),
    )
    if query.size:
        reply.size = yield from _size(then, asker, place)
    return reply


def _size(then: Then, asker: Asker, place: Place) -> Generator[list[Read], list[Found], ContextSize]:
    """Count what the app may ask in a context and below."""
    counted: list[Read] = []
    contexts, sight = 0, Sight(asker)
    for path, context in contexts_below(place.path, place.context):
        grant = asker.grant(path)
        if sight.enters(grant, path):
            contexts += 1
            targets = visible_components(asker, Place(path, context, grant, None))
            counted += [count_of(then, target) for target in targets]
    found = (yield counted) if counted else []
    return ContextSize(contexts=contexts, components=len(counted), evidence=sum(one.count for one in found))


def count_of(then: Then, target: Target) -> Read:
    """Count the evidence that exists for the app."""
    hides = target.leaf.withdrawals and target.grant is not OWNER
    since = target.grant.since
    return Read(
        component_no=target.number,
        seq_max=then.model.seq,
        since_us=None if since is None else first_us(since),
        types=target.grant.types,
        withdrawn="left_out" if hides else "none",
        withdrawn_by=then.withdrawn_by,
        limit=MAX_EVIDENCE_PAGE,
        count_only=True,
    )


def _granted(grant: Grant) -> Granted:
    return Granted(
        **{verb: getattr(grant, verb) for verb in VERBS},
        resolvers=sorted(grant.resolvers or ()),
        filters=sorted(grant.filters or ()),
        bind_resolver=grant.bind_resolver,
        bind_view=None if grant.bind_view is None else grant.bind_view[1],
        types=sorted(grant.types or ()),
        past=grant.past if 0 < grant.past < math.inf else None,
        since=grant.since,
        purpose=grant.purpose,
        source=grant.source,
    )


def check_tells(asker: Asker, component: list[str]) -> None:
    """Raise `bad_path`, or `permission_denied` unless it may tell the component, whether or not there is one."""
    path = check_path(component, "component")
    if not path:
        raise Refusal(Code.BAD_PATH, "the path of a component cannot be empty", "component")
    if not asker.component_grant(path[:-1], path[-1], asker.grant(path[:-1])).tell:
        raise denied(asker.app, "tell", "component", right("tell", path[:-1], path[-1]))


def answer_access(model: Model, asker: Asker) -> AccessReply:
    """Say what the app is to the model. Raises `no_such_app`."""
    app, _ = parted_grantee(asker.app)
    registered = model.apps.get(app)
    if registered is None:
        message = f"{app_name(app)} is not registered with this model"
        raise Refusal(Code.NO_SUCH_APP, message, None, "the owner can register it")
    return AccessReply(
        seq=model.seq,
        role=registered.role,
        registration=registered.registration,
        origins=list(registered.origins),
        rights=rights_somewhere(model, app, asker.now),
    )


def list_resolvers(model: Model, resolvers: Resolvers) -> ResolversReply:
    """List the resolvers that may be named."""
    return ResolversReply(seq=model.seq, resolvers={name: resolvers[name].description for name in sorted(resolvers)})


def list_apps(model: Model, asker: Asker) -> AppsReply:
    """List the apps of a model to its owner's apps. Raises `permission_denied`."""
    if not asker.is_owner:
        raise denied(asker.app, "list apps")
    listed = {
        name: AppDescription(description=app.description, role=app.role, origins=list(app.origins), quotas=app.quotas)
        for name, app in sorted(model.apps.items())
    }
    return AppsReply(seq=model.seq, apps=listed)


def get_permission(model: Model, asker: Asker, query: GetPermission) -> PermissionReply:
    """Give what is set for an app in exactly one place.

    Raises `permission_denied`, `no_such_app`, `no_such_context`, `no_such_component`.
    """
    check_token(query.app, "app")
    path = check_path(query.context, "context")
    if not asker.is_owner and asker.app != query.app:
        raise denied(asker.app, "see the permissions of others", "app")
    if query.below and not asker.is_owner:
        raise denied(asker.app, "list all permissions", "below")
    if query.app not in model.apps:
        raise Refusal(Code.NO_SUCH_APP, f"{app_name(query.app)} is not registered", "app")
    _check_is_there(model, asker, path, query.component)
    settings = model.permissions if query.component is None else model.component_permissions
    at = path if query.component is None else (*path, query.component)
    found = {
        parted_grantee(grantee)[1]: setting
        for grantee in grantees_of(model, query.app)
        if (setting := settings.get(grantee, {}).get(at)) is not None
    }
    rules = {person: setting for person, setting in found.items() if person is not None}
    below = settings_of(model, query.app, path) if query.below else []
    return PermissionReply(seq=model.seq, permission=found.get(None), rules_of=rules, settings=below)


def _check_is_there(model: Model, asker: Asker, path: Path, component: str | None) -> None:
    """Refuse what is not there, but say so only to those who may ask there: nobody else learns what there is."""
    sight = Sight(asker)
    if not (sight.sees_context(path) if component is None else sight.sees(path, component)):
        return
    context = model.context(path)
    if context is None:
        raise no_such_context()
    if component is not None and context.component(component) is None:
        raise Refusal(Code.NO_SUCH_COMPONENT, f"there is no component {component[:80]!r}", "component")


def list_rules(model: Model, asker: Asker, query: ListRules) -> RulesReply:
    """List the rules of a context or of one component. Raises a `Refusal`."""
    path = tuple(query.context)
    if query.component is None:
        return RulesReply(seq=model.seq, rules=visible_rules(asker, find_place(model, asker, path, "context")))
    target = find_component(model, asker, path, query.component)
    rules = rules_of(asker, target.place.context, target.name)
    return RulesReply(seq=model.seq, rules={target.name: rules} if rules else {})
