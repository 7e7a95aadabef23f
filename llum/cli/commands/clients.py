"""`llum admin client`: the programs of others that may ask people for slices of their models."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings

if TYPE_CHECKING:
    from identity.oauth.clients import Clients, OAuthClient
    from llum.client import Client

Function = TypeVar("Function", bound=Callable[..., Any])

_LEGACY: Final = "It may leave out PKCE, and plain http is allowed: only for a client that was there before llum."
_OWNER: Final = "It may ask to do everything, as the owner does. The person must still allow it."
_REDIRECT: Final = "An address that browsers may be sent back to. Repeat it to name more."
_ORIGIN: Final = "Scripts of web pages from here may read llum's answers to it. Repeat it to name more."
_SERVER: Final = "It is a resource server of this identifier, an address: it may ask about tokens that are for it."
_AGAIN: Final = "Also if a client of this id was deleted. It gets what people allowed to that one."
_ICON: Final = "A picture for it: PNG, JPEG or WebP of at most 64 KiB."


@click.group()
def client() -> None:
    """Programs of others that may ask people for slices of their models, by OAuth 2.

    \b
    llum admin client add log --name 'Food log' --redirect https://log.example/cb
    llum admin client set log --redirect https://log.example/back
    llum admin client secret log               give it a new secret
    llum admin client delete log               and end its tokens
    """


def described(function: Function) -> Function:
    """Give a command the options that say what a client is."""
    for one in (
        click.option("--description", help="What it does, in two or three sentences for people."),
        click.option("--home", metavar="URL", help="The address of its own page."),
        click.option("--redirect", "redirect_uris", metavar="URL", multiple=True, help=_REDIRECT),
        click.option("--origin", "origins", metavar="ORIGIN", multiple=True, help=_ORIGIN),
        click.option("--resource-server", "audience", metavar="URL", help=_SERVER),
        click.option("--legacy/--no-legacy", default=None, help=_LEGACY),
        click.option("--owner/--no-owner", "may_own", default=None, help=_OWNER),
        click.option("--icon", type=click.Path(path_type=Path, dir_okay=False), help=_ICON),
    ):
        function = one(function)
    return function


@client.command("add")
@click.argument("client_id", metavar="CLIENT")
@click.option("--name", required=True, help="What people call it.")
@click.option("--public", is_flag=True, help="It runs where others can read it, and has no secret.")
@click.option("--again", is_flag=True, help=_AGAIN)
@described
@json_option
@settings_options(*WHERE)
def client_add(
    settings: Settings,
    client_id: str,
    name: str,
    public: bool,
    again: bool,
    icon: Path | None,
    as_json: bool,
    **described: Any,
) -> None:
    """Register CLIENT, an id of a-z, 0-9, _ and -, and print its secret, which is shown this once."""
    from identity.oauth.clients import OAuthClient

    picture = _picture(icon)
    fresh = OAuthClient(client_id, name, kind="public" if public else "confidential", **_given(described))

    async def use(clients: "Clients") -> "tuple[OAuthClient, str | None]":
        made = await clients.add(fresh, again=again)
        made = made if picture is None else await clients.set_icon(client_id, picture)
        return made, None if public else await clients.new_secret(client_id)

    made, secret = _with_clients(settings, use)
    text = f"{made.id} is registered as {made.name}"
    text += "\nit has no secret" if secret is None else f"\nsecret, shown this once: {secret}"
    say(_answer(made) | {"secret": secret}, text, as_json=as_json)


@client.command("set")
@click.argument("client_id", metavar="CLIENT")
@click.option("--name", help="What people call it.")
@click.option("--public/--confidential", default=None, help="Whether it can keep a secret. A public one loses its own.")
@described
@click.option("--no-redirect", is_flag=True, help="Browsers are sent back to it no more.")
@click.option("--no-origin", is_flag=True, help="It has no web pages any more.")
@click.option("--no-icon", is_flag=True, help="Take its picture away.")
@json_option
@settings_options(*WHERE)
def client_set(
    settings: Settings,
    client_id: str,
    public: bool | None,
    icon: Path | None,
    no_redirect: bool,
    no_origin: bool,
    no_icon: bool,
    as_json: bool,
    **described: Any,
) -> None:
    """Change what is known of CLIENT. What is not named stays as it is.

    An empty text takes away --home, --description or --resource-server.
    """
    import msgspec

    _refuse_both(described, no_redirect, no_origin, icon, no_icon)
    changes = (
        _given(described) | ({"redirect_uris": []} if no_redirect else {}) | ({"origins": []} if no_origin else {})
    )
    changes |= {} if public is None else {"kind": "public" if public else "confidential"}
    picture = _picture(icon)

    async def use(clients: "Clients") -> "OAuthClient":
        changed = await clients.change(client_id, lambda one: msgspec.structs.replace(one, **changes))
        return await clients.set_icon(client_id, picture) if no_icon or picture is not None else changed

    changed: OAuthClient = _with_clients(settings, use)
    say(_answer(changed), _in_words(changed), as_json=as_json)


@client.command("list")
@json_option
@settings_options(*WHERE)
def client_list(settings: Settings, as_json: bool) -> None:
    """List all clients by their names."""
    from llum.cli.render import table

    found: list[OAuthClient] = _with_clients(settings, lambda clients: clients.list())
    rows = [(one.id, one.name, one.kind, _marks(one), ", ".join(one.redirect_uris)) for one in found]
    text = table(("client", "name", "kind", "", "sent back to"), rows) if found else "there is no client yet"
    say({"clients": [_answer(one) for one in found]}, text, as_json=as_json)


@client.command("show")
@click.argument("client_id", metavar="CLIENT")
@json_option
@settings_options(*WHERE)
def client_show(settings: Settings, client_id: str, as_json: bool) -> None:
    """Show what is known of CLIENT."""
    from identity.oauth.clients import no_such_client

    found: OAuthClient | None = _with_clients(settings, lambda clients: clients.find(client_id))
    if found is None:
        raise no_such_client(client_id)
    say(_answer(found), _in_words(found), as_json=as_json)


@client.command("secret")
@click.argument("client_id", metavar="CLIENT")
@json_option
@settings_options(*WHERE)
def client_secret(settings: Settings, client_id: str, as_json: bool) -> None:
    """Give CLIENT a new secret, and print it: it is shown this once. The one before ends at once."""
    secret: str = _with_clients(settings, lambda clients: clients.new_secret(client_id))
    say({"client_id": client_id, "secret": secret}, secret, as_json=as_json)


@client.command("delete")
@click.argument("client_id", metavar="CLIENT")
@json_option
@settings_options(*WHERE)
def client_delete(settings: Settings, client_id: str, as_json: bool) -> None:
    """Delete CLIENT. Everybody's tokens for it end within a second.

    What people have allowed its app stays in their models until they take it back.
    """
    from identity.oauth.clients import no_such_client

    if not _with_clients(settings, lambda clients: clients.delete(client_id)):
        raise no_such_client(client_id)
    say({"client_id": client_id, "deleted": True}, f"{client_id} is no client any more", as_json=as_json)


def _with_clients(settings: Settings, use: "Callable[[Clients], Any]") -> Any:
    async def over(client: "Client") -> Any:
        from identity.oauth.clients import Clients

        return await use(Clients(client.bus))

    return with_client(settings, over)


def _given(described: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was not typed."""
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in described.items()}
    return {name: value for name, value in given.items() if value is not None and value != []}


