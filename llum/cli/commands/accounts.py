"""`llum admin account`: who has an account, links to sign up and come back by, administrators."""

from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.settings import Settings

if TYPE_CHECKING:
    from identity.accounts.account import Account
    from llum.people.accounts import MadeLink


@click.group()
def account() -> None:
    """Accounts by which people sign in: links for them, and administrators.

    \b
    llum admin account link                       who opens it is the first, and administrator
    llum admin account invite alice               let alice claim the model that you have made
    llum admin account recover alice              let alice in who has lost her way in
    llum admin account make-administrator alice
    """


@account.command("link")
@json_option
@settings_options(*WHERE, "public_url")
def account_link(settings: Settings, as_json: bool) -> None:
    """Print a one-time link by which the first person signs up as administrator. An earlier one ends.

    It is good for a week. Once there is an administrator, there is no such link any more.
    """
    from llum.people.accounts import first_link, public_url_of

    url = public_url_of(settings)
    made: MadeLink = with_client(settings, lambda client: first_link(client, url))
    say(made._asdict(), made.link, as_json=as_json)


@account.command("list")
@json_option
@settings_options(*WHERE)
def account_list(settings: Settings, as_json: bool) -> None:
    """List the accounts, the oldest first: by what each signs in, and who is administrator."""
    from llum.cli.render import minute, table
    from llum.people.accounts import accounts_of

    found: list[Account] = with_client(settings, lambda client: accounts_of(client).list())
    rows = [(one.user, minute(one.made), one.words_of_ways, "administrator" if one.admin else "") for one in found]
    answer = [
        {"user": one.user, "made": one.made, "admin": one.admin, "signs_in_by": one.words_of_ways} for one in found
    ]
    text = table(("user", "since", "signs in by", ""), rows) if found else "nobody has an account yet"
    say({"accounts": answer}, text, as_json=as_json)


@account.command("invite")
@click.argument("user")
@json_option
@settings_options(*WHERE, "public_url")
def account_invite(settings: Settings, user: str, as_json: bool) -> None:
    """Print a one-time link by which USER gets an account for the model that is there. An earlier one ends.

    It is good for a week. Make the model first, with `llum admin person add`.
    """
    from llum.people.accounts import claim_link, public_url_of

    url = public_url_of(settings)
    made: MadeLink = with_client(settings, lambda client: claim_link(client, user, url))
    say({"user": user, **made._asdict()}, made.link, as_json=as_json)


@account.command("recover")
@click.argument("user")
@json_option
@settings_options(*WHERE, "public_url")
def account_recover(settings: Settings, user: str, as_json: bool) -> None:
    """Print a one-time link by which USER comes back to their account, and chooses a new way to sign in.

    It is good for an hour. That you made it stands in the person's record.
    """
    from llum.people.accounts import public_url_of, recovery_link

    url = public_url_of(settings)
    made: MadeLink = with_client(settings, lambda client: recovery_link(client, user, url))
    say({"user": user, **made._asdict()}, made.link, as_json=as_json)


@account.command("make-administrator")
@click.argument("user")
@json_option
@settings_options(*WHERE)
def account_make_administrator(settings: Settings, user: str, as_json: bool) -> None:
    """Make USER an administrator: they invite others, and see accounts, but nobody's values."""
    from llum.people.accounts import make_administrator

    made = with_client(settings, lambda client: make_administrator(client, user))
    text = f"{user} is an administrator {'now' if made else 'already'}"
    say({"user": user, "made": made}, text, as_json=as_json)
