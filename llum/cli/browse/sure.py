"""Before something goes: the person at the terminal sees what follows, and is asked."""

import click

from llum.cli import consequences
from llum.cli.browse.shell import Shell
from schemas.commands import DeleteComponent, DeleteContext, Withdraw
from schemas.queries import Consequences
from schemas.replies import ConsequencesReply


async def preview(shell: Shell, command: Withdraw | DeleteComponent | DeleteContext) -> ConsequencesReply:
    """Say what would follow from a command. Raises what refuses it."""
    return await shell.query(Consequences(command=command), ConsequencesReply)


def show(shell: Shell, follows: ConsequencesReply) -> None:
    shell.say(consequences.in_words(follows, shell.width))


async def check_sure(shell: Shell, command: Withdraw | DeleteComponent | DeleteContext, question: str) -> None:
    """Ask whether to go on, after what follows has been shown if that is more than the question says.

    A script is not asked. Raises `click.ClickException` for a no.
    """
    if not shell.interactive:
        return
    withdraws = isinstance(command, Withdraw)
    follows = await preview(shell, command)
    more = consequences.is_more(follows, 1 if withdraws else 0)
    if more:
        show(shell, follows)
    if (more or not withdraws) and not await shell.dialogue.yes(question):
        raise click.ClickException(f"nothing was {'withdrawn' if withdraws else 'deleted'}")
