"""`python -m bench.soak [SECONDS]`: an hour unless said otherwise. The exit code is 1 if something grows or fails."""

import asyncio
import sys
import tempfile
from pathlib import Path

from bench.report import machine_line
from bench.soak.report import judge, lines
from bench.soak.running import soak

HOUR_S = 3600.0


def main(seconds: str = str(HOUR_S)) -> int:
    """Give the exit code."""
    with tempfile.TemporaryDirectory(prefix="llum-soak-") as folder:
        soaked = asyncio.run(soak(Path(folder), float(seconds)))
    found = judge(soaked)
    print(*lines(soaked, found), machine_line(), sep="\n", flush=True)
    return 0 if all(one.verdict.is_flat for one in found) and not soaked.load.failed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
