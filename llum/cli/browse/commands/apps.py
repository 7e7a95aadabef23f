"""Commands about apps and what they may do: app, listapps, delapp, setperm, showperm."""

from typing import Any

import click

from bus.as_app import new_id
from llum.cli.browse import show
from llum.cli.browse.command import ANYTHING, APP, RESOLVER, command, names
from llum.cli.browse.shell import Shell, parted
from llum.cli.rights import rights_options
from llum.people import apps
from schemas.app_names import app_id, app_name
from schemas.commands import SetPermission
from schemas.paths import Path
from schemas.permissions import Permission
from schemas.queries import GetPermission, ListApps
from schemas.replies import AppsReply, PermissionReply

ACTIONS = ("add", "list", "delete")


@command("app", section="apps", example='app add asker "Shows bars of what was logged"')
@click.argument("action", metavar="[add|list|delete]", required=False)
@click.argument("name", type=APP, required=False)
@click.argument("description", required=False)
@click.option("--owner/--no-owner", "is_owner", default=None, help="Give it the owner's rights.")
@click.option("--password", "with_password", is_flag=True, help="Ask for a password, for a simple device.")
async def app(
    shell: Shell,
    action: str | None,
    name: str | None,
    description: str | None,
    is_owner: bool | None,
    with_password: bool,
) -> None:
    """Register, list or delete apps.

    Without arguments: list them. `app asker` registers asker.
    """
    if action in (None, "list"):
        await _list(shell)
        return
    if action not in ACTIONS:  # `app asker` registers asker
        action, name, description = "add", action, name if description is None else description
    name = name or await shell.dialogue.text("App?")
    if action == "delete":
        await _delete(shell, name)
        return
    described = await shell.dialogue.text("Description?", "") if description is None else description
    password = await shell.dialogue.secret("Password?") if with_password else ""
    await apps.add(shell.client, shell.user, name, described, is_owner, password or None)
    shell.say(f"{name} is an app of {shell.user} now")


@command("listapps", section="apps", example="listapps")
async def listapps(shell: Shell) -> None:
    """List the apps."""
    await _list(shell)


@command("delapp", "rmapp", "deleteapp", section="apps", example="delapp asker")
@click.argument("name", type=APP, required=False)
async def delapp(shell: Shell, name: str | None) -> None:
    """Delete an app with its permissions and rules.

    What it has told stays.
    """
    await _delete(shell, name or await shell.dialogue.text("App?"))


@command("setperm", section="apps", example="setperm asker Work --ask --no-tell --resolvers count,sum")
@click.argument("name", metavar="APP", type=APP, required=False)
@click.argument("path", type=ANYTHING, default="")
@rights_options
@click.option("--resolvers", help="It may use these resolvers only, with commas between them. all: every one.")
@click.option("--filters", help="It may use these evidence filters only, with commas between them. all: every one.")
@click.option(
    "--bind-resolver",
    type=RESOLVER,
    help="It gets the value of this resolver only, no evidence. Empty: any.",
)
async def setperm(
    shell: Shell,
    name: str | None,
    path: Path,
    whose_rules: str | None,
    resolvers: str | None,
    filters: str | None,
    **parts: Any,
) -> None:
    """Say what an app may do.

    At a context and below, or at one component. Without PATH: where you are. The nearest
    setting counts. What you do not name stays as it is.
    """
    given = {part: value for part, value in parts.items() if value is not None}
    given |= {part: names(text) for part, text in (("resolvers", resolvers), ("filters", filters)) if text is not None}
    name = name or await shell.dialogue.text("App?")
    if not given and not shell.interactive:
        raise click.UsageError("say what the app may do, for example --ask")
    given = given or {part: await shell.dialogue.yes(f"May it {part}?") for part in ("ask", "tell")}
    context, component = await _place(shell, path)
    place: dict[str, Any] = {"context": context, "component": component, "whose_rules": whose_rules}
    await shell.send(SetPermission(id=new_id(), app=app_id(name), **place, **given))
    await _show(shell, [name], path)


@command("showperm", section="apps", example="showperm asker Work")
@click.argument("name", metavar="APP", type=APP, required=False)
@click.argument("path", type=ANYTHING, required=False)
async def showperm(shell: Shell, name: str | None, path: Path | None) -> None:
    """Show what an app may do, or all apps.

    It shows what is set at PATH and above it. Without PATH: all that is set for the app, wherever it is.
    """
    listed = [name] if name else [app_name(each) for each in (await shell.query(ListApps(), AppsReply)).apps]
    if path is not None:
        await _show(shell, listed, path)
        return
    found = [row for each in listed for row in await _everywhere(shell, each)]
    shell.say(show.permissions(found, shell.width) if found else f"nothing is set for {', '.join(listed)}")


async def _list(shell: Shell) -> None:
    shell.say(show.listed_apps(await apps.list_all(shell.client, shell.user), shell.width))


async def _delete(shell: Shell, name: str) -> None:
    await apps.remove(shell.client, shell.user, name)
    shell.say(f"{name} is not an app of {shell.user} any more")


async def _show(shell: Shell, listed: list[str], path: Path) -> None:
    """Show the settings that bear on a path, the nearest last."""
    context, component = await _place(shell, path)
    found: list[tuple[str, str, Permission]] = []
    for name in listed:
        for depth in range(len(context) + 1):
            found += await _setting(shell, name, context[:depth], None)
        found += await _setting(shell, name, context, component) if component else []
    shell.say(show.permissions(found, shell.width) if found else f"nothing is set at {shell.shown(path)} or above")


async def _everywhere(shell: Shell, name: str) -> list[tuple[str, str, Permission]]:
    """Give all that is set for an app."""
    reply = await shell.query(GetPermission(app=app_id(name), below=True), PermissionReply)
    return [
        (
            name if one.whose_rules is None else f"{name}, rules of {one.whose_rules}",
            shell.shown([*one.context, one.component] if one.component else one.context),
            one,
        )
        for one in reply.settings
    ]


async def _setting(
    shell: Shell, name: str, context: list[str], component: str | None
) -> list[tuple[str, str, Permission]]:
    query = GetPermission(app=app_id(name), context=context, component=component)
    reply = await shell.query(query, PermissionReply)
    at = shell.shown([*context, component] if component else context)
    own = [] if reply.permission is None else [(name, at, reply.permission)]
    return own + [(f"{name}, rules of {person}", at, setting) for person, setting in reply.rules_of.items()]


async def _place(shell: Shell, path: Path) -> tuple[list[str], str | None]:
    """Tell a context from a component in one."""
    if not path or await shell.is_context(path):
        return list(path), None
    await shell.component(path)
    return parted(path)
