"""`llum asked`: who asked and told what about a person."""

from typing import TYPE_CHECKING, Final

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_person
from llum.cli.parameters import Moment
from llum.settings import Settings
from schemas.asked import ADMIN

if TYPE_CHECKING:
    from schemas.asked import AskedReply, AskedRow

_DONE: Final = {"ask": "asked", "tell": "told", "asked": "looked who asked"}
_NOBODY: Final = "nobody has asked or told anything there"


@click.command()
@click.argument("user")
@click.argument("path", default="")
@click.option("--app", help="Only what this app did.")
@click.option("--since", type=Moment(), help="Only what was asked or told since this time.")
@click.option("--until", type=Moment(), help="Only what was asked or told until this time.")
@json_option
@settings_options(*WHERE)
def asked(
    settings: Settings,
    user: str,
    path: str,
    app: str | None,
    since: float | None,
    until: float | None,
    as_json: bool,
) -> None:
    """Show who asked and told what about USER: at PATH and below, or everywhere. The latest comes first.

    Asks are kept for 90 days, unless the operator sets another time (LLUM_ASKED_DAYS). What was told is counted from
    the evidence that is there.
    """
    from schemas.app_names import app_id
    from schemas.paths import parse_path

    named = parse_path(path, "PATH")
    of_app = None if app is None else app_id(app)
    reply = with_person(settings, user, lambda client: client.asked(user, named, of_app, since=since or 0, until=until))
    say(reply, _text(reply), as_json=as_json)
    if reply.more:
        click.echo(f"{reply.more} more: name an app, a path or a shorter time", err=True)


def _text(reply: "AskedReply") -> str:
    from llum.cli import render

    if not reply.rows:
        return _NOBODY
    return render.table(("last", "app", "times", "what"), map(_row, reply.rows))


def _row(row: "AskedRow") -> tuple[str, ...]:
    from llum.cli import render
    from schemas.app_names import app_name

    return render.minute(row.last), app_name(row.app), str(row.count), _what(row)


def _what(row: "AskedRow") -> str:
    """Say what was done, and by which right or why not."""
    verb = row.verb.replace("_", " ") if row.kind == "account" else _DONE.get(row.verb, row.verb)
    done = f"{verb} {_place(row)}".rstrip()
    if row.rule_of is not None:
        done += f" for a rule in the model of {row.rule_of}"
    if row.place:
        done += f" from {row.place}"
    if row.by is not None:
        done += f", by {_who(row.by)}"
    if row.code is not None:
        return f"{done}: refused, {row.code}"
    return f"{done} ({_right(row.grant)})" if row.grant else done


def _who(by: str) -> str:
    return f"administrator {by.removeprefix(ADMIN)}" if by.startswith(ADMIN) else f"the {by}"


def _place(row: "AskedRow") -> str:
    from llum.cli import render

    if row.kind in ("model", "account"):
        return ""
    path = render.path_text(row.path)
    return {"view": f"view {path}", "context": f"{path.rstrip('/')}/"}.get(row.kind, path)


def _right(grant: str) -> str:
    return "as owner" if grant == "owner" else f"by {grant}"
