"""What `deploy/` has systemd run are commands of llum, with options that there are."""

import shlex
from pathlib import Path

import click
import pytest

from llum.cli.main import cli

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))


def test_each_process_has_a_unit() -> None:
    """One for each that runs by itself."""
    assert [unit.stem for unit in UNITS] == ["llum-callout@", "llum-edge", "llum-worker"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_a_command_that_can_be_typed(unit: Path) -> None:
    """With options that it knows."""
    (line,) = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    program, name, *options = shlex.split(line.removeprefix("ExecStart="))
    assert program == "llum"
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_context(name, options)
