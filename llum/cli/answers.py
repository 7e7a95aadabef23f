"""What a command prints: text for people, or with --json one line for programs.

An answer is one JSON object on standard output. An error is one JSON object on standard error, `{"error": {"code": …,
"message": …, "field": …, "hint": …}}`, as the HTTP interface has it.
"""

import re
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click
import msgspec

from schemas.app_names import app_name
from schemas.errors import LlumError, SetupError, raised_from
from schemas.slices import Slice

_ENCODED_APP: Final = re.compile(r"\bx--[a-z0-9_-]+")
"""The id that stands for an app's name: see `schemas.app_names`."""

_TYPED: Final = tuple(
    (re.compile(pattern), typed)
    for pattern, typed in (
        (r"evidence\.value.*", "VALUE"),
        (r"evidence\.evidence_type", "--type"),
        (r"evidence\.flags.*", "--flag"),
        (r"evidence\.(comment|time|useby)", r"--\1"),
        (r"(?:context|component|view|path)(?:[\[.].*)?", "PATH"),
        (r"evidence_filter\.held_from", "--held-from"),
        (r"evidence_filter\.held_until", "--held-until"),
        (r"evidence_filter.*", "--filter"),
        (r"seq|n", "SEQ"),
        (r"id", "--id"),
        (r"user", "USER"),
        (r"gpiiKey", "KEY"),
        (r"client_id", "CLIENT"),
        (r"redirect_uris.*", "--redirect"),
        (r"origins.*", "--origin"),
        (r"url", "--at"),
        (r"scope", "--scope"),
        (r"(home|icon)", r"--\1"),
        (r"audience", "--resource-server"),
        (r"time_zone", "ZONE"),
        (r"resolver", "--resolver"),
        (r"resolver_arguments.*", "--argument"),
        (r"held_at", "--held-at"),
        (r"as_of_seq", "--as-of-seq"),
        (r"as_of(?:_time)?", "--as-of"),
    )
)

Function = TypeVar("Function", bound=Callable[..., Any])

JSON: Final = "--json"


def json_option(function: Function) -> Function:
    """Give a command the option, which arrives as `as_json`."""
    return click.option(JSON, "as_json", is_flag=True, help="Print one line of JSON.")(function)


def wants_json() -> bool:
    """Tell whether the command that was typed is to print JSON; its options may not have been read."""
    return JSON in sys.argv[1:]


def say(answer: Mapping[str, Any] | msgspec.Struct, text: str, *, as_json: bool) -> None:
    """Print the answer of a command."""
    click.echo(msgspec.json.encode(answer).decode() if as_json else text)


def complain(error: LlumError) -> None:
    """Print an error as one line on standard error, in the form that was asked for."""
    told = error.error
    details = error.details if isinstance(error, SetupError) else ()
    if wants_json():
        complain_in_json(told.code.value, " ".join([told.message, *details]), told.field, told.hint, told.missing)
        return
    # As a text an error may have its details, too.
    complain_in_words(in_words(error).splitlines()[0] if details else in_words(error))
    for line in details:
        click.echo(f"  {line}", err=True)


def complain_in_words(line: str) -> None:
    """Print an error for a person: one line, which goes on below itself on a terminal that is narrower."""
    from llum.cli import layout

    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    click.echo(layout.paragraph(f"llum: {line}", width), err=True)


def complain_in_json(
    code: str, message: str, field: str | None = None, hint: str | None = None, missing: Slice | None = None
) -> None:
    """Print an error for programs; `code` may be one of the command line's own: `usage`, `failed`, `interrupted`."""
    members: dict[str, Any] = {"code": code, "message": message, "field": field, "hint": hint}
    if missing is not None:
        members["missing"] = missing
    click.echo(msgspec.json.encode({"error": members}).decode(), err=True)


def in_words(error: LlumError) -> str:
    """Write an error for whoever has typed a command: fields are called what they are there, apps as they are known."""
    field = error.error.field
    typed = None if field is None else typed_field(field)
    named = msgspec.structs.replace(error.error, field=typed)
    text = str(error) if typed == field else str(raised_from(named))
    return _ENCODED_APP.sub(lambda match: app_name(match[0]), text)


def typed_field(field: str) -> str:
    """Give the word of the command line for a field of a message: `view[0]` is a part of PATH."""
    for pattern, typed in _TYPED:
        match = pattern.fullmatch(field)
        if match:
            return match.expand(typed)
    return field
