"""`python -m bench.placement [--seed N] [--days N] [--hosts N] [--write PAGE]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.placement.page import figures, misses, write
from bench.placement.simulation import Scenario, simulate

EXIT_MISSED = 1


def main(arguments: Sequence[str]) -> int:
    """Simulate, print the figures, and write the page if wanted. 1: something does not hold that must."""
    options = _parser().parse_args(list(arguments))
    scenario = Scenario(
        hosts=options.hosts,
        partitions=options.partitions,
        replicas=options.replicas,
        people=options.people,
        days=options.days,
        seed=options.seed,
    )
    _, measures = simulate(scenario)
    for name, figure in figures(scenario, measures).items():
        sys.stdout.write(f"{name}: {figure}\n")
    if options.write:
        write(options.write, scenario, measures)
    missed = misses(measures)
    sys.stdout.write(f"does not hold: {', '.join(missed)}\n" if missed else "all holds\n")
    return EXIT_MISSED if missed else 0


def _parser() -> argparse.ArgumentParser:
    usual = Scenario()
    parser = argparse.ArgumentParser(prog="python -m bench.placement", description=__doc__)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--days", type=float, default=usual.days)
    parser.add_argument("--hosts", type=int, default=usual.hosts)
    parser.add_argument("--partitions", type=int, default=usual.partitions)
    parser.add_argument("--replicas", type=int, default=usual.replicas)
    parser.add_argument("--people", type=int, default=usual.people)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the report here, with its plots beside it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
