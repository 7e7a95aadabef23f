"""What has come of a run."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

SHOWN = 20
"""Findings of one kind that are printed."""


@dataclass
class Findings:
    """What is wrong, each a sentence. All are to be empty."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    diverged: list[str] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    """Of people who were forgotten."""

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def counts(self) -> str:
        return ", ".join(f"{name} {len(found)}" for name, found in vars(self).items())


@dataclass
class Report:
    """All that is printed."""

    findings: Findings = field(default_factory=Findings)
    faults: list[str] = field(default_factory=list)
    """Each with its kind as first word."""
    not_had: list[str] = field(default_factory=list)
    """Kinds of faults that cannot be had on this machine, with the reason."""
    failovers_s: list[float] = field(default_factory=list)
    """Seconds from each kill of a worker until asks to all partitions were answered that came after it."""
    lying_s: list[float] = field(default_factory=list)
    """The same of asks that lay in its sockets when it was killed."""
    unplugged_s: list[float] = field(default_factory=list)
    """Seconds from each time that a worker's host was cut off until asks to all partitions were answered."""
    hosts: str = ""
    """What the processes ran on."""
    acknowledged: Counter[str] = field(default_factory=Counter)
    """Commands by kind."""
    asks: int = 0
    derived: int = 0
    """What rules have told."""
    forgotten: int = 0
    left_in_servers: int = 0
    """Of how many who were forgotten nats-servers have bytes on their disks at the end, in their logs of votes: those
    go when nats-server cuts them, which llum cannot order."""
    compared: int = 0
    """Replicas of partitions that were compared with what the log gives."""
    restored: int = 0
    """Partitions that were made from a snapshot and the rest of the log, and compared likewise."""

    def lines(self) -> Iterator[str]:
        kinds = Counter(fault.split()[0] for fault in self.faults)
        yield f"{len(self.faults)} faults: {', '.join(f'{kind} {count}' for kind, count in sorted(kinds.items()))}"
        yield f"hosts: {self.hosts}"
        yield from (f"not had: {sentence}" for sentence in self.not_had)
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(self.acknowledged.items()))
        yield f"acknowledged: {said}; {self.derived} told by rules; {self.asks} asks looked at"
        yield f"{self.compared} replicas and {self.restored} restored snapshots compared with a replay from the log"
        if self.forgotten:
            yield f"{self.forgotten} people forgotten; nats-servers have bytes of {self.left_in_servers} of them"
        yield self.findings.counts()
        if self.failovers_s:
            yield f"failover after {len(self.failovers_s)} kills of a worker: {_distribution(self.failovers_s)}"
            yield f"asks that lay in its sockets: {_distribution(self.lying_s)}"
        if self.unplugged_s:
            times = f"asks when the host of a worker was cut off {len(self.unplugged_s)} times"
            yield f"{times}: {_distribution(self.unplugged_s)}"
        for name, found in vars(self.findings).items():
            yield from (f"{name}: {sentence}" for sentence in found[:SHOWN])


def _distribution(times_s: list[float]) -> str:
    times = sorted(times_s)
    tenths = [times[min(len(times) - 1, len(times) * tenth // 10)] for tenth in (1, 5, 9)]
    return (
        f"one in ten within {tenths[0]:.2f} s, half within {tenths[1]:.2f} s, nine in ten within {tenths[2]:.2f} s, "
        f"longest {times[-1]:.2f} s"
    )
