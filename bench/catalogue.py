"""The benchmarks by name, in the order in which they run. Each group is a module of its own, with its own mapping."""

from collections.abc import Mapping
from typing import Final

from bench import (
    against_peers,
    asking,
    catch_up,
    connecting,
    crowd,
    fairness,
    filtered,
    footprint,
    growth,
    large_answers,
    over_http,
    recording,
    rules,
    starting,
)
from bench.ground import Benchmark
from bench.scale import broker, many_people, snapshots, two_workers

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    **catch_up.BENCHMARKS,
    # Before anything else has asked on the stage: its models are cold then.
    **footprint.COLD_BENCHMARKS,
    **asking.BENCHMARKS,
    **over_http.BENCHMARKS,
    **connecting.BENCHMARKS,
    **against_peers.BENCHMARKS,
    **crowd.BENCHMARKS,
    **fairness.BENCHMARKS,
    **large_answers.BENCHMARKS,
    **filtered.BENCHMARKS,
    **rules.BENCHMARKS,
    **recording.BENCHMARKS,
    **footprint.BENCHMARKS,
    **growth.BENCHMARKS,
    **starting.BENCHMARKS,
    **two_workers.BENCHMARKS,
    **snapshots.BENCHMARKS,
    **many_people.BENCHMARKS,
    **broker.BENCHMARKS,
}
