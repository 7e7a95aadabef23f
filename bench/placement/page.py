"""The report of a simulation: a page with plots, and its figures as lines of text."""

from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Final

from bench.placement.measures import Measures, Spells
from bench.placement.plots import Axis, Curve, plot, share_below
from bench.placement.rates import DAY_S
from bench.placement.simulation import Scenario

TEXT: Final = Path(__file__).parent / "page.md"
"""The words of the page; names in braces are figures."""

BALANCE_BOUND: Final = 1.15
MOVES_BOUND: Final = 1.2
HEARD_BOUND_S: Final = 2.0
"""Two primaries that both hear the bus last no longer than a host takes to be believed dead."""
SHORTEST_S: Final = 0.001
YEAR_DAYS: Final = 365


def figures(scenario: Scenario, measures: Measures) -> dict[str, str]:
    """Give every figure of the page by the name that it has there."""
    years = scenario.partitions * scenario.days / YEAR_DAYS
    seconds = scenario.partitions * scenario.days * DAY_S
    rows = [
        f"| {cause} | {measures.events[cause]:,} | {measures.moves[cause]:,} | {measures.ideal[cause]:,} |"
        for cause in sorted(measures.moves)
    ]
    return {
        "hosts": f"{scenario.hosts:,}",
        "people": f"{scenario.people:,}",
        "partitions": f"{scenario.partitions:,}",
        "replicas": f"{scenario.replicas}",
        "days": f"{scenario.days:g}",
        "seed": f"{scenario.seed}",
        "balance": f"{max(measures.balance.values()):.3f}",
        "people_balance": f"{max(measures.people_balance.values()):.3f}",
        "primary_balance": f"{max(measures.primary_balance.values()):.3f}",
        "moves": f"{moves_per_ideal(measures):.3f}",
        "failure_moves": f"{moves_per_ideal(measures, without='upgrade'):.3f}",
        "rows": "\n".join(rows),
        "copied": f"{measures.copied:,}",
        "unanswered": f"{sum(measures.unanswered.lengths) / years:.2f}",
        "unanswered_spells": _spells(measures.unanswered),
        "unanswered_share": f"{1e6 * sum(measures.unanswered.lengths) / seconds:.3f}",
        "standby": f"{sum(measures.by_standby.lengths) / years:.1f}",
        "standby_share": f"{1e6 * sum(measures.by_standby.lengths) / seconds:.2f}",
        "double": _spells(measures.double),
        "double_heard": _spells(measures.double_heard),
    }


def moves_per_ideal(measures: Measures, without: str = "") -> float:
    """Divide the copies that were placed anew by those that had to be, over all causes but one."""
    moves, ideal = measures.moves.total(), measures.ideal.total()
    return (moves - measures.moves[without]) / max(1, ideal - measures.ideal[without])


def misses(measures: Measures) -> list[str]:
    """Name what does not hold that must."""
    found = {
        "balance of copies": max(measures.balance.values()) <= BALANCE_BOUND,
        "balance of people": max(measures.people_balance.values()) <= BALANCE_BOUND,
        "moves per ideal": moves_per_ideal(measures) <= MOVES_BOUND,
        "moves per ideal, without upgrades": moves_per_ideal(measures, without="upgrade") <= MOVES_BOUND,
        "two primaries that hear the bus": max(measures.double_heard.lengths, default=0) <= HEARD_BOUND_S,
    }
    return [name for name, holds in found.items() if not holds]


def write(page: Path, scenario: Scenario, measures: Measures) -> None:
    """Write the page, and its plots into a folder beside it with the page's name."""
    folder = page.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in _plots(scenario, measures).items():
        (folder / f"{name}.svg").write_text(drawing, "utf-8")
    page.write_text(TEXT.read_text("utf-8").format(**figures(scenario, measures)), "utf-8")


def _spells(spells: Spells) -> str:
    if len(spells.lengths) < 2:
        return f"{len(spells.lengths)} times"
    cuts = quantiles(spells.lengths, n=100, method="inclusive")
    return (
        f"{len(spells.lengths):,} times; half of them up to {_length(cuts[49])}, "
        f"99 in 100 up to {_length(cuts[98])}, the longest {_length(max(spells.lengths))}"
    )


def _length(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _plots(scenario: Scenario, measures: Measures) -> dict[str, str]:
    day = Axis("day", 0, scenario.days, [scenario.days * part / 5 for part in range(6)])
    times = [0.001, 0.01, 0.1, 1, 10, 100, 1000]
    seconds = Axis("seconds", SHORTEST_S, 4000, times, is_log=True)
    share = Axis("share of all that is at most so long", 0, 1, [0, 0.25, 0.5, 0.75, 1])
    return {
        "balance": plot(
            "The fullest host divided by the mean, by day",
            day,
            Axis("fullest host / mean", 1.0, 1.3, [1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3]),
            [
                Curve("copies", sorted(measures.balance.items())),
                Curve("people", sorted(measures.people_balance.items())),
                Curve("primaries", sorted(measures.primary_balance.items())),
            ],
            BALANCE_BOUND,
        ),
        "primaries": plot(
            "How long two hosts believe to be the primary",
            seconds,
            share,
            _distributions(("both hear the bus", measures.double_heard), ("anywhere", measures.double)),
        ),
        "gaps": plot(
            "How long nobody answers, and how long only the standby does",
            seconds,
            share,
            _distributions(("nobody answers", measures.unanswered), ("only the standby", measures.by_standby)),
        ),
    }


def _distributions(*spells: tuple[str, Spells]) -> Sequence[Curve]:
    return [Curve(name, share_below(one.lengths, SHORTEST_S)) for name, one in spells]
