"""`llum withdraw`: take evidence back, and see first what follows."""

from typing import TYPE_CHECKING

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_person
from llum.cli.parameters import PieceName
from llum.settings import Settings
from schemas.apps import OWNER_APP
from schemas.paths import parse_path
from schemas.replies import Accepted

if TYPE_CHECKING:
    from llum.client import Client
    from schemas.replies import ConsequencesReply


@click.command()
@click.argument("user")
@click.argument("path")
@click.argument("piece", metavar="SEQ[.N]", type=PieceName())
@click.option("--preview", is_flag=True, help="Only say what would follow. Nothing happens.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever follows.")
@click.option("--comment", help="A note for people.")
@click.option("--app", default=OWNER_APP, show_default=True, help="Speak as this app.")
@json_option
@settings_options(*WHERE)
def withdraw(
    settings: Settings,
    user: str,
    path: str,
    piece: tuple[int, int],
    preview: bool,
    yes: bool,
    comment: str | None,
    app: str,
    as_json: bool,
) -> None:
    """Take back a piece of evidence about USER: it counts no longer, and nor does what rules have derived from it.

    `llum ask USER PATH --evidence` shows the SEQ of each piece, and N if several came with one command. If anything
    follows from the piece the command says what, and asks before it does it. Owner apps still see the piece, marked.
    """
    from llum.people.nearest import explained

    seq, n = piece
    named = parse_path(path, "PATH")

    async def look(client: "Client") -> "ConsequencesReply":
        return await explained(client.of(user), named, client.consequences(user, path, seq, n))

    async def do(client: "Client") -> Accepted:
        return await explained(client.of(user), named, client.withdraw(user, path, seq, n, comment=comment))

    async def do_if_nothing_follows(client: "Client") -> "Accepted | ConsequencesReply":
        from llum.cli.consequences import is_more

        reply = await look(client)
        return reply if is_more(reply) else await do(client)

    if preview:
        reply = with_person(settings, user, look, app)
        say(reply, _in_words(reply), as_json=as_json)
        return
    done = with_person(settings, user, do if yes else do_if_nothing_follows, app)
    if not isinstance(done, Accepted):
        _confirm(done, as_json)
        done = with_person(settings, user, do, app)
    say(done, f"withdrawn, sequence {done.seq}", as_json=as_json)


def _confirm(reply: "ConsequencesReply", as_json: bool) -> None:
    """Show what follows, and ask. Raises `click.ClickException` for a no."""
    click.echo(_in_words(reply), err=as_json)
    if not click.confirm("Withdraw all of this?", err=as_json):
        raise click.ClickException("nothing was withdrawn")


def _in_words(reply: "ConsequencesReply") -> str:
    from llum.cli import layout
    from llum.cli.consequences import in_words

    return in_words(reply, layout.terminal_width())
