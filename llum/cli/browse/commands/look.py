"""Commands to look around: ls, cd, pwd."""

import click

from llum.cli.browse import show
from llum.cli.browse.command import ANYTHING, CONTEXT, command
from llum.cli.browse.shell import Shell, parted
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter
from schemas.paths import Path
from schemas.queries import Ask, GetContext, ListRules
from schemas.replies import ComponentAnswer, ContextReply, RulesReply

DEFAULT_PIECES = 10
"""Pieces of evidence that `ls` of a component shows: what fits a screen together with all else."""


@command("ls", "dir", section="look around", example="ls Personal/firstname")
@click.argument("path", type=ANYTHING, default="")
@click.option(
    "-n", "pieces", type=click.IntRange(min=0), default=DEFAULT_PIECES, help="Show so many pieces of evidence."
)
async def ls(shell: Shell, path: Path, pieces: int) -> None:
    """Show a context, a component, or a view.

    Without PATH: the context that you are in. For a component it shows the newest evidence too.
    """
    if await shell.is_context(path):
        await _context(shell, path)
        return
    try:
        answer = await shell.component(path, explain=True)
    except Refusal as refusal:
        if refusal.code not in (Code.NO_SUCH_COMPONENT, Code.NO_SUCH_CONTEXT):
            raise
        await _view(shell, path)
        return
    await _component(shell, path, answer, pieces)


async def _context(shell: Shell, path: Path) -> None:
    about = await shell.query(GetContext(context=list(path)), ContextReply)
    values = await shell.ask(Ask(context=list(path)))
    shell.say(show.context(about, values, shell.width))


async def _view(shell: Shell, path: Path) -> None:
    context, name = parted(path)
    try:
        reply = await shell.ask(Ask(context=context, view=name))
    except Refusal as refusal:
        if refusal.code not in (Code.NO_SUCH_VIEW, Code.NO_SUCH_CONTEXT):
            raise
        message = f"there is no context, component or view at {shell.shown(path)}"
        raise Refusal(Code.NO_SUCH_COMPONENT, message, "path") from refusal
    shell.say(show.values(reply, shell.width, by_path=True))


async def _component(shell: Shell, path: Path, answer: ComponentAnswer, pieces: int) -> None:
    shell.say(show.component(answer, shell.width))
    if pieces:
        shell.say("")
        shell.say(await _evidence(shell, path, pieces))
    context, name = parted(path)
    rules = (await shell.query(ListRules(context=context, component=name), RulesReply)).rules
    if rules:
        shell.say("")
        shell.say(show.rules(rules[name], shell.width))


async def _evidence(shell: Shell, path: Path, pieces: int) -> str:
    """Show the newest pieces; one more than is shown is asked for, to know whether there are more."""
    newest = EvidenceFilter(name="recent_count", recent_count=pieces + 1)
    try:
        found = (await shell.component(path, evidence_filter=newest, include_evidence=True)).evidence
    except Refusal as refusal:
        if refusal.code is not Code.PERMISSION_DENIED:
            raise
        found = None
    return show.evidence(found, pieces, shell.width)


@command("cd", section="look around", example="cd ../Devices")
@click.argument("path", type=CONTEXT, default="/")
async def cd(shell: Shell, path: Path) -> None:
    """Go to a context.

    `..` is the context above. `/` or nothing is the root.
    """
    if not await shell.is_context(path):
        raise Refusal(Code.NO_SUCH_CONTEXT, f"there is no context at {shell.shown(path)}", "path")
    shell.path = path


@command("pwd", section="look around", example="pwd")
async def pwd(shell: Shell) -> None:
    """Print the path of the context that you are in."""
    shell.say(shell.shown(shell.path))
