"""One run of the simulation, by its seed."""

import random

import msgspec

from bench.placement.incidents import Incidents
from bench.placement.measures import Measures
from bench.placement.rates import DAY_S, Rates
from bench.placement.world import World
from bus.subjects import MAX_PARTITIONS


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated."""

    hosts: int = 1000
    partitions: int = MAX_PARTITIONS
    replicas: int = 2
    people: int = 10_000_000
    days: float = 365.0
    seed: int = 1
    rates: Rates = Rates()


def simulate(scenario: Scenario) -> tuple[World, Measures]:
    """Let the days pass, and give what is there in the end and what was counted."""
    chance = random.Random(scenario.seed)  # noqa: S311 - chance that can be repeated, no secret
    measures = Measures(_spread(scenario.people, scenario.partitions, chance), scenario.replicas)
    world = World(scenario.hosts, scenario.partitions, scenario.replicas, chance, measures)
    Incidents(world, scenario.rates, chance)
    world.run(scenario.days * DAY_S)
    measures.close(world.now)
    return world, measures


def _spread(people: int, partitions: int, chance: random.Random) -> list[int]:
    """Draw how many people each partition has, as hashing their names would: nearly normal where there are many."""
    mean = people / partitions
    return [max(0, round(chance.gauss(mean, mean**0.5))) for _ in range(partitions)]
