"""`llum mdef` and `llum bench`."""

import importlib
from pathlib import Path

import click
from click.exceptions import Exit

from llum.failures import Fault


@click.group()
def mdef() -> None:
    """Work with model definition files."""


@mdef.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Read a model definition and say what it makes, or where it is wrong."""
    from llum.mdef_files import read_definition

    definition = read_definition(file)
    components = sum(len(context.components) for context in definition.contexts)
    views = sum(len(context.views) for context in definition.contexts)
    click.echo(f"{file}: {len(definition.contexts)} contexts, {components} components, {views} views")


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure llum against the limits of this machine: `llum bench --help` says more."""
    try:
        # By name: the measurements stand above llum and use it, so llum must not import them.
        module = importlib.import_module("bench.cli")
    except ModuleNotFoundError as error:
        raise Fault(
            "the measurements are not installed here", "Run them from the source, with `make bench`."
        ) from error
    raise Exit(module.main(list(arguments)) or 0)
