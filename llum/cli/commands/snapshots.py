"""`llum admin snapshots` and `llum admin snapshot`."""

import time
from typing import TYPE_CHECKING, Final

import click

from llum.cli.answers import json_option, say
from llum.cli.commands.options import WHERE, settings_options, with_client
from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.shard_snapshots import SnapshotMade
    from llum.client import Client
    from llum.status.snapshots import Judged

MADE_WITHIN_S: Final = 3600.0
"""Seconds that a snapshot may take: a shard of a gigabyte needs less than a minute."""

_HOUR_S: Final = 3600.0


@click.command()
@click.option("--verify", is_flag=True, help="Read each snapshot, and see whether it is what was stored.")
@json_option
@settings_options(*WHERE)
def snapshots(settings: Settings, verify: bool, as_json: bool) -> None:
    """List the snapshots of partitions. Fails if no worker could begin with one of them."""
    from llum.cli import render

    async def use(client: "Client") -> "list[Judged]":
        from llum.status.snapshots import judged_snapshots

        return await judged_snapshots(client.bus, verify=verify)

    found = with_client(settings, use)
    rows = [_row(one) for one in found]
    head = ("partition", "up to", "hours old", "MB", "MB stored", "state")
    say({"snapshots": found}, render.table(head, rows) if rows else "there are no snapshots", as_json=as_json)
    bad = [one for one in found if one.why_not is not None]
    if bad:
        raise Fault(
            f"{len(bad)} of {len(found)} snapshots cannot be used",
            "make new ones with `llum admin snapshot`; what is older than the newest two of a partition is deleted",
        )


@click.command()
@click.argument("partition", type=click.IntRange(min=0), required=False)
@json_option
@settings_options(*WHERE)
def snapshot(settings: Settings, partition: int | None, as_json: bool) -> None:
    """Make a snapshot of PARTITION now, or of each that has something new. llum makes them by itself, too."""

    async def use(client: "Client") -> "list[tuple[int, SnapshotMade | None]]":
        from bus.installation import find
        from bus.shard_snapshots import request_snapshot

        installation = await find(client.bus)
        every = range(0 if installation is None else installation.partitions)
        wanted = every if partition is None else [partition]
        return [(number, await request_snapshot(client.bus, number, MADE_WITHIN_S)) for number in wanted]

    answers = with_client(settings, use)
    made = [one for _, one in answers if one is not None and one.failure is None]
    say({"made": made}, _in_words(made), as_json=as_json)
    failures = [_why_not(number, one) for number, one in answers if one is None or one.failure is not None]
    if failures:
        raise Fault("; ".join(failures), "See `llum status`.")


def _in_words(made: "list[SnapshotMade]") -> str:
    lines = [
        f"partition {one.partition}: a snapshot up to {one.manifest.committed_seq}, {_mb(one.manifest.bytes)} MB"
        for one in made
        if one.new and one.manifest is not None
    ]
    same = len(made) - len(lines)
    return "\n".join([*lines, *([f"nothing new in {same} of {len(made)} partitions"] if same else [])])


def _why_not(partition: int, answer: "SnapshotMade | None") -> str:
    return f"partition {partition}: {'no worker serves it' if answer is None else answer.failure}"


def _row(one: "Judged") -> tuple[str, ...]:
    state = one.why_not or ("good" if one.verified else "not read")
    if one.manifest is None:
        return ("?", "?", "?", "?", _mb(one.stored_bytes), state)
    hours = (time.time() - one.manifest.made_at) / _HOUR_S
    seq = str(one.manifest.committed_seq)
    return (str(one.manifest.partition), seq, f"{hours:.1f}", _mb(one.manifest.bytes), _mb(one.stored_bytes), state)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f}"
