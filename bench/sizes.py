"""How much is measured. At scale 1 all benchmarks together take about six minutes on two cores."""

from typing import NamedTuple

IN_FLIGHT = 32
"""Requests under way at once, where the throughput of asks and tells is measured."""

SMALLEST_ROUND_S = 0.05


class Sizes(NamedTuple):
    """Counts and durations of one run."""

    rounds: int
    """How often both sides of a ratio are measured, in turn."""
    slow_rounds: int
    """The same for what puts work off, and therefore takes seconds more in each round."""
    round_s: float
    """Seconds of one side of one round."""
    slow_round_s: float
    lag_s: float
    """Seconds that llum may put off writing to the disk what has been told."""
    long_rounds: int
    """The same for what takes seconds each time."""
    starts: int
    log_commands: int
    log_users: int
    people: int
    """Models on the stage; cold ones for activation among them."""
    crowd: int
    """People whom tells are about that are each about another."""
    backlog: int
    """Commands of one sender that another's waits behind."""
    much_evidence: int
    little_evidence: int
    large_evidence: int
    """Pieces that make an answer over HTTP of about 300 kB."""
    resident_models: int
    """Models whose memory is measured."""
    cold_models: int
    """Models that are brought into memory one by one."""
    shared_log_commands: int
    """Commands of a log that two workers share, or that snapshots stand in for."""
    known_people: int
    active_people: int
    """Those of the people who are known that somebody asks about."""
    broker_people: int
    """People with several subjects in the log."""
    idle_s: float
    """Seconds until nats-server has dropped what it can read again from the disk: two minutes, and a look."""
    large_partition_bytes: int
    """What is told in the partition that is moved."""


def scaled(scale: float) -> Sizes:
    """Give the sizes of a run; small scales serve to see that everything works, not to measure."""

    def count(full: int, least: int) -> int:
        return max(least, round(full * scale))

    return Sizes(
        rounds=count(12, 1),
        slow_rounds=count(7, 1),
        round_s=max(SMALLEST_ROUND_S, 0.4 * min(scale, 1.0)),
        slow_round_s=max(SMALLEST_ROUND_S, 1.0 * min(scale, 1.0)),
        lag_s=1.2 * min(scale, 1.0),
        long_rounds=count(3, 1),
        starts=count(7, 1),
        log_commands=count(100_000, 300),
        log_users=count(200, 10),
        people=count(256, IN_FLIGHT + 8),
        crowd=count(20_000, 40),
        backlog=count(4000, 20),
        much_evidence=count(100_000, 50),
        little_evidence=10,
        large_evidence=count(1200, 20),
        resident_models=count(5000, 20),
        cold_models=count(2000, 20),
        shared_log_commands=count(300_000, 300),
        known_people=count(100_000, 40),
        active_people=count(10_000, 20),
        broker_people=count(20_000, 100),
        idle_s=140.0 * min(scale, 1.0),
        large_partition_bytes=count(100_000_000, 100_000),
    )
