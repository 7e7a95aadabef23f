"""Questions to the person at the terminal, asked only where an argument is missing."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import click

One = TypeVar("One", bound=str)


class Dialogue(Protocol):
    """Somebody to ask. Every question may be broken off: `click.Abort`."""

    async def text(self, question: str, default: str | None = None) -> str:
        """Ask for a text; an empty answer is the default, or asked again if there is none."""

    async def choice(self, question: str, choices: Sequence[One], default: One) -> One:
        """Ask for one of several."""

    async def yes(self, question: str) -> bool:
        """Ask for a yes or no; an empty answer is a no."""

    async def secret(self, question: str) -> str:
        """Ask for a text that is not shown, and may be empty."""


class Nobody:
    """Stands where commands come from a script: there, what is missing is an error or has its default."""

    async def text(self, question: str, default: str | None = None) -> str:
        if default is None:
            raise click.UsageError(f"an argument is missing: {question}")
        return default

    async def choice(self, question: str, choices: Sequence[One], default: One) -> One:  # noqa: ARG002 - the protocol's
        return default

    async def yes(self, question: str) -> bool:  # noqa: ARG002 - the protocol's
        return True

    async def secret(self, question: str) -> str:  # noqa: ARG002 - the protocol's
        return ""
