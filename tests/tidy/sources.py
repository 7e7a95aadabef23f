"""The files that the tidy tests walk."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

PACKAGES: Final = ("schemas", "model", "bus", "identity", "actors", "edge_http", "sensors", "llum", "bench")
"""What llum is made of, the lowest layer first."""


def files(*folders: str) -> list[Path]:
    """List the modules below these folders, as paths from the root of the repository."""
    found = [path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(found)


def module_name(file: Path) -> str:
    """Give the name that a file is imported by."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=1000)
def tree(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"))


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Give the line and text of each piece of a string literal that is no docstring."""
    nodes = list(ast.walk(tree(file)))
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in prose:
            yield node.lineno, node.value if isinstance(node.value, str) else node.value.decode("latin-1")
