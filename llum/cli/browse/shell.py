"""Where one is in a model, and how a command is found and run there.

What is shown is never older than what one has done: see `bus.as_app`.
"""

import inspect
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from llum.cli import layout
from llum.cli.answers import complain
from llum.cli.browse import lines
from llum.cli.browse.dialogue import Dialogue, Nobody
from llum.cli.browse.table import Table
from schemas.apps import OWNER_APP
from schemas.commands import Command
from schemas.errors import Code, LlumError, Refusal
from schemas.paths import Path, check_path, format_path, parse_path
from schemas.queries import Ask, GetContext, Query
from schemas.replies import Accepted, AskReply, ComponentAnswer, ContextReply, Reply

if TYPE_CHECKING:
    from llum.client import Client

R = TypeVar("R", bound=Reply)

PARENT: Final = ".."
HERE: Final = "."


class Quit(Exception):  # noqa: N818 - it is no error
    """The person wants to leave."""


class Shell:
    """One person's model, as one app sees it, and the context that one is in."""

    def __init__(
        self, client: "Client", user: str, table: Table, dialogue: Dialogue | None = None, color: bool | None = None
    ) -> None:
        self.client = client
        self.table = table
        self.user = user
        self._model = client.of(user)
        self.dialogue = dialogue or Nobody()
        self.color = color
        self.path: Path = ()
        self._named: Path = ()
        """What the command has named last."""
        self.depth = 0
        """How many files of commands are being carried out inside one another."""

    @property
    def prompt(self) -> str:
        """Say whose model this is and where one is in it."""
        as_app = "" if self.client.app == OWNER_APP else f" as {self.client.app}"
        return f"{self.user}@/{layout.clean(format_path(self.path))}{as_app}> "

    @property
    def interactive(self) -> bool:
        """Tell whether there is somebody to ask."""
        return not isinstance(self.dialogue, Nobody)

    @property
    def width(self) -> int | None:
        """The cells that there are; None: any number."""
        return layout.terminal_width()

    def say(self, text: str) -> None:
        """Print a text that may be styled."""
        click.echo(text, color=self.color)

    async def run_line(self, line: str, keep_going: bool = False) -> bool:
        """Run the commands of a line until one fails, and report that. Says whether all succeeded."""
        try:
            commands = lines.split(line)
        except click.UsageError as error:
            return self._report_usage(error)
        succeeded = True
        for words in commands:
            succeeded = await self._try(words) and succeeded
            if not (succeeded or keep_going):
                break
        return succeeded

    async def _try(self, words: list[str]) -> bool:
        try:
            await self.run(words)
        except click.UsageError as error:
            return self._report_usage(error, words[0])
        except click.ClickException as error:
            return _report(error.format_message())
        except click.Abort:
            return _report("interrupted")
        except LlumError as error:
            from llum.people.nearest import with_hint

            complain(await with_hint(self._model, self._named, error))
            return False
        return True

    async def run(self, words: Sequence[str]) -> None:
        """Run one command. Raises `click.UsageError`, what the command raises, and `Quit`."""
        command = self.table.find(words[0])
        try:
            with command.make_context(command.name, list(words[1:]), color=self.color, obj=self) as context:
                result = command.invoke(context)
                if inspect.isawaitable(result):
                    await result
        except click.exceptions.Exit:
            return  # `--help` has printed what was asked for

    async def send(self, command: Command) -> Accepted:
        """Send a command."""
        return await self._model.send(command)

    async def query(self, query: Query, kind: type[R]) -> R:
        """Send a query and give its reply, which is of this kind."""
        return await self._model.find(query, kind)

    async def ask(self, query: Ask) -> AskReply:
        """Send an ask."""
        return await self.query(query, AskReply)

    async def component(self, path: Path, **how: Any) -> ComponentAnswer:
        """Ask about one component, or raise why it cannot be answered."""
        from schemas.errors import raised_from

        context, name = parted(path)
        reply = await self.ask(Ask(context=context, view=[name], **how))
        for failure in reply.failures:
            raise raised_from(failure.error)
        return reply.components[0]

    async def is_context(self, path: Path) -> bool:
        """Tell whether there is a context that may be seen; anything else is for whoever asks next to find out."""
        try:
            await self.query(GetContext(context=list(path)), ContextReply)
        except Refusal as refusal:
            if refusal.code is not Code.NO_SUCH_CONTEXT:
                raise
            return False
        return True

    def resolve(self, text: str) -> Path:
        """Give the path that a text names from here: `a/b`, `../a`, `/a`, and nothing for here."""
        path: list[str] = [] if text.startswith("/") else list(self.path)
        for part in filter(None, text.split("/")):
            if part == PARENT:
                del path[-1:]
            elif part != HERE:
                path += parse_path(part)
        self._named = check_path(path, "path")
        return self._named

    async def needed(self, path: Path | None, question: str) -> Path:
        """Ask which one is meant if none is named."""
        return path if path is not None else self.resolve(await self.dialogue.text(question))

    def _report_usage(self, error: click.UsageError, name: str = "") -> bool:
        hint = f". Try `help {name}`" if name in self.table.by_any_name else ""
        return _report(error.format_message().rstrip(".") + hint)

    def shown(self, path: Sequence[str]) -> str:
        """Write a path from the root."""
        return "/" + layout.clean(format_path(list(path)))


async def run_lines(shell: Shell, lines: Iterable[str], keep_going: bool = False) -> bool:
    """Run lines until a command fails or says quit; with `keep_going` all of them. Says whether all succeeded."""
    succeeded = True
    try:
        for line in lines:
            succeeded = await shell.run_line(line, keep_going) and succeeded
            if not (succeeded or keep_going):
                break
    except Quit:
        pass
    return succeeded


def parted(path: Path) -> tuple[list[str], str]:
    """Give the context of a component or view, and its name. Raises `bad_path` for the root."""
    if not path:
        raise Refusal(Code.BAD_PATH, "the root is a context", "path", "name something in it")
    return list(path[:-1]), path[-1]


def _report(message: str) -> bool:
    click.echo(f"llum: {' '.join(message.split())}", err=True)
    return False
