"""The page about names in the code: what each public class is, in the words of its docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pages.markdown import code, first_paragraph, page, table

ROOT: Final = Path(__file__).parents[2]

PACKAGES: Final = {
    "model": "What a person's model is, and how commands and queries work on it.",
    "bus": "NATS: the log, requests, buckets, the embedded server.",
    "identity": "Who speaks.",
    "actors": "Partitions, as a worker serves them.",
    "sensors": "Programs that watch, and tell.",
    "llum": "The SDK, the processes, the command line.",
}
"""The packages whose classes are listed. Those of `schemas` stand in the page about messages."""


def names_page() -> str:
    """List the classes."""
    sections = [part for package, what in PACKAGES.items() for part in (f"## {package}", what, _classes_table(package))]
    return page(
        "Names in the code",
        "A name stands for one thing; a test sees to that. Each is listed with its module and with what its docstring "
        "says first. What is on the wire is described in [messages](messages.md), ideas in [words](../glossary.md).",
        *sections,
    )


def _classes_table(package: str) -> str:
    rows = sorted((code(node.name), code(where), _beginning(node)) for where, node in _classes(package))
    return table(("name", "module", "what"), rows)


def _classes(package: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for file in (ROOT / package).rglob("*.py"):
        where = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield where, node


def _beginning(node: ast.ClassDef) -> str:
    return first_paragraph(ast.get_docstring(node))
