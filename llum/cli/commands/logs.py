"""`llum admin log`: what an operator decides about the log."""

from typing import TYPE_CHECKING, Final

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.cli.progress import Progress
from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.accepting import LogAccepted
    from llum.client import Client
    from llum.cutting import CutDone, StreamToCut

REBUILT_WITHIN_S: Final = 3600.0
"""Seconds that a partition may take to be made from the log: some ten thousand commands are applied in one."""


@click.group()
def log() -> None:
    """The log, from which everything is made."""


@log.command()
@click.argument("partitions", type=click.IntRange(min=0), nargs=-1, required=True, metavar="PARTITIONS")
@json_option
@settings_options(*WHERE)
def accept(settings: Settings, partitions: tuple[int, ...], as_json: bool) -> None:
    """Make PARTITIONS from the log as it is, and list what is lost. For those that `llum status` says are not served.

    First try to restore the newest copy of the log: then nothing is lost. What the partitions hold is set aside, and
    deleted after a week.
    """

    async def use(client: "Client") -> list["LogAccepted | None"]:
        from bus.accepting import accept_log

        return [await accept_log(client.bus, partition, REBUILT_WITHIN_S) for partition in partitions]

    found = with_client(settings, use)
    done = [accepted for accepted in found if accepted is not None]
    if done:
        say({"accepted": done}, "\n".join(map(_in_words, done)), as_json=as_json)
    others = [str(partition) for partition, accepted in zip(partitions, found, strict=True) if accepted is None]
    if others:
        raise Fault(f"nothing to accept: partition {', '.join(others)} is not refused", "See `llum status`.")


@log.command()
@click.option("--days", type=click.IntRange(min=0), help="Days of the log that stay. Default: `log_days`.")
@click.option("--yes", is_flag=True, help="Cut. Without it llum only says what would go.")
@json_option
@settings_options(*WHERE, "log_days")
def cut(settings: Settings, days: int | None, yes: bool, as_json: bool) -> None:
    """Cut what is older than some days off the log, as far as snapshots have it. Nobody's model changes.

    Missing snapshots are made first. After a cut, models can be made anew only with snapshots, not from the log alone.
    With the setting `log_days` llum cuts by itself.
    """
    from llum.cutting import cut as cut_log
    from llum.cutting import look

    kept = settings.log_days if days is None else days
    if not kept and days is None:
        raise Fault("the log is kept for ever", "Say how many days of it are to stay, with --days.")
    if not yes:
        found = with_client(settings, lambda client: look(client.bus, kept))
        say({"would_cut": found}, "\n".join(_would_cut(found, kept)), as_json=as_json)
        return
    with Progress() as progress:
        done = with_client(settings, lambda client: cut_log(client.bus, kept, progress))
    say(done, "\n".join(_was_cut(done)), as_json=as_json)


def _would_cut(found: "list[StreamToCut]", days: int) -> list[str]:
    older = [one for one in found if one.messages]
    if not older:
        return [f"nothing in the log is older than {days} day{'s' * (days != 1)}"]
    lines = [f"{one.stream}: at most {_commands(one.messages)}, before {one.seq}" for one in older]
    return [*lines, "cut it with --yes: snapshots that are missing are made first"]


def _was_cut(done: "CutDone") -> list[str]:
    lines = [f"{one.stream}: it begins at {one.seq} now, and not at {one.first_seq}" for one in done.cut]
    return [*(lines or ["nothing was cut"]), *done.why_not]


def _commands(count: int) -> str:
    return "1 command" if count == 1 else f"{count:,} commands"


def _in_words(accepted: "LogAccepted") -> str:
    from llum.cli.render import moment

    named = len(accepted.commands)
    lines = [
        f"partition {accepted.partition} is made from the log and served",
        f"lost: {_commands(accepted.lost)} that had been accepted" if accepted.lost else "lost: nothing",
        *(f"  {moment(one.time)}  {one.user} by {one.app}, id {one.id}" for one in accepted.commands),
    ]
    if named < accepted.lost - accepted.lost_forgets:
        lines.append(f"  and {accepted.lost - accepted.lost_forgets - named} more")
    if accepted.lost_forgets:
        lines.append(
            f"{accepted.lost_forgets} of them forgot a person. "
            "What the log has of these persons is back: forget them again."
        )
    if accepted.aside:
        lines.append(f"what was held before: {accepted.aside} (deleted after a week)")
    return "\n".join(lines)
