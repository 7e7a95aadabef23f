"""What Tab offers: commands, options, and whatever is in the model where the cursor is."""

import shlex
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from pathlib import Path as FilePath
from typing import Any

import click
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from llum.cli.browse.command import Named, PathKind, PathTo
from llum.cli.browse.lines import quoted, unfinished
from llum.cli.browse.shell import Shell
from schemas.app_names import app_name
from schemas.errors import LlumError
from schemas.paths import format_path
from schemas.queries import GetContext, ListApps, ListResolvers
from schemas.replies import AppsReply, ContextReply, ResolversReply


class Names(Completer):
    """Completes the word before the cursor. What cannot be found out now is not offered."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        return ()

    async def get_completions_async(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - the base's
    ) -> AsyncGenerator[Completion, None]:
        """Offer what begins like the word."""
        before, typed = _parted(unfinished(document.text_before_cursor))
        word = typed.lstrip("'\"")
        with suppress(LlumError):
            for name in await self._candidates(before, word):
                if name.startswith(word):
                    yield Completion(quoted(name), start_position=-len(typed), display=name)

    async def _candidates(self, before: list[str], word: str) -> list[str]:
        by_name = self._shell.table.by_any_name
        if not before:
            return sorted(by_name)
        command = by_name.get(before[0])
        if command is None:
            return []
        if word.startswith("-"):
            options = [one for one in command.params if isinstance(one, click.Option)]
            return [spelling for one in options for spelling in (*one.opts, *one.secondary_opts)]
        parameter = _parameter(command, before[1:])
        return await self._of_kind(parameter.type, word) if parameter else []

    async def _of_kind(self, kind: click.ParamType[Any], word: str) -> list[str]:
        if isinstance(kind, click.Choice):
            return list(kind.choices)
        if isinstance(kind, PathTo):
            return await self._paths(kind.kind, word)
        return await self._named(kind.kind, word) if isinstance(kind, Named) else []

    async def _named(self, kind: str, word: str) -> list[str]:
        if kind == "resolver":
            return list((await self._shell.query(ListResolvers(), ResolversReply)).resolvers)
        if kind == "app":
            return [app_name(app) for app in (await self._shell.query(ListApps(), AppsReply)).apps]
        return _files(word) if kind == "file" else list(self._shell.table.commands)

    async def _paths(self, kind: PathKind, word: str) -> list[str]:
        """Give what is in the context that the word has come to."""
        folder = word[: word.rfind("/") + 1]
        query = GetContext(context=list(self._shell.resolve(folder)))
        found = await self._shell.query(query, ContextReply)
        names = [f"{_segment(name)}/" for name in found.contexts]
        names += [_segment(name) for name in found.components] if kind in ("component", "any") else []
        names += [_segment(name) for name in found.views] if kind in ("view", "any") else []
        return [folder + name for name in names]


def _parted(text: str) -> tuple[list[str], str]:
    """Give the finished words of a command, and the one that is being typed as it stands there."""
    for start in range(len(text), -1, -1):
        if start and not text[start - 1].isspace():
            continue
        with suppress(ValueError):
            return shlex.split(text[:start]), text[start:]
    raise AssertionError("nothing can be split into no words")


def _parameter(command: click.Command, words: list[str]) -> click.Parameter | None:
    """Find what the next word is for: the value of an option, or the next argument."""
    options = {spelling: one for one in command.params if isinstance(one, click.Option) for spelling in one.opts}
    given = 0
    waiting: click.Option | None = None
    for word in words:
        if waiting is not None:
            waiting = None
        elif word in options:
            waiting = None if options[word].is_flag else options[word]
        elif not word.startswith("-"):
            given += 1
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    if waiting is not None or not arguments:
        return waiting
    last = arguments[-1] if arguments[-1].nargs == -1 else None
    return arguments[given] if given < len(arguments) else last


def _segment(name: str) -> str:
    return format_path([name])


def _files(word: str) -> list[str]:
    folder = FilePath(word).parent if not word.endswith("/") else FilePath(word)
    with suppress(OSError):
        return sorted(f"{path}/" if path.is_dir() else str(path) for path in folder.iterdir())
    return []
