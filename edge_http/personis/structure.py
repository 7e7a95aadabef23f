"""The operations that make, describe and delete what a model consists of."""

from typing import Any, Final

from edge_http.personis import calls, render, requests
from edge_http.personis.caller import Caller, Operation
from model.formats.spellings import goals_of
from schemas.app_names import app_name
from schemas.commands import (
    DeleteComponent,
    DeleteContext,
    DeleteView,
    SetGoals,
    SetResolver,
    SetTimeZone,
)
from schemas.errors import Code, Refusal
from schemas.queries import Access, GetContext, GetPermission, ListApps, ListResolvers
from schemas.replies import AppsReply, ContextReply, PermissionReply, ResolversReply


async def _make_model(caller: Caller) -> bool:
    """Say that the caller's own model is there. Models are made when people sign in, or by the operator, never here."""
    caller.parse(calls.CALL)
    try:
        await caller.ask(Access())
    except Refusal as refusal:
        raise Refusal(Code.PERMISSION_DENIED, "apps do not make models", None, "the operator does") from refusal
    return True


async def _make_context(caller: Caller) -> bool:
    call = caller.parse(calls.MAKE_CONTEXT)
    command = requests.make_context_of(call, caller.body, caller.id_for(call))
    return not await caller.send(command, settled=(Code.ALREADY_EXISTS, Code.NO_SUCH_CONTEXT))


async def _get_context(caller: Caller) -> dict[str, Any]:
    call = caller.parse(calls.GET_CONTEXT)
    path = requests.path_of(call.context)
    try:
        query = GetContext(context=path, size=bool(call.getsize))
        found: ContextReply = await caller.ask(query)
    except Refusal as refusal:
        if refusal.code is Code.NO_SUCH_CONTEXT:
            return {}
        raise
    return render.context(path, found, await permissions_of(caller, path, found))


async def permissions_of(caller: Caller, path: list[str], found: ContextReply) -> dict[str, Any]:
    """Give what is set for each app in exactly this context; an app that is no owner's sees its own alone.

    `found` is the reply to the query for the context.
    """
    try:
        apps: AppsReply = await caller.ask(ListApps())
    except Refusal:
        return {app_name(caller.principal.app): render.permission(found.permission)}
    permissions: dict[str, Any] = {}
    for app in apps.apps:
        reply: PermissionReply = await caller.ask(GetPermission(app=app, context=path))
        if reply.permission is not None:
            permissions[app_name(app)] = render.permission(reply.permission)
    return permissions


async def _delete_context(caller: Caller) -> bool:
    """Delete a context. One that is not there counts as deleted, unless its parent is not there either."""
    call = caller.parse(calls.DELETE_CONTEXT)
    path = requests.path_of(call.context)
    if not await caller.send(DeleteContext(id=caller.id_for(call), context=path), settled=(Code.NO_SUCH_CONTEXT,)):
        return True
    try:
        await caller.ask(GetContext(context=path[:-1]))
    except Refusal:
        return False
    return True


async def _make_component(caller: Caller) -> str | None:
    call = caller.parse(calls.MAKE_COMPONENT)
    given = requests.component_of(call, caller.body)
    if given.members.value is not None:
        return "component value specified at creation - not allowed"
    command = requests.make_component_of(call, given, caller.id_for(call))
    if await caller.send(command, settled=(Code.ALREADY_EXISTS,)):
        return render.already_exists(given.members.Identifier)
    return None


async def _delete_component(caller: Caller) -> str | None:
    call = caller.parse(calls.COMPONENT)
    command = DeleteComponent(
        id=caller.id_for(call), context=requests.path_of(call.context), component=call.componentid
    )
    if await caller.send(command, settled=(Code.NO_SUCH_COMPONENT,)):
        return render.no_such_component(call.componentid)
    return None


async def _make_view(caller: Caller) -> None:
    call = caller.parse(calls.MAKE_VIEW)
    await caller.send(requests.make_view_of(call, caller.body, caller.id_for(call)))


async def _delete_view(caller: Caller) -> None:
    call = caller.parse(calls.DELETE_VIEW)
    await caller.send(DeleteView(id=caller.id_for(call), context=requests.path_of(call.context), view=call.viewid))


async def _set_resolver(caller: Caller) -> bool:
    call = caller.parse(calls.SET_RESOLVER)
    path = requests.path_of(call.context)
    command = SetResolver(id=caller.id_for(call), context=path, component=call.componentid, resolver=call.resolver)
    await caller.send(command)
    return True


async def _get_resolvers(caller: Caller) -> list[str]:
    caller.parse(calls.CALL)
    reply: ResolversReply = await caller.ask(ListResolvers())
    return list(reply.resolvers)


async def _set_goals(caller: Caller) -> None:
    call = caller.parse(calls.SET_GOALS)
    goals = goals_of(call.goals)
    path = requests.path_of(call.context)
    await caller.send(SetGoals(id=caller.id_for(call), context=path, component=call.componentid, goals=goals))


async def _set_time_zone(caller: Caller) -> None:
    call = caller.parse(calls.SET_TIME_ZONE)
    if call.time_zone is not None:
        from bus.time_zones import zone_named  # here: few ever set one

        zone_named(call.time_zone)
    await caller.send(SetTimeZone(id=caller.id_for(call), time_zone=call.time_zone))


OPERATIONS: Final[dict[str, Operation]] = {
    "mkmodel": _make_model,
    "mkcontext": _make_context,
    "getcontext": _get_context,
    "delcontext": _delete_context,
    "mkcomponent": _make_component,
    "delcomponent": _delete_component,
    "mkview": _make_view,
    "delview": _delete_view,
    "setresolver": _set_resolver,
    "getresolvers": _get_resolvers,
    "set_goals": _set_goals,
    "settimezone": _set_time_zone,
}
