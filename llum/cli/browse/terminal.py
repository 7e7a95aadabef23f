"""A person at a terminal: line editing, history, completion, questions."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from llum.cli.browse.completion import Names
from llum.cli.browse.dialogue import One
from llum.cli.browse.shell import Quit, Shell

HISTORY_FILE: Final = "browse-history"

GREETING: Final = "The model of {user}. `help` lists the commands, Tab completes, Ctrl-D leaves."


async def converse(shell: Shell, data_dir: Path) -> None:
    """Read and run lines until the person leaves."""
    session: PromptSession[str] = PromptSession(
        history=_history(data_dir / HISTORY_FILE), completer=Names(shell), complete_while_typing=False
    )
    shell.say(GREETING.format(user=shell.user))
    while True:
        try:
            line = await session.prompt_async(shell.prompt)
            with _interruptible():
                await shell.run_line(line)
        except KeyboardInterrupt:
            continue
        except asyncio.CancelledError:
            if _forgive_cancel():
                click.echo("interrupted")
                continue
            raise
        except (EOFError, Quit):
            return


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the command that runs, and not the shell."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "the shell runs in a task"
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


def _forgive_cancel() -> bool:
    """Take back a cancellation, so that the task may go on."""
    task = asyncio.current_task()
    return task is not None and task.uncancel() == 0


def _history(file: Path) -> History:
    """Keep the history where the data is, readable for its owner alone; without a folder there is none to keep."""
    try:
        file.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))


class Person:
    """Asks the person at the terminal; Ctrl-C and Ctrl-D break off the command."""

    async def text(self, question: str, default: str | None = None) -> str:
        while True:
            answer = (await _ask(f"{question} ")).strip()
            if answer or default is not None:
                return answer or str(default)

    async def choice(self, question: str, choices: Sequence[One], default: One) -> One:
        completer = WordCompleter(list(choices))
        while True:
            answer = (await _ask(f"{question} [{default}] ", completer)).strip() or default
            for one in choices:
                if one == answer:
                    return one
            click.echo(f"one of {', '.join(choices)}")

    async def yes(self, question: str) -> bool:
        return (await _ask(f"{question} [N] ")).strip().lower() in ("y", "yes")

    async def secret(self, question: str) -> str:
        return await _unaborted(PromptSession[str]().prompt_async(f"{question} ", is_password=True))


async def _ask(question: str, completer: WordCompleter | None = None) -> str:
    session: PromptSession[str] = PromptSession(completer=completer, complete_while_typing=False)
    return await _unaborted(session.prompt_async(question))


async def _unaborted(answer: Awaitable[str]) -> str:
    try:
        return await answer
    except (KeyboardInterrupt, EOFError) as error:
        raise click.Abort from error
