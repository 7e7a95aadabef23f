"""`llum sign-in` and `llum sign-out`."""

import time
from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings
from schemas.apps import OWNER_APP

if TYPE_CHECKING:
    from llum.people.sign_ins import SignIn

SECONDS_PER_DAY = 86_400


@click.command("sign-in")
@click.argument("user")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), default=30.0, show_default=True, help="Lifetime.")
@json_option
@settings_options(*WHERE, "credentials")
def sign_in(settings: Settings, user: str, days: float, as_json: bool) -> None:
    """Let this command line speak for USER: `llum tell`, `llum ask`, `llum browse`.

    It needs the operator's credentials, which are in the data folder. The token is kept in a file that only you can
    read. Again it renews the token, and the earlier one ends.
    """
    from llum.people.sign_ins import SignIns
    from llum.people.tokens import sign_in_app

    sign_ins, lifetime_s = SignIns(settings), days * SECONDS_PER_DAY
    earlier = sign_ins.find(user, OWNER_APP)
    made: SignIn = with_client(settings, lambda client: sign_in_app(client, user, OWNER_APP, lifetime_s, earlier))
    sign_ins.keep(made)
    answer = {"user": user, "app": made.app, "expires": made.expires}
    say(answer, f"this command line speaks for {user} now", as_json=as_json)


@click.command("sign-out")
@click.argument("user")
@json_option
@settings_options(*WHERE, "credentials")
def sign_out(settings: Settings, user: str, as_json: bool) -> None:
    """Let this command line speak for USER no longer, and revoke its token.

    To revoke needs the operator's credentials. Without them the token is forgotten here, and good until it expires.
    """
    from llum.people.sign_ins import SignIns

    dropped = SignIns(settings).drop(user, OWNER_APP)
    revoked = dropped is not None and _revoke(settings, dropped)
    said = f"this command line {'did not speak' if dropped is None else 'speaks no longer'} for {user}"
    if dropped is not None and not revoked:
        said += "; its token could not be revoked"
    answer = {"user": user, "signed_out": dropped is not None, "revoked": revoked}
    say(answer, said, as_json=as_json)


def _revoke(settings: Settings, sign_in: "SignIn") -> bool:
    """See that the token of a sign-in is worth nothing any more, if that can be done from here."""
    from identity.tokens import shown_id
    from llum.people.tokens import revoke_token
    from schemas.errors import LlumError

    if sign_in.expires <= time.time():
        return True
    try:
        with_client(settings, lambda client: revoke_token(client, sign_in.user, shown_id(sign_in.token)))
    except LlumError:
        return False
    return True
