"""`llum admin upgrade`."""

from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.failures import EXIT_FAILED
from llum.settings import Settings

if TYPE_CHECKING:
    from llum.client import Client
    from llum.people.upgrading import LevelsNow, Upgraded


@click.command()
@click.option("--to", "level", type=click.IntRange(min=1), help="The level. Default: the newest that this llum knows.")
@click.option("--force", is_flag=True, help="Also where a worker runs that does not know the level: it stops then.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@settings_options(*WHERE)
def upgrade(settings: Settings, level: int | None, force: bool, yes: bool, as_json: bool) -> None:
    """Take what a later llum has added, once all workers are of that version. This cannot be undone.

    Until then all workers refuse the new verbs and members, whatever their version, so that all come to the same. It
    shows what each worker and edge knows, and raises the level of every partition. If it is interrupted, run it again.
    The exit code is 1 if a partition has not applied it yet.
    """
    from llum.people.upgrading import check_all_know, look_at_levels
    from llum.people.upgrading import upgrade as upgrade_all
    from schemas.levels import NEWEST

    wanted = NEWEST if level is None else level
    now: LevelsNow = with_client(settings, lambda client: look_at_levels(client.bus))
    if not as_json:
        click.echo(_as_it_stands(now))
    check_all_know(now, wanted, force=force)
    missing = [one for one in now.levels if one is None or one < wanted]
    if not missing:
        say({"now": now, "upgraded": None}, f"nothing to do: all partitions have level {wanted}", as_json=as_json)
        return
    if not (yes or click.confirm(f"Raise {len(missing)} partitions to level {wanted}, for good?", err=as_json)):
        raise click.ClickException("nothing was raised")

    async def use(client: "Client") -> "Upgraded":
        return await upgrade_all(client.bus, now, wanted)

    done = with_client(settings, use)
    say({"now": now, "upgraded": done}, _in_words(done), as_json=as_json)
    if done.waiting or done.failures:
        raise Exit(EXIT_FAILED)


def _as_it_stands(now: "LevelsNow") -> str:
    lines = [str(one) for one in now.processes]
    lines += [f"{count} of {len(now.levels)} partitions have level {level}" for level, count in now.counts.items()]
    silent = now.levels.count(None)
    return "\n".join([*lines, *([f"{silent} of {len(now.levels)} partitions have no worker now"] if silent else [])])


def _in_words(done: "Upgraded") -> str:
    lines = [f"{len(done.raised)} partitions have level {done.level} now"] if done.raised else []
    if done.waiting:
        count, start = len(done.waiting), "as soon as a worker serves them that knows it"
        lines.append(f"{count} partitions will have it {start}: the raise stands in their log")
    return "\n".join([*lines, *(f"{failure}; run this again" for failure in done.failures)])
