"""What an app may do, as options and in words: the same for `llum admin app permit`, `setperm` and `showperm`."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from llum.cli.parameters import Moment, Span, Types
from schemas.permissions import VERBS, Permission, said

F = TypeVar("F", bound=Callable[..., Any])

_AS_TELL: Final = "Unless you say it: as --tell."

_OPTIONS: Final = (
    click.option("--ask/--no-ask", default=None, help="It may ask, or may not."),
    click.option("--tell/--no-tell", default=None, help="It may tell evidence, or may not."),
    click.option("--make/--no-make", default=None, help=f"It may make and change things, or may not. {_AS_TELL}"),
    click.option("--delete/--no-delete", default=None, help=f"It may delete things, or may not. {_AS_TELL}"),
    click.option("--rules/--no-rules", default=None, help=f"It may have rules, or may not. {_AS_TELL}"),
    click.option("--notify/--no-notify", default=None, help="Its rules may call a URL, or may not."),
    click.option("--bind-view", help="It sees only the components of this view. Empty: all."),
    click.option(
        "--types", type=Types(), help="Only evidence of these types exists for it, as explicit,inferred. Empty: all."
    ),
    click.option("--past", type=Span(), help="How far back it may ask, as 12h or 30d. 0: not at all."),
    click.option("--since", type=Moment(), help="Evidence accepted earlier does not exist for it. 0: all of it does."),
    click.option("--expires", type=Moment(), help="From this time on the setting does not count. 0: it always counts."),
    click.option("--purpose", help="What for: a text for people. Empty: none."),
    click.option(
        "--whose-rules",
        metavar="PERSON",
        help="It is about the rules that the app has in the model of this person, and nothing else.",
    ),
)


def rights_options(function: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def verbs(setting: Permission, allowed: bool) -> str:
    """List what a setting allows, or forbids; what it says nothing of is in neither list."""
    return ", ".join(verb for verb in VERBS if said(setting, verb) is allowed)
