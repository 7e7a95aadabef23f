"""`python -m bench.compare BASE`: compare what operations cost here and in another checkout."""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.cli import EXIT_FAILED
from bench.compare.checkout import HERE, Checkout, checkout
from bench.compare.house import CATCH_UP, House
from bench.compare.rounds import IDLE, Costs, measure
from bench.failures import BenchError
from bench.programs.loop import run
from bench.report import machine_line
from schemas.errors import LlumError

BAR = 1.05


def main(arguments: Sequence[str] = ()) -> int:
    """Compare, print the table, and give the exit code. A missed bar is a figure like any other and no failure."""
    options = _parser().parse_args(list(arguments))
    try:
        with checkout(options.base) as base, _here_or(options.other) as other:
            base_costs, other_costs = run(_measure([base, other], options.rounds, options.scale))
    except (BenchError, LlumError, TimeoutError, OSError) as error:
        print(f"bench.compare: {error or type(error).__name__}", file=sys.stderr)
        return EXIT_FAILED
    print("\n".join([*table(base.name, base_costs, other.name, other_costs), "", machine_line()]), flush=True)
    return 0


def table(base: str, base_costs: Costs, other: str, other_costs: Costs) -> list[str]:
    """Write the medians as a table in Markdown."""
    rounds = len(next(iter(base_costs.values())))
    head = ["", f"{base}, µs", f"{other}, µs", "ratio", "bar", "", "ratios of the rounds"]
    rows = [_row(name, base_costs[name], other_costs[name]) for name in base_costs]
    lines = [head, ["---"] + ["---:"] * 4 + ["---", "---"], *rows]
    told = (
        f"CPU time per operation, user and system, of all processes of llum; medians of {rounds} alternating rounds. "
        "What an idle llum costs is a row of its own, and taken off the others."
    )
    return [told, "", *(f"| {' | '.join(cells)} |" for cells in lines)]


def _row(name: str, base: Sequence[float], other: Sequence[float]) -> list[str]:
    ratio = median(other) / median(base)
    ratios = sorted(mine / theirs for theirs, mine in zip(base, other, strict=True))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    bar = ["", ""] if name == IDLE else [f"{BAR:g}", "ok" if ratio <= BAR else "missed"]
    return [name, f"{median(base):.1f}", f"{median(other):.1f}", f"{ratio:.3f}", *bar, spread]


async def _measure(checkouts: Sequence[Checkout], rounds: int, scale: float) -> list[Costs]:
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as folder:
        houses = [House(one, Path(folder) / str(number)) for number, one in enumerate(checkouts)]
        for house in houses:
            _progress(f"making people for {house.checkout.name}")
            await house.furnish(max(1000, round(CATCH_UP.per_round * scale)))
        return await measure(houses, rounds, scale, _progress)


def _here_or(other: str | None) -> contextlib.AbstractContextManager[Checkout]:
    return checkout(other) if other else contextlib.nullcontext(HERE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__, allow_abbrev=False)
    parser.add_argument("base", metavar="BASE", help="a commit of this repository, or a folder with llum in it")
    parser.add_argument("other", metavar="OTHER", nargs="?", help="the same; default: this checkout")
    parser.add_argument("--rounds", type=int, default=7, help="default: 7")
    parser.add_argument("--scale", type=float, default=1.0, help="do fewer operations in a round, or more; default: 1")
    return parser


def _progress(text: str) -> None:
    print(f"bench.compare: {text}", file=sys.stderr, flush=True)
