"""`llum admin app`: the apps of a person, their passwords and what they may do."""

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.cli.rights import rights_options
from llum.settings import Settings

if TYPE_CHECKING:
    from llum.client import Client
    from schemas.permissions import Permission
    from schemas.quotas import Quotas

_YES_NO: Final = {True: "yes", False: "no"}
_MAY: Final = (("may", True), ("may not", False))


@click.group()
def app() -> None:
    """The apps of a person."""


@app.command("add")
@click.argument("user")
@click.argument("name", metavar="APP")
@click.option("--description", help="What the app is. A text for people. Default: as it is.")
@click.option(
    "--owner/--no-owner",
    "is_owner",
    default=None,
    help="Give or take owner rights: an owner app may do everything. By default nothing changes; a new app has none.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    help="Scripts of web pages from here, such as https://log.example, may read what the HTTP interface answers to the "
    "app. Repeat it to name more.",
)
@click.option("--no-origin", is_flag=True, help="It has no web pages any more.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input, for a simple device.")
@json_option
@settings_options(*WHERE)
def add(
    settings: Settings,
    user: str,
    name: str,
    description: str | None,
    is_owner: bool | None,
    origins: tuple[str, ...],
    no_origin: bool,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Register APP with the model of USER, or change its description, role, origins or password.

    A new app may do nothing until `llum admin app permit` says so.
    """
    from llum.people import apps

    password = _read_password() if password_stdin else None
    given = _names(origins, no_origin)
    with_client(settings, lambda client: apps.add(client, user, name, description, is_owner, password, given))
    secret = ", with a password" if password_stdin else ""
    text = f"{name} is an app of {user} now{secret}"
    say({"user": user, "app": name, "password": password_stdin}, text, as_json=as_json)


@app.command("remove")
@click.argument("user")
@click.argument("name", metavar="APP")
@json_option
@settings_options(*WHERE)
def remove(settings: Settings, user: str, name: str, as_json: bool) -> None:
    """Remove APP with its tokens, password, permissions and rules. What it has told stays."""
    from llum.people import apps

    with_client(settings, lambda client: apps.remove(client, user, name))
    text = f"{name} is not an app of {user} any more"
    say({"user": user, "app": name, "removed": True}, text, as_json=as_json)


@app.command("list")
@click.argument("user")
@json_option
@settings_options(*WHERE)
def list_apps(settings: Settings, user: str, as_json: bool) -> None:
    """List the apps of USER."""
    from llum.cli import render
    from llum.people import apps
    from schemas.lookalikes import warnings

    found = with_client(settings, lambda client: apps.list_all(client, user))
    rows = [(one.name, one.role, _YES_NO[one.password], one.description) for one in found]
    lines = [render.table(("app", "role", "password", "description"), rows), *warnings(one.name for one in found)]
    say({"apps": [one._asdict() for one in found]}, "\n".join(lines), as_json=as_json)


@app.command("permit")
@click.argument("user")
@click.argument("name", metavar="APP")
@click.argument("context", default="")
@click.option("--component", help="For this component of the context only.")
@rights_options
@click.option("--resolver", "resolvers", multiple=True, help="It may use this resolver only. Repeat it to name more.")
@click.option("--any-resolver", is_flag=True, help="It may use all resolvers.")
@click.option("--filter", "filters", multiple=True, help="It may use this filter only. Repeat it to name more.")
@click.option("--any-filter", is_flag=True, help="It may use all evidence filters.")
@click.option("--bind-resolver", help="It gets the value of this resolver only, no evidence. Empty: any.")
@json_option
@settings_options(*WHERE)
def permit(
    settings: Settings,
    user: str,
    name: str,
    context: str,
    component: str | None,
    whose_rules: str | None,
    resolvers: tuple[str, ...],
    filters: tuple[str, ...],
    any_resolver: bool,
    any_filter: bool,
    as_json: bool,
    **parts: Any,
) -> None:
    """Say what APP may do with the model of USER, at CONTEXT and below. Without CONTEXT: everywhere.

    What you do not name stays as it is. The command prints what is set there now. A rule that APP has in another
    person's model gets nothing of this: permit that with --whose-rules PERSON.
    """
    from llum.cli import render
    from schemas.app_names import app_id

    named = {"resolvers": _names(resolvers, any_resolver), "filters": _names(filters, any_filter), **parts}
    given = {part: value for part, value in named.items() if value is not None}
    identifier, where = app_id(name), {"component": component, "whose_rules": whose_rules}

    async def use(client: "Client") -> "Permission | None":
        if given:
            await client.set_permission(user, identifier, context, **where, **given)
        return await client.get_permission(user, identifier, context, **where)

    found = with_client(settings, use)
    click.echo(render.as_json(found) if as_json else _in_words(found))


@app.command("quota")
@click.argument("user")
@click.argument("name", metavar="APP")
@click.option("--things", type=int, help="Contexts, components and views that it has made.")
@click.option("--rules", type=int, help="Its rules.")
@click.option("--schedules", type=int, help="Its rules with a schedule.")
@click.option("--fires-per-minute", type=int, help="How often one of its schedules may fire in a minute.")
@click.option("--notices-per-hour", type=int, help="How often its rules may call a URL in an hour.")
@json_option
@settings_options(*WHERE)
def quota(settings: Settings, user: str, name: str, as_json: bool, **quotas: int | None) -> None:
    """Say how much APP may have in the model of USER, and print it. Without an option: print it."""
    from llum.people import apps

    given = {part: value for part, value in quotas.items() if value is not None}

    async def use(client: "Client") -> "Quotas":
        if given:
            await apps.set_quotas(client, user, name, **given)
        return await apps.quotas_of(client, user, name)

    found = with_client(settings, use)
    parts = {part: getattr(found, part) for part in found.__struct_fields__}
    say(parts, "\n".join(f"{part}: {value}" for part, value in parts.items()), as_json=as_json)


def _names(names: tuple[str, ...], every: bool) -> list[str] | None:
    """Give the names, an empty list for all of them, None for no change."""
    return [] if every else list(names) or None


def _in_words(found: "Permission | None") -> str:
    from llum.cli.rights import verbs
    from schemas.permissions import PERMISSION_PARTS, VERBS

    if found is None:
        return "nothing is set there"
    lines = [f"{what}: {listed}" for what, allowed in _MAY if (listed := verbs(found, allowed))]
    others = [(part, getattr(found, part)) for part in PERMISSION_PARTS if part not in VERBS]
    lines += [f"{part}: {_value_in_words(part, value)}" for part, value in others if value is not None]
    return "\n".join(lines) or "nothing is set there"


def _value_in_words(part: str, value: Any) -> str:
    from llum.cli import render

    if part in ("expires", "since") and value:
        return render.moment(value)
    if part == "past" and value:
        return f"{value:g} seconds back"
    return (", ".join(value) or "all") if isinstance(value, list) else str(value or "none")


def _read_password() -> str:
    """Read one line; the line's end does not belong to the password."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("there is no password on standard input")
    return password
