"""Programs and packages of others by which files of `deploy/` are checked."""

import shutil
from pathlib import Path

import click
import pytest

from llum.cli.main import cli

DEPLOY = Path(__file__).parents[2] / "deploy"


def tool(name: str, package: str) -> str:
    """Find a program, or skip: `deploy/install-debian-packages.sh` installs it, where it can."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here: install the Debian package {package}")
    return found


def assert_typed_well(words: list[str]) -> None:
    """See that these words are a command of llum, with options that it knows. Nothing is run."""
    program, *arguments = words
    assert program == "llum"
    context, command = click.Context(cli), cli
    while isinstance(command, click.Group):
        name, *arguments = arguments
        found = command.get_command(context, name)
        assert found is not None, f"llum has no {name}"
        command = found  # type: ignore[assignment]
    command.make_context(" ".join(words), arguments)
