"""Mistakes among workers and snapshots."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bus.shard_snapshots import SnapshotManifest
from bus.workers import WorkerWord
from llum.settings import Settings
from llum.status.findings import Finding, found

AGES: Final = 2.0
"""How many times as old as the setting says a snapshot may be: one is made a while after it is due."""

NAMED: Final = 5
"""Partitions that are named; of more the number says enough."""


def look_at_workers(words: Sequence[WorkerWord]) -> Iterator[Finding]:
    """Find what is wrong with who is there, by what they say of themselves."""
    for word in words:
        if word.draining:
            what = f"worker {word.id} on {word.host} is drained: it serves nothing new"
            yield found("left_drained", what, f"`llum admin drain {word.id} --undo`, or stop it if it is to go")
    serving = [word for word in words if not word.draining]
    wanted = max((word.replicas for word in words), default=1)
    if len(serving) < wanted:
        what = f"{len(serving)} workers serve, and each partition is to be served by {wanted}"
        yield found("too_few_workers", what, "start another `llum worker`, or see why one has ended: its log says so")
    versions = sorted({word.version for word in words})
    if len(versions) > 1:
        yield found("versions_differ", f"workers of llum {', '.join(versions)} run", "upgrade the older ones")


def look_at_snapshots(
    newest: Mapping[int, SnapshotManifest], lasts: Mapping[int, int], oldest: float | None, settings: Settings
) -> Iterator[Finding]:
    """Find partitions whose snapshot is missing or old, although there are newer commands.

    `newest` has the newest snapshot by partition, `lasts` the sequence of each partition's last command in the log, and
    `oldest` is when the oldest command was stored, in seconds since 1970.
    """
    limit_s = AGES * settings.snapshot_hours * 3600
    since = time.time() - limit_s
    late = [number for number, last in lasts.items() if last and _is_late(newest.get(number), last, oldest, since)]
    if late:
        which = ", ".join(map(str, sorted(late)[:NAMED])) + (" and others" if len(late) > NAMED else "")
        what = f"{len(late)} partitions have no snapshot younger than {limit_s / 3600:,.0f} h: {which}"
        yield found("snapshot_old", what, "run `llum admin snapshot`, and look for snapshot_not_made in workers' logs")


def _is_late(manifest: SnapshotManifest | None, last: int, oldest: float | None, since: float) -> bool:
    if manifest is None:
        return oldest is not None and oldest < since
    return manifest.committed_seq < last and manifest.made_at < since
