"""What a command of the shell is made of: a click command with an example, and arguments that know what they name."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import click

from schemas.paths import Path

Section = Literal["look around", "tell", "make and delete", "decide how", "apps", "rules", "files", "the shell"]
PathKind = Literal["context", "component", "view", "any"]


class BrowseCommand(click.Command):
    """A command with an example of its use, other names, and a place in the list of commands."""

    def __init__(self, *args: Any, example: str, aliases: tuple[str, ...], section: Section, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        self.aliases = aliases
        self.section = section

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        formatter.write_paragraph()
        formatter.write(f"Example:\n  {self.example}\n")
        if self.aliases:
            formatter.write(f"Also called: {', '.join(self.aliases)}\n")


def command(
    name: str, *aliases: str, section: Section, example: str, loose: bool = False
) -> Callable[[Callable[..., Awaitable[None]]], BrowseCommand]:
    """Make a coroutine a command; it gets the shell first. `loose`: an unknown option is a word (`-5`)."""

    def decorate(function: Callable[..., Awaitable[None]]) -> BrowseCommand:
        settings = {"help_option_names": ["-h", "--help"], "ignore_unknown_options": loose}
        made = click.command(
            name, BrowseCommand, example=example, aliases=aliases, section=section, context_settings=settings
        )
        return made(click.pass_obj(function))

    return decorate


class PathTo(click.ParamType[Path]):
    """A path from where one is, or from the root with a `/` in front."""

    def __init__(self, kind: PathKind) -> None:
        self.kind = kind
        self.name = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        if isinstance(value, tuple):
            return value
        assert ctx is not None, "commands are run by a shell"
        path: Path = ctx.obj.resolve(value)
        return path


class Named(click.ParamType[str]):
    """A text that names something of a kind; what there is can be completed."""

    def __init__(self, kind: Literal["resolver", "app", "file", "command"]) -> None:
        self.kind = kind
        self.name = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        return str(value)


CONTEXT: Final = PathTo("context")
COMPONENT: Final = PathTo("component")
VIEW: Final = PathTo("view")
ANYTHING: Final = PathTo("any")
RESOLVER: Final = Named("resolver")
APP: Final = Named("app")
FILE: Final = Named("file")
COMMAND: Final = Named("command")


def names(text: str | None) -> list[str] | None:
    """Read names with commas between; `all` is the empty list. None stays None."""
    if text is None:
        return None
    return [] if text == "all" else [name for part in text.split(",") if (name := part.strip())]
