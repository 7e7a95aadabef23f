"""`llum admin token`: tokens for apps, and the list of all that lets an app in."""

from typing import TYPE_CHECKING, Any

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings

if TYPE_CHECKING:
    from identity.credentials import Credential
    from llum.client import Client
    from llum.people.tokens import MadeToken

SECONDS_PER_DAY = 86_400


class _MakesByDefault(click.Group):
    """`llum admin token alice …` is short for `llum admin token make alice …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_MakesByDefault)
def token() -> None:
    """Make, list and revoke the tokens of a person's apps.

    \b
    llum admin token alice --app notebook      print a token for the app
    llum admin token list alice                list tokens and passwords
    llum admin token revoke alice 5c09bf…      make one worthless
    """


@token.command("make")
@click.argument("user")
@click.option("--app", required=True, help="The app that the token is for.")
@click.option("--owner", is_flag=True, help="Give the app the owner's rights first: it may do everything.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), default=30.0, show_default=True, help="Lifetime.")
@json_option
@settings_options(*WHERE)
def make(settings: Settings, user: str, app: str, owner: bool, days: float, as_json: bool) -> None:
    """Print a token for an app of USER, good over HTTP and on the bus. It has the rights of the app. Keep it secret.

    `make` may be left out: `llum admin token alice --app notebook`. The app must be registered (`llum admin app add`);
    with --owner it is registered if need be. The token ends when the app is removed, also if an app of that name is
    registered again later.
    """
    from llum.people.tokens import make_token

    made: MadeToken = with_client(
        settings, lambda client: make_token(client, user, app, days * SECONDS_PER_DAY, owner=owner)
    )
    if made.made_owner and not as_json:
        click.echo(f"{app} is an owner app of {user} now: it may do everything", err=True)
    say({"user": user, "app": app, **made._asdict()}, made.token, as_json=as_json)


@token.command("list")
@click.argument("user")
@json_option
@settings_options(*WHERE)
def list_(settings: Settings, user: str, as_json: bool) -> None:
    """List the tokens, sign-ins and passwords of the apps of USER, the oldest first.

    A sign-in by OAuth 2 has a refresh token, and the tokens whose row names it. An id opens nothing, and `revoke` takes
    it. Uses are noted every ten minutes or so.
    """
    from llum.cli import render
    from llum.people.tokens import list_tokens

    found: list[Credential] = with_client(settings, lambda client: list_tokens(client, user))
    text = f"no app of {user} has a token, a sign-in or a password"
    if found:
        text = render.table(("id", "kind", "app", "works", "made", "used", "expires", "sign-in"), map(_row, found))
    say({"credentials": list(map(_as_dict, found))}, text, as_json=as_json)


@token.command("revoke")
@click.argument("user")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@json_option
@settings_options(*WHERE)
def revoke(settings: Settings, user: str, ids: tuple[str, ...], as_json: bool) -> None:
    """Make tokens or passwords of USER worthless, and end sign-ins with all their tokens.

    The ids are those of `llum admin token list USER`. Every edge refuses it within a second.
    """
    from llum.people.tokens import revoke_token

    async def use(client: "Client") -> "list[Credential]":
        return [await revoke_token(client, user, shown_id) for shown_id in ids]

    gone = with_client(settings, use)
    lines = [f"the {one.kind} {one.id} of {_name(one)} is worthless now" for one in gone]
    say({"revoked": list(map(_as_dict, gone))}, "\n".join(lines), as_json=as_json)


def _row(one: "Credential") -> tuple[str, ...]:
    from llum.cli import render

    used = "never" if one.used is None else render.moment(one.used)
    expires = "never" if one.expires is None else render.moment(one.expires)
    works = "yes" if one.works else "no: the app was removed"
    return (one.id, one.kind, _name(one), works, render.moment(one.made), used, expires, one.sign_in or "")


def _as_dict(one: "Credential") -> dict[str, Any]:
    return {**one._asdict(), "app": _name(one)}


def _name(one: "Credential") -> str:
    from schemas.app_names import app_name

    return app_name(one.app)
