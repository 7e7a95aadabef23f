"""Text laid out for a terminal's width; without a terminal nothing is cut, so that scripts get all of it.

What is shown comes from many apps: what a terminal would take as a command is shown as its escape.
"""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

import click
from wcwidth import wcwidth

GAP: Final = "  "
MIN_COLUMN: Final = 8
"""Cells that a column keeps, however narrow the terminal is."""

MIN_LAST_COLUMN: Final = 16
"""Cells that a column needs in which text goes on below itself."""


def terminal_width() -> int | None:
    """Give the cells of a line; None where output goes to a file or another program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def clean(text: str) -> str:
    """Write what cannot be printed as its escape in JSON: so a value remains what it is."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def shorten(text: str, width: int) -> str:
    """Cut a text to so many cells, with an ellipsis."""
    if cells(text) <= width:
        return text
    kept, room = "", width - 1
    for char in text:
        room -= max(wcwidth(char), 0)
        if room < 0:
            break
        kept += char
    return kept + "…"


def cells(text: str) -> int:
    """Count the cells that a text takes on a terminal at most: characters that are joined may take fewer.

    Counted one by one, so that what is put together takes what its parts take.
    """
    return len(text) if text.isascii() else sum(max(wcwidth(char), 0) for char in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> str:
    """Lay rows out in columns. The widest columns are cut until a line fits."""
    lines = [list(head), *([clean(cell) for cell in row] for row in rows)]
    widths = _fit([max(cells(line[column]) for line in lines) for column in range(len(head))], width)
    shown = [_line(line, widths) for line in lines]
    return "\n".join([click.style(shown[0], bold=True), *shown[1:]])


def whole_table(head: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> str:
    """Lay rows out in columns and cut nothing: the last column goes on below itself.

    Where even that does not fit, each row is a list of its cells.
    """
    shown = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(cells, column)) for column in zip(head, *shown, strict=True)]
    before = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    if width is not None and before + widths[-1] > width:
        if width - before < MIN_LAST_COLUMN:
            return "\n\n".join(facts(zip(head, row, strict=True), width) for row in shown)
        shown = [line for row in shown for line in _wrapped(row, width - before)]
    lines = [_line(line, [*widths[:-1], max(cells(line[-1]), 1)]) for line in ([*head], *shown)]
    return "\n".join([click.style(lines[0], bold=True), *lines[1:]])


def _wrapped(row: Sequence[str], room: int) -> list[list[str]]:
    """Give the lines of a row whose last cell is longer than there is room."""
    first, *more = wrap(row[-1], room) or [""]
    return [[*row[:-1], first], *([*[""] * (len(row) - 1), part] for part in more)]


def wrap(text: str, width: int) -> list[str]:
    """Break a text between words, never inside one."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def facts(pairs: Iterable[tuple[str, str]], width: int | None) -> str:
    """Lay out names with their values, one a line; long values go on below themselves."""
    listed = list(pairs)
    indent = max(len(name) for name, _ in listed) + len(GAP)
    return "\n".join(_fact(name, clean(value), indent, width) for name, value in listed)


def columns(words: Iterable[str], width: int | None) -> str:
    """List words across, as many to a line as fit."""
    cleaned = [clean(word) for word in words]
    if width is None:
        return "\n".join(cleaned)
    widest = max(cells(word) for word in cleaned) + len(GAP)
    across = max(width // widest, 1)
    chunks = [cleaned[start : start + across] for start in range(0, len(cleaned), across)]
    return "\n".join("".join(_pad(word, widest) for word in chunk).rstrip() for chunk in chunks)


def paragraph(text: str, width: int | None) -> str:
    """Wrap a text; what goes on stands as far to the right as it began, and a little more."""
    shown = clean(text)
    if width is None or cells(shown) <= width:
        return shown
    indent = " " * (len(shown) - len(shown.lstrip()))
    return "\n".join(
        textwrap.wrap(
            shown,
            width,
            subsequent_indent=f"{indent}  " if indent else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _fact(name: str, value: str, indent: int, width: int | None) -> str:
    head = click.style(name, bold=True) + " " * (indent - len(name))
    if width is None or indent + cells(value) <= width:
        return head + value
    room = max(width - indent, MIN_COLUMN)
    return head + ("\n" + " " * indent).join(wrap(value, room))


def _fit(widths: list[int], total: int | None) -> list[int]:
    """Narrow the widest columns evenly until a line fits."""
    if total is None:
        return widths
    room = total - len(GAP) * (len(widths) - 1)
    fitted = list(widths)
    while sum(fitted) > room and max(fitted) > MIN_COLUMN:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    shown = [_pad(shorten(cell, width), width) for cell, width in zip(row, widths, strict=True)]
    return GAP.join(shown).rstrip()


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))
