"""Plots as SVG, legible on a light and on a dark screen."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 700, 44, 250
COLOURS: Final = ("#1f77b4", "#d95f02", "#2a9d5c")
_STYLE: Final = (
    "<style>.page{fill:#fff}text{fill:#222;font:13px sans-serif}.grid{stroke:#ddd}.bound{stroke:#c00}"
    "@media(prefers-color-scheme:dark){.page{fill:#15181c}text{fill:#e6e6e6}.grid{stroke:#3a3f45}.bound{stroke:#f66}}"
    "</style>"
)
MOST_POINTS: Final = 400


class Curve(NamedTuple):
    """A line of a plot."""

    name: str
    points: Sequence[tuple[float, float]]


class Axis(NamedTuple):
    """What is along a side of a plot, and from where to where."""

    label: str
    low: float
    high: float
    marks: Sequence[float]
    is_log: bool = False

    def place(self, value: float, low: float, high: float) -> float:
        """Give where a value is, between the places of both ends."""
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return low + min(1.0, max(0.0, share)) * (high - low)


def plot(title: str, x: Axis, y: Axis, lines: Sequence[Curve], bound: float | None = None) -> str:
    """Draw lines. `bound` is a dashed line across, at this height."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>{_STYLE}",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        *_marks(x, y),
        *(_line(line, COLOURS[number], x, y) for number, line in enumerate(lines)),
        *_legend(lines),
    ]
    if bound is not None:
        at = y.place(bound, BOTTOM, TOP)
        parts.append(f'<path class="bound" stroke-dasharray="6 4" d="M{LEFT} {at:.1f}H{RIGHT}"/>')
    return "\n".join([*parts, "</svg>", ""])


def share_below(lengths: Sequence[float], low: float) -> list[tuple[float, float]]:
    """Give the points of a distribution: which share of all is at most so long."""
    ordered = sorted(lengths)
    step = max(1, len(ordered) // MOST_POINTS)
    chosen = [*range(0, len(ordered), step), len(ordered) - 1] if ordered else []
    return [(max(low, ordered[index]), (index + 1) / len(ordered)) for index in chosen]


def _marks(x: Axis, y: Axis) -> list[str]:
    found = []
    for value in x.marks:
        at = x.place(value, LEFT, RIGHT)
        found.append(f'<path class="grid" d="M{at:.1f} {TOP}V{BOTTOM}"/>')
        found.append(f'<text x="{at:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{value:g}</text>')
    for value in y.marks:
        at = y.place(value, BOTTOM, TOP)
        found.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>')
        found.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>')
    found.append(f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x.label)}</text>')
    found.append(f'<text x="{LEFT - 44}" y="{TOP - 26}">{escape(y.label)}</text>')
    return found


def _line(line: Curve, colour: str, x: Axis, y: Axis) -> str:
    points = " ".join(f"{x.place(a, LEFT, RIGHT):.1f},{y.place(b, BOTTOM, TOP):.1f}" for a, b in line.points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'


def _legend(lines: Sequence[Curve]) -> list[str]:
    found, at = [], LEFT
    for number, line in enumerate(lines):
        found.append(f'<path stroke="{COLOURS[number]}" stroke-width="3" d="M{at} {TOP - 10}h18"/>')
        found.append(f'<text x="{at + 24}" y="{TOP - 6}">{escape(line.name)}</text>')
        at += 44 + 7 * len(line.name)
    return found
