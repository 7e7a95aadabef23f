"""The operations about apps: which there are, what they may do, and the passwords of those that send one."""

from typing import Any, Final

from edge_http.personis import calls, render, requests
from edge_http.personis.caller import Caller, Operation
from edge_http.personis.calls import RegisterAppCall
from schemas.app_names import app_id, app_name
from schemas.commands import DeleteApp, RegisterApp
from schemas.errors import Refusal
from schemas.queries import GetPermission, ListApps
from schemas.replies import AppDescription, AppsReply, PermissionReply

PASSWORD_REALM: Final = "password"  # noqa: S105 - the original's word for apps that send a password


async def _register_app(caller: Caller) -> dict[str, Any] | None:
    """Register an app. An app that is registered keeps its role: this face knows none."""
    call = caller.parse(calls.REGISTER_APP)
    realm = call.realm or PASSWORD_REALM
    if realm == PASSWORD_REALM and call.apppassword is None:
        return None
    app = app_id(call.app)
    registered = (await _apps(caller)).get(app)
    description = call.description if call.description is not None else call.desc or ""
    role = registered.role if registered else "app"
    command = RegisterApp(id=caller.id_for(call), app=app, description=description, role=role)
    await _register(caller, call, command)
    return {"description": description, "realm": realm, "password": None, "givenpw": None}


async def _register(caller: Caller, call: RegisterAppCall, command: RegisterApp) -> None:
    """Set the password before the app is there to use it; a refused command leaves the former one as it was.

    Only an owner app comes here: it has been given the list of apps.
    """
    user, keys = caller.identity.user, caller.app_keys
    if call.apppassword is None:
        await keys.delete(user, command.app)
        await caller.send(command)
        return
    before = await keys.set_password(user, command.app, call.apppassword)
    try:
        await caller.send(command)
    except Refusal:
        await keys.restore(user, command.app, before)
        raise


async def _delete_app(caller: Caller) -> None:
    """Delete an app: first its password, so that no later app of that name can be entered with it."""
    call = caller.parse(calls.APP)
    app = app_id(call.app)
    if app in await _apps(caller):
        await caller.app_keys.delete(caller.identity.user, app)
    await caller.send(DeleteApp(id=caller.id_for(call), app=app))


async def _list_apps(caller: Caller) -> dict[str, Any]:
    caller.parse(calls.CALL)
    return {app_name(app): {"description": about.description} for app, about in (await _apps(caller)).items()}


async def _apps(caller: Caller) -> dict[str, AppDescription]:
    """Give the apps. Only an owner app gets them."""
    reply: AppsReply = await caller.ask(ListApps())
    return reply.apps


async def _set_permission(caller: Caller) -> None:
    call = caller.parse(calls.SET_PERMISSION)
    path = requests.path_of(call.context)
    identifier = caller.id_for(call)
    await caller.send(requests.set_permission_of(identifier, path, call.componentid, call.app, call.permissions))


async def _get_permission(caller: Caller) -> dict[str, Any] | None:
    call = caller.parse(calls.GET_PERMISSION)
    path = requests.path_of(call.context)
    query = GetPermission(app=app_id(call.app), context=path, component=call.componentid)
    reply: PermissionReply = await caller.ask(query)
    return None if reply.permission is None else render.permission(reply.permission)


OPERATIONS: Final[dict[str, Operation]] = {
    "registerapp": _register_app,
    "deleteapp": _delete_app,
    "listapps": _list_apps,
    "setpermission": _set_permission,
    "getpermission": _get_permission,
}
