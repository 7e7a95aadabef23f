"""`python -m tests.chaos [FAULTS] [SEED] [REPLICAS] [KILLS]`: have faults, and print what came of them.

First workers are killed, one after the other. At the end everything is restarted. With one replica nobody stands by.
"""

import asyncio
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.chaos.running import Chaos


def main(faults: str = "60", seed: str = "1", replicas: str = "2", kills: str = "30") -> int:
    """Give the exit code: 0 if nothing was lost, duplicated, reordered, stale or diverged."""
    with tempfile.TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder), int(seed), int(replicas), on_fault=partial(print, flush=True))
        try:
            report = asyncio.run(chaos.run(faults=int(faults), kills=int(kills), rolling=True))
        finally:
            chaos.stage.clean_up()
    print(f"seed {seed}, replicas {replicas}", *report.lines(), sep="\n")
    return 1 if report.findings else 0


sys.exit(main(*sys.argv[1:]))
