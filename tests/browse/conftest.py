"""A running llum for the tests of the browser, and a person for each test."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from identity.new_people import default_model
from llum.cli.browse.commands import TABLE
from llum.cli.browse.dialogue import One
from llum.cli.browse.shell import Shell
from llum.client import Client
from tests.system.conftest import pytest_runtest_makereport, shared_llum
from tests.system.harness import Llum

__all__ = ["pytest_runtest_makereport", "shared_llum"]

_numbers = itertools.count()

Opened = Callable[..., AbstractAsyncContextManager[Shell]]


class Scripted:
    """Answers questions from a list, and notes them."""

    def __init__(self, answers: Sequence[str] = ()) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def _next(self, question: str) -> str:
        self.asked.append(question)
        return self.answers.pop(0)

    async def text(self, question: str, default: str | None = None) -> str:
        return self._next(question) or default or ""

    async def choice(self, question: str, choices: Sequence[One], default: One) -> One:
        answer = self._next(question) or default
        return next(one for one in choices if one == answer)

    async def yes(self, question: str) -> bool:
        return self._next(question) == "y"

    async def secret(self, question: str) -> str:
        return self._next(question)


@pytest.fixture
async def user(shared_llum: Llum) -> str:
    """Somebody whom no other test knows, with the default model."""
    name = f"person-{next(_numbers)}"
    async with Client.connect(shared_llum.nats) as client:
        await client.make_model(name, default_model(name, firstname="Alice", lastname="Smith"))
    return name


@pytest.fixture
def opened(shared_llum: Llum, user: str) -> Opened:
    """Open the shell in the person's model, as an app, with answers to what it asks."""

    @contextlib.asynccontextmanager
    async def open_shell(app: str = "llum", dialogue: Scripted | None = None) -> AsyncIterator[Shell]:
        async with Client.connect(shared_llum.nats, app=app) as client:
            yield Shell(client, user, TABLE, dialogue)

    return open_shell


@pytest.fixture
async def shell(opened: Opened) -> AsyncIterator[Shell]:
    """The shell as a script has it: nobody answers questions."""
    async with opened() as shell:
        yield shell
