"""The operations about apps: which there are, what they may do, and the passwords of those that send one."""

from typing import Any, Final

from edge_http.personis import calls, render, requests
from edge_http.personis.caller import Caller, Operation
from schemas.app_names import app_id, app_name
from schemas.asked import AskedReply
from schemas.queries import Asked, GetPermission
from schemas.replies import PermissionReply

PASSWORD_REALM: Final = "password"  # noqa: S105 - the original's word for apps that send a password


async def _register_app(caller: Caller) -> dict[str, Any] | None:
    """Register an app. An app that is registered keeps its role: this face knows none."""
    call = caller.parse(calls.REGISTER_APP)
    realm = call.realm or PASSWORD_REALM
    if realm == PASSWORD_REALM and call.apppassword is None:
        return None
    app = app_id(call.app)
    description = call.description if call.description is not None else call.desc or ""
    await caller.apps.register(app, description, password=call.apppassword, command_id=caller.id_for(call))
    if call.apppassword is None:
        await caller.apps.drop_password(app)
    return {"description": description, "realm": realm, "password": None, "givenpw": None}


async def _delete_app(caller: Caller) -> None:
    """Delete an app. Its password and its tokens end with it."""
    call = caller.parse(calls.APP)
    await caller.apps.remove(app_id(call.app), caller.id_for(call))


async def _list_apps(caller: Caller) -> dict[str, Any]:
    caller.parse(calls.CALL)
    return {app_name(app): {"description": about.description} for app, about in (await caller.apps.list()).items()}


async def _asked(caller: Caller) -> dict[str, Any]:
    call = caller.parse(calls.ASKED)
    path = requests.path_of(call.context) + ([] if call.componentid is None else [call.componentid])
    app = None if call.app is None else app_id(call.app)
    reply: AskedReply = await caller.ask(Asked(app=app, path=path, since=call.since, until=call.until))
    return {"rows": [render.asked_row(row) for row in reply.rows], "more": reply.more}


async def _set_permission(caller: Caller) -> None:
    call = caller.parse(calls.SET_PERMISSION)
    path = requests.path_of(call.context)
    command = requests.set_permission_of(
        caller.id_for(call), path, call.componentid, call.app, call.permissions, call.whose_rules
    )
    await caller.send(command)


async def _get_permission(caller: Caller) -> dict[str, Any] | None:
    call = caller.parse(calls.GET_PERMISSION)
    path = requests.path_of(call.context)
    query = GetPermission(app=app_id(call.app), context=path, component=call.componentid)
    reply: PermissionReply = await caller.ask(query)
    found = reply.permission if call.whose_rules is None else reply.rules_of.get(call.whose_rules)
    return None if found is None else render.permission(found)


OPERATIONS: Final[dict[str, Operation]] = {
    "registerapp": _register_app,
    "deleteapp": _delete_app,
    "listapps": _list_apps,
    "asked": _asked,
    "setpermission": _set_permission,
    "getpermission": _get_permission,
}
