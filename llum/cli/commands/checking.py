"""`llum check`: whether an app may do something, and which setting decides."""

from typing import TYPE_CHECKING, get_args

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_person
from llum.settings import Settings
from schemas.slices import Action

if TYPE_CHECKING:
    from llum.client import Client
    from schemas.granting import CheckReply
    from schemas.paths import Path


@click.command()
@click.argument("user")
@click.argument("name", metavar="APP")
@click.argument("verb", metavar="VERB", type=click.Choice(get_args(Action)))
@click.argument("path", default="")
@click.option("--whose-rules", metavar="PERSON", help="It is about the rules that APP has in the model of this person.")
@json_option
@settings_options(*WHERE)
def check(
    settings: Settings, user: str, name: str, verb: Action, path: str, whose_rules: str | None, as_json: bool
) -> None:
    """Say whether APP may do VERB at PATH in the model of USER, which setting decides that, or what is missing.

    VERB is ask, tell, make, delete, rules or notify. PATH is a context, or else a component. Without PATH: the whole
    model.
    """
    from llum.cli import layout
    from llum.cli.checking import in_words
    from schemas.app_names import app_id
    from schemas.paths import parse_path

    app, at = app_id(name), parse_path(path, "PATH")
    reply = with_person(settings, user, lambda client: _checked(client, user, app, verb, at, whose_rules))
    say(reply, in_words(reply, name, verb, layout.terminal_width()), as_json=as_json)


async def _checked(
    client: "Client", user: str, app: str, verb: Action, at: "Path", whose_rules: str | None
) -> "CheckReply":
    """Take the path for a component's only if there is one, and no context."""
    of_context = await client.check(user, app, verb, at, whose_rules=whose_rules)
    if of_context.exists or not at:
        return of_context
    of_component = await client.check(user, app, verb, at[:-1], component=at[-1], whose_rules=whose_rules)
    return of_component if of_component.exists else of_context
