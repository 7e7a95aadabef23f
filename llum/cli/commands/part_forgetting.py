"""`llum forget`: erase a part of a person."""

from typing import TYPE_CHECKING

import click
import msgspec
from click.exceptions import Exit

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.cli.parameters import Moment, PieceName
from llum.cli.progress import Progress
from llum.failures import EXIT_FAILED
from llum.settings import Settings
from schemas.apps import OWNER_APP

if TYPE_CHECKING:
    from llum.people.part_forgetting import PartReceipt
    from schemas.parts import ForgetPart, PartSize
    from schemas.replies import ConsequencesReply


@click.command()
@click.argument("user")
@click.option("--component", metavar="PATH", help="This component, with all that it ever was.")
@click.option("--piece", metavar="PATH SEQ[.N]", type=(str, PieceName()), help="This piece of evidence.")
@click.option("--source", metavar="APP", help="Evidence that this app told.")
@click.option("--from", "since", metavar="TIME", type=Moment(), help="Evidence from this time on.")
@click.option("--until", metavar="TIME", type=Moment(), help="Evidence before this time.")
@click.option("--held", is_flag=True, help="The times are those when the evidence held, not when it was accepted.")
@click.option("--preview", is_flag=True, help="Only say what would go. Nothing happens.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--app", default=OWNER_APP, show_default=True, help="Speak as this owner app of the model.")
@json_option
@settings_options(*WHERE)
def forget(
    settings: Settings,
    user: str,
    component: str | None,
    piece: tuple[str, tuple[int, int]] | None,
    source: str | None,
    since: float | None,
    until: float | None,
    held: bool,
    preview: bool,
    yes: bool,
    app: str,
    as_json: bool,
) -> None:
    """Erase a part of USER for good, from the model, its past and the log. Prints a receipt.

    Only what fulfils all options goes, with what rules have derived from it. `--component` without any other option
    takes the component itself along. `llum admin person forget` erases a whole person. If it was interrupted, run it
    again. The exit code is 1 if nothing of the part was there.
    """
    from llum.people.part_forgetting import forget_part, look_at_part

    part = _part(component, piece, source, since, until, held=held)
    if preview or not yes:
        size, follows = with_client(settings, lambda client: look_at_part(client, user, part), app)
        if preview:
            words = f"{_follows(follows)}\n\nwould be erased of {user}: {_listed(size)}"
            say({"user": user, "size": size, "consequences": follows}, words, as_json=as_json)
            return
        click.echo(f"{_follows(follows)}\n\nof {user} there is: {_listed(size)}", err=as_json)
        if not click.confirm("Erase this for good?", err=as_json):
            raise click.ClickException("nothing was erased")
    with Progress() as progress:
        receipt = with_client(settings, lambda client: forget_part(client, user, part, progress), app)
    say(receipt, _in_words(receipt), as_json=as_json)
    if receipt.left.total or not receipt.removed.total:
        raise Exit(EXIT_FAILED)


def _part(
    component: str | None,
    piece: tuple[str, tuple[int, int]] | None,
    source: str | None,
    since: float | None,
    until: float | None,
    *,
    held: bool,
) -> "ForgetPart":
    """Make the command of the options. Raises `click.UsageError`."""
    from bus.as_app import new_id
    from schemas.app_names import app_id
    from schemas.parts import ForgetPart
    from schemas.paths import parse_path

    if component is not None and piece is not None:
        raise click.UsageError("give --component or --piece, not both: --piece names the component, too")
    if held and since is None and until is None:
        raise click.UsageError("--held says which times --from and --until are: give one of these")
    part = ForgetPart(id=new_id(), source=None if source is None else app_id(source, "source"))
    named = component if piece is None else piece[0]
    if named is not None:
        *context, name = parse_path(named, "PATH") or [""]
        part.context, part.component = context, name
    if piece is not None:
        part.seq, part.n = piece[1]
    if held:
        part.held_from, part.held_until = since, until
    else:
        part.accepted_from, part.accepted_until = since, until
    if part == ForgetPart(id=part.id):
        raise click.UsageError("say which part: --component, --piece, --source, --from or --until")
    return part


def _follows(reply: "ConsequencesReply") -> str:
    from llum.cli import layout
    from llum.cli.consequences import in_words

    return in_words(reply, layout.terminal_width(), forgets=True)


def _in_words(receipt: "PartReceipt") -> str:
    if not receipt.removed.total:
        lines = [f"there was nothing of that part of {receipt.user}"]
    else:
        lines = [f"erased of {receipt.user}: {_listed(receipt.removed)}"]
    lines.append(
        f"erased from the log: {receipt.messages:,} messages; what is left is said anew in {receipt.said_anew:,}"
    )
    lines.append("left: nothing" if not receipt.left.total else f"LEFT: {_listed(receipt.left)}. Do this again.")
    return "\n".join(lines)


def _listed(size: "PartSize") -> str:
    counts = msgspec.structs.asdict(size)
    there = [f"{count:,} {_WORDS[name][count != 1]}" for name, count in counts.items() if count]
    return ", ".join(there) or "nothing"


_WORDS = {
    "components": ("component", "components"),
    "evidence": ("piece of evidence", "pieces of evidence"),
    "derived": ("piece derived from these", "pieces derived from these"),
    "withdrawals": ("note of a withdrawal", "notes of withdrawals"),
    "rules": ("rule", "rules"),
    "permissions": ("permission", "permissions"),
}
"""By member of a `PartSize`: one, and several."""
