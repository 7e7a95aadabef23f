"""The simulation of hosts that fail, small: what must hold does, and a seed gives the same figures again."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.placement.measures import Measures
from bench.placement.page import HEARD_BOUND_S, figures, misses, write
from bench.placement.rates import Rates
from bench.placement.simulation import Scenario, simulate
from bench.placement.world import World

FEW = Scenario(
    hosts=60, partitions=512, people=1_000_000, days=20, rates=Rates(crashes_per_host=20, pauses_per_host=20)
)


@pytest.fixture(scope="module", params=[1, 2])
def run(request: pytest.FixtureRequest) -> tuple[World, Measures]:
    """A fleet in which something fails each hour, with some seeds."""
    return simulate(Scenario(**{**{f: getattr(FEW, f) for f in FEW.__struct_fields__}, "seed": request.param}))


def test_what_must_hold_does(run: tuple[World, Measures]) -> None:
    """Balance, moves per failure, and no two primaries that last once both hear the bus."""
    _, measures = run
    assert misses(measures) == []
    assert measures.events["failure"] > 50
    assert measures.moves["upgrade"] > 100


def test_two_primaries_are_seen_where_hosts_are_cut_off(run: tuple[World, Measures]) -> None:
    """The measure counts: cut off hosts believe it for longer than those that hear the bus may."""
    _, measures = run
    assert max(measures.double.lengths) > HEARD_BOUND_S


def test_after_all_that_each_partition_has_its_hosts(run: tuple[World, Measures]) -> None:
    """Whoever serves a partition is to have it, unless somebody who is to have it is not ready yet."""
    world, _ = run
    for number, placed in enumerate(world.placement):
        settled = world.ready[number] >= set(placed)
        believers = world.believers[number] - world.cut.keys()
        assert len(believers) == 1 or not settled
        assert world.ready[number] == set(placed) or not settled


def test_the_same_seed_gives_the_same_figures() -> None:
    """So that a failure can be looked at again; another seed gives others."""
    short = Scenario(hosts=30, partitions=128, people=100_000, days=5, rates=Rates(crashes_per_host=50))
    again = figures(short, simulate(short)[1])
    assert figures(short, simulate(short)[1]) == again
    other = Scenario(hosts=30, partitions=128, people=100_000, days=5, rates=Rates(crashes_per_host=50), seed=2)
    assert figures(other, simulate(other)[1])["rows"] != again["rows"]


def test_the_page_is_written_with_its_plots(run: tuple[World, Measures], tmp_path: Path) -> None:
    """Each plot that it shows is there, and is XML."""
    page = tmp_path / "placement-simulation.md"
    write(page, FEW, run[1])
    text = page.read_text("utf-8")
    assert "{" not in text
    for name in ("balance", "gaps", "primaries"):
        assert f"(placement-simulation/{name}.svg)" in text
        ElementTree.fromstring((tmp_path / "placement-simulation" / f"{name}.svg").read_text("utf-8"))
