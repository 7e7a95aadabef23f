"""Commands about values: tell, ask, correct, withdraw."""

from typing import Any, get_args

import click
import msgspec

from bus.as_app import new_id
from llum.cli import layout, render
from llum.cli.browse import show, sure
from llum.cli.browse.command import COMPONENT, RESOLVER, command
from llum.cli.browse.shell import Shell, parted
from llum.cli.parameters import Filter, Moment, PieceName
from schemas.commands import Correct, Tell, Withdraw
from schemas.errors import Code, Refusal
from schemas.evidence import DEFAULT_TYPE, EvidenceFilter, EvidenceType, NewEvidence
from schemas.paths import Path
from schemas.replies import ComponentAnswer


@command("tell", section="tell", example='tell firstname "Al" --comment "as friends say"', loose=True)
@click.argument("component", type=COMPONENT, required=False)
@click.argument("value", required=False)
@click.option("--type", "evidence_type", type=click.Choice(get_args(EvidenceType)), help="How it is known.")
@click.option("--flag", "flags", multiple=True, help="A flag, such as goal. Repeat it to give more.")
@click.option("--comment", help="A note for people.")
@click.option("--time", type=Moment(), help="When it was true. Default: now.")
@click.option("--useby", type=Moment(), help="From this time on it does not count.")
async def tell(
    shell: Shell,
    component: Path | None,
    value: str | None,
    evidence_type: EvidenceType | None,
    flags: tuple[str, ...],
    **how: Any,
) -> None:
    """Tell evidence to a component.

    A component of type string takes VALUE as it is. Others take JSON: 70, true, [1].
    """
    component = await shell.needed(component, "Component?")
    answer = await _answer(shell, component)
    if value is None:
        value = await shell.dialogue.text("Value?")
        types = get_args(EvidenceType)
        evidence_type = evidence_type or await shell.dialogue.choice("Evidence type?", types, DEFAULT_TYPE)
        flags = flags or _words(await shell.dialogue.text("Flags?", ""))
    evidence = NewEvidence(
        value=_read(value, answer), evidence_type=evidence_type or DEFAULT_TYPE, flags=list(flags), **how
    )
    context, name = parted(component)
    outcome = await shell.send(Tell(id=new_id(), context=context, component=name, evidence=evidence))
    shell.say(f"told, sequence {outcome.seq}")


@command("ask", section="look around", example="ask steps --resolver mean --filter last10 --explain")
@click.argument("component", type=COMPONENT, required=False)
@click.option("--resolver", type=RESOLVER, help="How evidence becomes a value. Default: as the model says.")
@click.option(
    "--filter",
    "evidence_filter",
    type=Filter(),
    help="all, last1, last10, goal, since_time=TIME or recent_count=NUMBER.",
)
@click.option("--explain", is_flag=True, help="Say why the value is what it is.")
@click.option("--as-of-seq", type=click.IntRange(min=0), help="As the model was after this sequence.")
@click.option("--as-of", "as_of_time", type=Moment(), help="As the model was at this time.")
async def ask(shell: Shell, component: Path | None, **how: Any) -> None:
    """Print the value of a component as JSON."""
    answer = await shell.component(await shell.needed(component, "Component?"), **how)
    shell.say(layout.clean(render.as_json(answer.value)))
    if answer.explanation is not None:
        shell.say(show.explained(answer, shell.width))


@command("correct", section="tell", example='correct firstname "Alice" --comment "that was a joke"', loose=True)
@click.argument("component", type=COMPONENT, required=False)
@click.argument("value", required=False)
@click.option("--comment", help="A note for people.")
async def correct(shell: Shell, component: Path | None, value: str | None, comment: str | None) -> None:
    """Say what is right.

    It counts, whatever apps and sensors tell, until you withdraw it or correct it again.
    """
    component = await shell.needed(component, "Component?")
    answer = await _answer(shell, component)
    value = await shell.dialogue.text("Value?") if value is None else value
    context, name = parted(component)
    command = Correct(id=new_id(), context=context, component=name, value=_read(value, answer), comment=comment)
    shell.say(f"corrected, sequence {(await shell.send(command)).seq}")


@command("withdraw", section="tell", example="withdraw firstname 17 --preview")
@click.argument("component", type=COMPONENT, required=False)
@click.argument("piece", metavar="[SEQ[.N]]", type=PieceName(), required=False)
@click.option("--preview", is_flag=True, help="Only say what would follow.")
@click.option("--comment", help="A note for people.")
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Do not ask, whatever follows.")
async def withdraw(
    shell: Shell,
    component: Path | None,
    piece: tuple[int, int] | None,
    preview: bool,
    comment: str | None,
    is_sure: bool,
) -> None:
    """Take back a piece of evidence.

    What rules have derived from it goes, too: you see it, and are asked. `ls` shows SEQ, and N if several pieces came
    with one command.
    """
    context, name = parted(await shell.needed(component, "Component?"))
    seq, n = piece or PieceName().convert(await shell.dialogue.text("Which seq?"), None, None)
    command = Withdraw(id=new_id(), context=context, component=name, seq=seq, n=n, comment=comment)
    if preview:
        sure.show(shell, await sure.preview(shell, command))
        return
    if not is_sure:
        await sure.check_sure(shell, command, "Withdraw all of this?")
    await shell.send(command)
    shell.say(f"withdrawn: the evidence of sequence {render.piece_name(seq, n)}")


async def _answer(shell: Shell, component: Path) -> ComponentAnswer | None:
    """Find out what the component takes; an app that may tell but not ask cannot."""
    try:
        return await shell.component(component, evidence_filter=EvidenceFilter(name="last1"))
    except Refusal as refusal:
        if refusal.code is not Code.PERMISSION_DENIED:
            raise
        return None


def _read(text: str, answer: ComponentAnswer | None) -> Any:
    """Read a value as it is typed. Raises `click.UsageError` for what should be JSON."""
    if answer is not None and answer.value_type in ("string", "enum"):
        return text
    try:
        return msgspec.json.decode(text.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        if answer is None:
            return text
        raise click.UsageError(f"the component takes a {answer.value_type}, and {text[:40]!r} is no JSON") from error


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())
