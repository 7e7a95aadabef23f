"""`llum sign-in` and `llum sign-out`."""

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
    read.
    """
    from llum.people.sign_ins import SignIns
    from llum.people.tokens import sign_in_app

    made: SignIn = with_client(settings, lambda client: sign_in_app(client, user, OWNER_APP, days * SECONDS_PER_DAY))
    SignIns(settings).keep(made)
    answer = {"user": user, "app": made.app, "expires": made.expires}
    say(answer, f"this command line speaks for {user} now", as_json=as_json)


@click.command("sign-out")
@click.argument("user")
@json_option
@settings_options(*WHERE)
def sign_out(settings: Settings, user: str, as_json: bool) -> None:
    """Let this command line speak for USER no longer."""
    from llum.people.sign_ins import SignIns

    there = SignIns(settings).drop(user, OWNER_APP)
    said = "speaks no longer for" if there else "did not speak for"
    say({"user": user, "signed_out": there}, f"this command line {said} {user}", as_json=as_json)
