"""The benchmarks by name, in the order in which they run."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bench import asking, catch_up, filtered, footprint, over_http, rules
from bench.figures import Result
from bench.ground import BenchGround

Benchmark = Callable[[BenchGround], Awaitable[Result]]

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "catch_up": catch_up.catch_up,
    # Before anything else has asked on the stage: its models are cold then.
    "activate": footprint.activate,
    "ask": asking.asks,
    "ask_p50": asking.ask_p50,
    "ask_evidence": asking.ask_evidence,
    "http_ask": over_http.http_ask,
    "http_tell": over_http.http_tell,
    "ask_last10": filtered.ask_last10,
    "ask_recent_count": filtered.ask_recent_count,
    "ask_since_time": filtered.ask_since_time,
    "rules_effects": rules.effects_of_many_rules,
    "rules_commands": rules.commands_of_many_rules,
    "rules_chain": rules.effects_of_a_chain,
    "rules_absent": rules.tell_without_rules,
    "memory": footprint.memory,
    "start_up": footprint.start_up,
}
