"""The command line. What a command needs is imported when it runs, so that `llum --help` is instant.

Exit codes: 0 done, 1 refused or failed with one line on stderr, 2 used wrongly, 130 interrupted.
"""

import importlib
import os
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
import msgspec

from llum.cli.answers import complain, complain_in_json, complain_in_words, wants_json
from llum.cli.help import HelpFormatter, with_examples
from llum.failures import EXIT_FAILED
from schemas.errors import Code, LlumError, raised_from

if TYPE_CHECKING:
    from llum.processes.early import StartedChild

EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

WIDEST: Final = 80
"""Characters of a line of help: longer ones are hard to read."""


class Lazy(NamedTuple):
    """Where a command is, and its line of help."""

    place: str
    help: str


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self._lazy:
            return None
        module, name = self._lazy[cmd_name].place.split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return with_examples(command, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self._lazy.items()])


COMMANDS: Final = {
    "up": Lazy("llum.cli.commands.serving:up", "Start llum: nats-server, worker, HTTP edge."),
    "status": Lazy("llum.cli.commands.status:status", "Show what runs, what it stores, how long the disk lasts."),
    "doctor": Lazy("llum.cli.commands.doctor:doctor", "Read the whole log, and say what it has lost."),
    "admin": Lazy("llum.cli.commands.admin:admin", "People, apps, tokens, backups, rejected commands."),
    "sign-in": Lazy("llum.cli.commands.signing_in:sign_in", "Let this command line speak for a person."),
    "sign-out": Lazy("llum.cli.commands.signing_in:sign_out", "Let this command line speak for a person no longer."),
    "tell": Lazy("llum.cli.commands.models:tell", "Tell evidence about a person."),
    "withdraw": Lazy("llum.cli.commands.withdrawing:withdraw", "Take evidence back, and see first what follows."),
    "follows": Lazy("llum.cli.commands.following:follows", "Show what has followed from a piece of evidence."),
    "ask": Lazy("llum.cli.commands.models:ask", "Ask for a component, a context or a view."),
    "asked": Lazy("llum.cli.commands.asked:asked", "Show who asked and told what about a person."),
    "check": Lazy("llum.cli.commands.checking:check", "Say whether an app may do something, and why."),
    "grants": Lazy("llum.cli.commands.granting:grants", "Show what apps may do, and what was decided about them."),
    "revoke": Lazy("llum.cli.commands.granting:revoke", "Take everything from an app that it may do."),
    "forget": Lazy("llum.cli.commands.part_forgetting:forget", "Erase a part of what is known of a person."),
    "browse": Lazy("llum.cli.commands.browse:browse", "Open a shell in a model, to look at it and change it."),
    "preferences": Lazy(
        "llum.cli.commands.preferences.group:preferences", "Preferences of people, on this machine and by key."
    ),
    "sensor": Lazy("llum.cli.commands.sensor:sensor", "Run a sensor on this machine."),
    "example": Lazy("llum.cli.commands.example:example", "Run an app that comes with llum as an example."),
    "config": Lazy("llum.cli.commands.settings:config", "List every setting, its value and its origin."),
    "mdef": Lazy("llum.cli.commands.mdef:mdef", "Work with model definition files."),
    "worker": Lazy("llum.cli.commands.serving:worker", "Run one worker process (`llum up` does)."),
    "edge": Lazy("llum.cli.commands.serving:edge", "Run one HTTP edge process (`llum up` does)."),
    "callout": Lazy("llum.cli.commands.serving:callout", "Run one auth callout: it says who may connect to the bus."),
    "nats-config": Lazy("llum.cli.commands.serving:nats_config", "Print the configuration of an external nats-server."),
}


click.Context.formatter_class = HelpFormatter

HINTS: Final = {
    Code.NO_SUCH_MODEL: "Make one with `llum admin person add`.",
    Code.NO_SUCH_EVIDENCE: "`llum ask USER PATH --evidence` shows the seq of each piece.",
    Code.NO_SUCH_APP: "Register it with `llum admin app add`.",
    Code.NO_SUCH_CLIENT: "`llum admin client list` shows those that there are.",
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="llum", message="llum %(version)s")
def cli() -> None:
    """llum keeps what apps and sensors know about a person, in a model that the person owns."""


def main(started: "Mapping[str, StartedChild] | None" = None) -> int:
    """Run the command line and give the exit code. Foreseeable mistakes end with one line, never a traceback.

    `started` are processes for the command that has been typed.
    """
    try:
        width = shutil.get_terminal_size().columns
        result = cli.main(prog_name="llum", standalone_mode=False, obj=started, terminal_width=min(width, WIDEST))
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        return _report_usage(error)
    except click.ClickException as error:
        return _report_line("failed", error.format_message(), EXIT_FAILED)
    except LlumError as error:
        complain(hinted(error))
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt) as error:
        return _report_line("interrupted", str(error) or "interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not fail again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def hinted(error: LlumError) -> LlumError:
    """Name the command that helps. What refused does not know that the reader has a command line."""
    hint = HINTS.get(error.code)
    if hint is None or error.error.field == "as_of":
        return error  # of what was not there at the time that was asked about, to make it now would not help
    return raised_from(msgspec.structs.replace(error.error, hint=hint))


def _report_usage(error: click.UsageError) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return EXIT_USAGE
    where = error.ctx.command_path if error.ctx else "llum"
    message = (_no_such_command(error) or error.format_message()).rstrip(".")
    sentences = message if message.endswith("?") else f"{message}."
    return _report_line("usage", f"{sentences} Try `{where} --help`.", EXIT_USAGE)


def _no_such_command(error: click.UsageError) -> str | None:
    """Say which command was perhaps meant, and which ones there are."""
    if not isinstance(error, click.exceptions.NoSuchCommand) or error.ctx is None:
        return None
    from llum.people.nearest import did_you_mean

    group = error.ctx.command
    assert isinstance(group, click.Group), "only a group looks for commands"
    names = did_you_mean(error.command_name, group.list_commands(error.ctx), "The commands are")
    return f"there is no command {error.command_name!r}. {names}"


def _report_line(code: str, line: str, exit_code: int) -> int:
    line = " ".join(line.split())
    if wants_json():
        complain_in_json(code, line)
    else:
        complain_in_words(line)
    return exit_code
