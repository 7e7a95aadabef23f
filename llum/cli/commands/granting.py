"""`llum grants` and `llum revoke`: what apps may do, and taking all of it away."""

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_person
from llum.settings import Settings


@click.command()
@click.argument("user")
@click.argument("name", metavar="[APP]", required=False)
@json_option
@settings_options(*WHERE)
def grants(settings: Settings, user: str, name: str | None, as_json: bool) -> None:
    """Show what each app may do with the model of USER, or APP alone, and what was decided about it.

    The latest decision comes first. An app that was refused, or is gone, is in the list, too.
    """
    from llum.cli import layout
    from llum.cli.granting import in_words
    from schemas.app_names import app_id

    app = None if name is None else app_id(name)
    reply = with_person(settings, user, lambda client: client.grants(user, app))
    say(reply, in_words(reply, layout.terminal_width()), as_json=as_json)


@click.command()
@click.argument("user")
@click.argument("name", metavar="APP")
@json_option
@settings_options(*WHERE)
def revoke(settings: Settings, user: str, name: str, as_json: bool) -> None:
    """Take everything from APP that it may do with the model of USER.

    Its tokens, passwords and connections end within a second. Its rules are suspended, and what they have not sent yet
    is not sent. What it has told stays. It may be allowed something again later; its rules then wait until you activate
    them.
    """
    from schemas.app_names import app_id

    how = "by llum revoke"
    done = with_person(settings, user, lambda client: client.consent(user, app_id(name), "revoked", how=how))
    say(done, f"{name} may do nothing with the model of {user} any more", as_json=as_json)
