"""What a worker tells of itself in numbers. Whoever wants them reads them; nothing is worked out before.

What is counted here happens seldom: about once a second in a partition, or when something leaves llum. What happens
with every command and ask is counted from its line in the log (`bus.lines`), if anybody wants it.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bus.spread import Spread

COMMANDS: Final = (1, 10, 100, 1000, 10_000)
"""Bounds of the commands of one commit."""

SECONDS: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
"""Bounds of the seconds of one commit."""


@dataclass
class Counters:
    """What the partitions of a worker have done since it was started."""

    partitions_added: int = 0
    partitions_removed: int = 0
    commit_commands: Spread = field(default_factory=lambda: Spread(COMMANDS))
    """Commands that were written together."""
    commit_s: Spread = field(default_factory=lambda: Spread(SECONDS))
    """How long each commit took that succeeded."""
    commits_failed: int = 0
    notices_delivered: int = 0
    notices_failed: int = 0
    """Attempts that the receiver has not taken. They are made again."""
    notices_dead: int = 0
    """Notices that were given up."""
    snapshots_made: int = 0
    snapshots_failed: int = 0
    """Attempts to make one. They are made again."""


class PartitionFigures(NamedTuple):
    """How one partition stands in this worker."""

    number: int
    is_primary: bool
    answers: bool
    """Asks are answered from its models."""
    is_lost: bool
    """The log does not hold all that was applied, or is another one."""
    applied_seq: int
    """-1: it has not been restored yet."""
    committed_seq: int
    applied: int
    """Commands that were applied since its shard was opened last."""
    waiting: int
    """Commands that were read from the log, and are not applied."""
    uncommitted: int
    effects_waiting: int
    """Commands of which something waits to leave. 0 where another worker relays it."""
    erased_seq: int = 0
    """The last erasure that is in what is held, on the disk, too; 0: none."""


class WorkerFigures(NamedTuple):
    """How a worker stands."""

    partitions: list[PartitionFigures]
    active_models: int
    uncommitted: int
    uncommitted_bytes: int
    commits_fail: bool
    """The last commit of a partition has failed, and is tried again."""
    counters: Counters
