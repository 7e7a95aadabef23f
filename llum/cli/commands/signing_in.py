"""`llum sign-in` and `llum sign-out`."""

import time
from typing import TYPE_CHECKING, Any

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings
from schemas.apps import OWNER_APP
from schemas.paths import check_token

if TYPE_CHECKING:
    from llum.people.sign_ins import SignIn

SECONDS_PER_DAY = 86_400


_at = click.option("--at", metavar="URL", help="The address of an llum that somebody else runs, as a browser has it.")


@click.command("sign-in")
@click.argument("user")
@_at
@click.option("--browser", "how", flag_value="browser", help="With --at: decide in a browser of this machine.")
@click.option("--device", "how", flag_value="device", help="With --at: type a short code into a browser elsewhere.")
@click.option("--scope", help="With --at: what to ask for, in place of all that is yours. Such as ask:Personal.")
@click.option(
    "--days",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Lifetime, without --at.",
)
@json_option
@settings_options(*WHERE, "credentials")
def sign_in(
    settings: Settings, user: str, at: str | None, how: str | None, scope: str | None, days: float, as_json: bool
) -> None:
    """Let this command line speak for USER: `llum tell`, `llum ask`, `llum browse`.

    It needs the operator's credentials, which are in the data folder. The token is kept in a file that only you can
    read. Again it renews the token, and the earlier one ends.

    With --at nobody's credentials are needed: you sign in to an llum that somebody else runs, and decide there. Over
    ssh, or without a display, you type a short code into any browser. The sign-in is kept in the keyring of this
    system, or else in a file that only you can read.
    """
    if at is not None:
        _sign_in_at(settings, user, at, how, scope, as_json)
        return
    if how is not None or scope is not None:
        raise click.UsageError("--browser, --device and --scope go with --at")
    from llum.people.sign_ins import SignIns
    from llum.people.tokens import sign_in_app

    sign_ins, lifetime_s = SignIns(settings), days * SECONDS_PER_DAY
    earlier = sign_ins.find(user, OWNER_APP)
    made: SignIn = with_client(settings, lambda client: sign_in_app(client, user, OWNER_APP, lifetime_s, earlier))
    sign_ins.keep(made)
    answer = {"user": user, "app": made.app, "expires": made.expires}
    say(answer, f"this command line speaks for {user} now", as_json=as_json)


def _sign_in_at(settings: Settings, user: str, at: str, how: str | None, scope: str | None, as_json: bool) -> None:
    from llum.cli.commands.options import run_quietly
    from llum.people.remote_sign_ins import SCOPE, sign_in_at

    way: Any = how or "auto"
    made = run_quietly(settings, lambda: sign_in_at(check_token(user, "user"), at, way, scope or SCOPE))
    answer = {"user": user, "app": made.client_id, "at": made.url, "scope": made.scope}
    say(answer, f"this command line speaks for {user} at {made.url} now", as_json=as_json)


@click.command("sign-out")
@click.argument("user")
@_at
@json_option
@settings_options(*WHERE, "credentials")
def sign_out(settings: Settings, user: str, at: str | None, as_json: bool) -> None:
    """Let this command line speak for USER no longer, and revoke its token.

    To revoke needs the operator's credentials, but for a sign-in with --at. Without them the token is forgotten here,
    and good until it expires.
    """
    from llum.people.sign_ins import SignIns

    sign_ins = SignIns(settings)
    if at is not None or (sign_ins.find(user, OWNER_APP) is None and sign_ins.has_remote):
        signed_out, revoked = _sign_out_at(settings, user, at)
    else:
        dropped = sign_ins.drop(user, OWNER_APP)
        signed_out, revoked = dropped is not None, dropped is not None and _revoke(settings, dropped)
    said = f"this command line {'speaks no longer' if signed_out else 'did not speak'} for {user}"
    if signed_out and not revoked:
        said += "; its token could not be revoked"
    answer = {"user": user, "signed_out": signed_out, "revoked": revoked}
    say(answer, said, as_json=as_json)


def _sign_out_at(settings: Settings, user: str, at: str | None) -> tuple[bool, bool]:
    """Tell whether there was such a sign-in, and whether llum knows that it has ended."""
    from llum.cli.commands.options import run_quietly
    from llum.people.remote_sign_ins import find_remote, sign_out_at

    kept = find_remote(user, at)
    return (False, False) if kept is None else (True, run_quietly(settings, lambda: sign_out_at(kept)))


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
