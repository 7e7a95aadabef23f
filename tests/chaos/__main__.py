"""`python -m tests.chaos [FAULTS] [SEED]`: have faults, first thirty kills of workers, and print what came of it."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos.running import Chaos

KILLS = 30


def main(faults: str = "60", seed: str = "1") -> int:
    """Give the exit code: 0 if nothing was lost, duplicated, reordered, stale or diverged."""
    with tempfile.TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder), int(seed))
        try:
            report = asyncio.run(chaos.run(faults=int(faults), kills=KILLS))
        finally:
            chaos.stage.clean_up()
    print(f"seed {seed}", *report.lines(), sep="\n")
    return 1 if report.findings else 0


sys.exit(main(*sys.argv[1:]))
