"""`python -m bench [NAME…] [--json]`: run benchmarks and print or keep their figures."""

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from bench.catalogue import BENCHMARKS
from bench.failures import BenchError, NotMeasurableError
from bench.figures import Result
from bench.ground import BenchGround
from bench.programs.loop import run
from bench.report import FIGURES_FILE, absences, keep, machine_line, table
from bench.sizes import scaled
from schemas.errors import LlumError

SCALE_VARIABLE = "LLUM_BENCH_SCALE"
EXIT_FAILED = 1


def main(arguments: Sequence[str] = (), json: bool = False) -> int:
    """Run the benchmarks that are named among the arguments, or all, and give the exit code.

    A missed bar is a figure like any other and no failure: 0. What could not be measured is one: 1, unless only
    something is not installed that llum does not need.
    """
    options = _parser().parse_args(list(arguments))
    results: dict[str, Result] = {}
    absent: dict[str, str] = {}
    try:
        run(_measure(options.names or list(BENCHMARKS), options.scale, results, absent))
    except (BenchError, LlumError, TimeoutError, OSError) as error:
        _say(f"bench: {error or type(error).__name__}", sys.stderr)
        return EXIT_FAILED
    if json or options.json:
        _say(msgspec.json.encode({name: result.figure for name, result in results.items()}).decode())
        _say("\n".join(absences(absent)), sys.stderr)
        if options.scale >= 1:
            keep(results, FIGURES_FILE)
    else:
        _say("\n".join([*table(results), "", *absences(absent), machine_line()]))
    return 0


async def _measure(names: Iterable[str], scale: float, results: dict[str, Result], absent: dict[str, str]) -> None:
    chosen = set(names)
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as folder:
        async with contextlib.AsyncExitStack() as exits:
            ground = BenchGround(Path(folder), scaled(scale), exits)
            for name, benchmark in BENCHMARKS.items():
                if name in chosen:
                    _progress(name)
                    try:
                        results[name] = await benchmark(ground)
                    except NotMeasurableError as error:
                        absent[name] = str(error)
    _progress("")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure llum against the limits of this machine.", allow_abbrev=False
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=f"{', '.join(BENCHMARKS)}; default: all")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the figures as JSON and nothing else, and, at full scale, keep them in bench/figures.json",
    )
    parser.add_argument(
        "--scale", type=_scale, default=os.environ.get(SCALE_VARIABLE, "1"), help="measure less, or more; default: 1"
    )
    return parser


def _name(text: str) -> str:
    if text not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no benchmark {text}; there are {', '.join(BENCHMARKS)}")
    return text


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 < scale <= 100:
        raise argparse.ArgumentTypeError("a scale is a number above 0, at most 100")
    return scale


def _progress(name: str) -> None:
    """Show on a terminal what is being measured."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{f'measuring {name} …' if name else ''}")
        sys.stderr.flush()


def _say(text: str, stream: object = None) -> None:
    print(text, file=stream or sys.stdout, flush=True)  # type: ignore[arg-type]
