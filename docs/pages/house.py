"""The page that lists the files of the code, each by the first sentence of its docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pages.markdown import code, first_paragraph, page, table

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("schemas", "model", "bus", "identity", "actors", "edge_http", "sensors", "llum", "bench")
"""From the bottom upwards: what a package imports stands above it."""


def house_page() -> str:
    """List every file of the code, folder by folder."""
    return page(
        "The code, file by file",
        "Each file in the words of its own docstring. A package imports only those above it. "
        "[How llum works](../explanation/architecture.md) follows a tell and an ask through them.",
        *(part for package in PACKAGES for folder in _folders(ROOT / package) for part in _folder(folder)),
    )


def _folders(package: Path) -> list[Path]:
    return sorted({module.parent for module in package.rglob("*.py")})


def _folder(folder: Path) -> Iterator[str]:
    yield f"## {folder.relative_to(ROOT)}/"
    if says := _says(folder / "__init__.py"):
        yield says
    if rows := [(code(module.name), _says(module)) for module in sorted(folder.glob("[!_]*.py"))]:
        yield table(("file", "what"), rows)


def _says(module: Path) -> str:
    return first_paragraph(ast.get_docstring(ast.parse(module.read_text("utf-8"))))
