"""The page of the figures that were kept with the code, from bench/figures.json."""

from typing import Final

from bench.report import KeptFigure, cells, costs_in_words, kept
from pages.markdown import code, page, table

INTRODUCTION: Final = """
What `make bench ARGS=--json` has measured on one machine, committed to compare with.
[How fast llum is](../explanation/performance.md) says what is measured against what, and why llum is not faster.
"""

COSTS: Final = """
Microseconds of CPU time, all threads, by the operating system's accounting: the sum, and its parts by process.
"""


def figures_page() -> str:
    """Write the figures, and what an operation costs by process."""
    found = kept()
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    figures = found.figures.items()
    return page(
        "The figures",
        INTRODUCTION,
        f"{found.machine}; {versions}.",
        table(("name", "llum", "limit", "ratio", "bar", "", "measured"), [_row(*each) for each in figures]),
        "## What an operation costs",
        COSTS,
        table(("name", "llum", "limit"), [_costs(*each) for each in figures if each[1].figure.cpu_us]),
        "## What was counted",
        table(("name", "what"), [(code(name), one.counted) for name, one in figures]),
    )


def _row(name: str, one: KeptFigure) -> tuple[str, ...]:
    return code(name), *cells(one.figure), one.date


def _costs(name: str, one: KeptFigure) -> tuple[str, str, str]:
    return code(name), costs_in_words(one.figure.cpu_us or {}), costs_in_words(one.figure.limit_cpu_us or {})
