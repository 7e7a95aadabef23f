"""`llum tell` and `llum ask`."""

from typing import TYPE_CHECKING, Any, get_args

import click

from llum.cli.answers import in_words, json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_person
from llum.cli.parameters import Filter, Moment, parse_json
from llum.cli.person_times import TypedTime, by_clock_of
from llum.settings import Settings
from schemas.apps import OWNER_APP
from schemas.errors import raised_from
from schemas.evidence import EvidenceFilter, EvidenceType
from schemas.paths import parse_path
from schemas.queries import Ask
from schemas.replies import AskReply

if TYPE_CHECKING:
    from llum.client import Client
    from schemas.replies import Accepted

APP = click.option("--app", default=OWNER_APP, show_default=True, help="Speak as this app.")


@click.command()
@click.argument("user")
@click.argument("path")
@click.argument("value")
@APP
@click.option(
    "--type",
    "evidence_type",
    type=click.Choice(get_args(EvidenceType)),
    default="explicit",
    show_default=True,
    help="How it is known.",
)
@click.option("--flag", "flags", multiple=True, help="A flag on the evidence, such as goal. Repeat it to give more.")
@click.option("--comment", help="A note for people.")
@click.option("--time", type=Moment(), help="When it was true. Default: now.")
@click.option("--useby", type=Moment(), help="From this time on the evidence does not count.")
@click.option("--id", "id_", help="An id for the command. The same id again changes nothing.")
@json_option
@settings_options(*WHERE)
def tell(
    settings: Settings, user: str, path: str, value: str, app: str, id_: str | None, as_json: bool, **how: Any
) -> None:
    """Tell evidence about USER to the component at PATH. VALUE is JSON: 70, true, '"text"'."""
    from llum.people.nearest import explained

    content = parse_json(value)

    async def use(client: "Client") -> "Accepted":
        model, named = client.of(user), parse_path(path, "PATH")
        return await explained(model, named, client.tell(user, path, content, id=id_, **how))

    outcome = with_person(settings, user, use, app)
    repeated = ", the first outcome of this id" if outcome.repeated else ""
    say(outcome, f"told, sequence {outcome.seq}{repeated}", as_json=as_json)


@click.command()
@click.argument("user")
@click.argument("path", default="")
@APP
@click.option(
    "--filter",
    "evidence_filter",
    type=Filter(),
    help="all, last1, last10, goal, since_time=TIME or recent_count=NUMBER. For a period: --held-from, --held-until.",
)
@click.option("--resolver", help="How evidence becomes a value. Default: as the model says.")
@click.option("--evidence", "include_evidence", is_flag=True, help="Show the evidence too.")
@click.option("--explain", is_flag=True, help="Say why the value is what it is.")
@click.option("--held-at", type=TypedTime, metavar="TIME", help="What was true at this time, as it is known now.")
@click.option("--held-from", type=TypedTime, metavar="TIME", help="Only what held from this time on.")
@click.option("--held-until", type=TypedTime, metavar="TIME", help="Only what held before this time.")
@click.option(
    "--argument",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of the resolver. VALUE is JSON. Repeat it to give more.",
)
@click.option("--as-of-seq", type=click.IntRange(min=0), help="As the model was after this sequence.")
@click.option("--as-of", "as_of_time", type=Moment(), help="As the model was at this time.")
@json_option
@settings_options(*WHERE)
def ask(
    settings: Settings, user: str, path: str, app: str, as_json: bool, arguments: tuple[str, ...], **how: Any
) -> None:
    """Ask about USER: the component, context or view at PATH. Without PATH: the components at the root.

    What held when goes by the clocks of the person: the time zone of the model, else of the installation. A day without
    a time is its midnight.
    """
    from llum.people.asking import ask_path
    from llum.people.nearest import explained

    typed = {name: how.pop(name) for name in ("held_at", "held_from", "held_until")}
    is_period = typed["held_from"] is not None or typed["held_until"] is not None
    if is_period and how["evidence_filter"] is not None:
        raise click.UsageError("a period is a filter of its own: leave out --filter, or --held-from and --held-until")
    how["resolver_arguments"] = dict(map(_argument, arguments))

    async def use(client: "Client") -> tuple[bool, AskReply]:
        times = await by_clock_of(client, user, settings, typed)
        if is_period:
            how["evidence_filter"] = EvidenceFilter(
                name="held", held_from=times.get("held_from"), held_until=times.get("held_until")
            )
        query = Ask(show_contexts=not as_json, held_at=times.get("held_at"), **how)
        return await explained(client.of(user), parse_path(path, "PATH"), ask_path(client, user, path, query))

    is_component, reply = with_person(settings, user, use, app)
    show = _show_json if as_json else _show_component if is_component else _show_several
    show(reply, is_component)


def _argument(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise click.UsageError(f"{text!r} is no argument; give NAME=VALUE")
    return name, parse_json(value)


def _show_json(reply: AskReply, is_component: bool) -> None:
    """Print the reply; of a single component what a script wants of it: `value`, and all else that is known."""
    import msgspec

    from llum.cli import render

    if not is_component:
        click.echo(render.as_json(reply))
        return
    members = {name: one for name, one in msgspec.structs.asdict(reply.components[0]).items() if one is not None}
    click.echo(render.as_json({"seq": reply.seq, "value": None} | members))


def _show_component(reply: AskReply, _is_component: bool) -> None:
    from llum.cli import render

    answer = reply.components[0]
    click.echo(render.as_json(answer.value))
    if answer.explanation is not None:
        click.echo(render.explanation(answer))
    if answer.evidence is not None:
        click.echo(render.evidence_table(answer.evidence, answer.evidence_ahead))
    if answer.evidence_more:
        click.echo(f"there is more evidence after seq {answer.evidence[-1].seq if answer.evidence else 0}", err=True)


def _show_several(reply: AskReply, _is_component: bool) -> None:
    from llum.cli import render

    if reply.components:
        click.echo(render.values_table(reply))
    elif reply.contexts:
        click.echo(f"no components here; contexts: {', '.join(reply.contexts)}")
    else:
        click.echo("no components here")
    for answer in reply.components if any(one.explanation or one.evidence for one in reply.components) else []:
        click.echo(f"\n{render.path_text(answer.path)}")
        _show_component(AskReply(seq=reply.seq, components=[answer]), True)
    for failure in reply.failures:
        click.echo(f"{render.path_text(failure.path)}: {in_words(raised_from(failure.error))}", err=True)
