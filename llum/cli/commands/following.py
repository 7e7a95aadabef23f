"""`llum follows`: what has followed from a piece of evidence."""

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_person
from llum.cli.parameters import PieceName
from llum.settings import Settings


@click.command()
@click.argument("user")
@click.argument("path")
@click.argument("piece", metavar="SEQ[.N]", type=PieceName())
@json_option
@settings_options(*WHERE)
def follows(settings: Settings, user: str, path: str, piece: tuple[int, int], as_json: bool) -> None:
    """Show what has followed from a piece of evidence about USER: values that rules have told, and what they have sent.

    It also shows who has asked since for what the piece, or a value that followed from it, may have changed. `llum ask
    USER PATH --evidence` shows the SEQ of each piece, and N if several came with one command.
    """
    from llum.cli import layout
    from llum.cli.following import in_words
    from llum.people.nearest import explained
    from schemas.paths import parse_path

    named = parse_path(path, "PATH")
    reply = with_person(
        settings, user, lambda client: explained(client.of(user), named, client.follows(user, path, *piece))
    )
    say(reply, in_words(reply, layout.terminal_width()), as_json=as_json)