def _refuse_both(
    described: dict[str, Any], no_redirect: bool, no_origin: bool, icon: Path | None, no_icon: bool
) -> None:
    for name, value, none in (
        ("redirect", described["redirect_uris"], no_redirect),
        ("origin", described["origins"], no_origin),
        ("icon", icon, no_icon),
    ):
        if value and none:
            raise click.UsageError(f"name --{name} or give --no-{name}, not both")


def _picture(icon: Path | None) -> bytes | None:
    if icon is None:
        return None
    from identity.oauth.icons import MAX_ICON_BYTES, check_icon
    from llum.failures import Fault

    try:
        with icon.open("rb") as file:
            return check_icon(file.read(MAX_ICON_BYTES + 1))
    except OSError as error:
        raise Fault(f"cannot read {icon}: {error.strerror}", "name a file that is there") from error


def _answer(client: "OAuthClient") -> dict[str, Any]:
    import msgspec

    members: dict[str, Any] = {name: getattr(client, name) for name in client.__struct_fields__}
    return {"client_id": members.pop("id"), **msgspec.to_builtins(members)}


def _marks(client: "OAuthClient") -> str:
    words = {"legacy": client.legacy, "may be an owner's": client.may_own, "resource server": bool(client.audience)}
    return ", ".join(word for word, holds in words.items() if holds)


def _in_words(client: "OAuthClient") -> str:
    from llum.cli.render import minute

    lines = [f"{client.id}: {client.name}, {client.kind}, made {minute(client.made)} by {client.made_by}"]
    lines += [client.description] if client.description else []
    lines += [f"home: {client.home}"] if client.home else []
    lines += [f"sent back to: {uri}" for uri in client.redirect_uris]
    lines += [f"pages from: {origin}" for origin in client.origins]
    lines += [f"resource server: {client.audience}"] if client.audience else []
    lines += ["legacy: it may leave out PKCE"] if client.legacy else []
    lines += ["it may ask to do everything, as the owner does"] if client.may_own else []
    lines += ["it has an icon"] if client.has_icon else []
    return "\n".join(lines)
