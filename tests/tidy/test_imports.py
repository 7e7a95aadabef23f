"""Imports go one way: whoever reads a module need not have read those that use it.

The layers are import-linter's business (`make check`). Here are circles, which it does not look for.
"""

import ast
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGES, files, module_name, tree

MODULES = {module_name(file): file for file in files(*PACKAGES)}


def imported(file: Path) -> Iterator[str]:
    """Give the modules of llum that a file imports anywhere, also inside functions.

    Imports for types alone count as well: the reader follows them as any other.
    """
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)


@functools.cache
def import_graph() -> dict[str, set[str]]:
    """Give what each module imports. The files are read when a test asks: each process collects all tests."""
    return {name: set(imported(file)) - {name} for name, file in MODULES.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Find a circle; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def between_children(package: str) -> dict[str, set[str]]:
    """Give the imports between the modules and packages that lie directly in a package, whatever is below them."""
    depth = package.count(".") + 1 if package else 0
    graph: dict[str, set[str]] = defaultdict(set)
    for importer, imports in import_graph().items():
        for one in imports:
            ends = [name.split(".") for name in (importer, one)]
            if all(end[:depth] == package.split(".")[:depth] and len(end) > depth for end in ends):
                child, other = (".".join(end[: depth + 1]) for end in ends)
                graph[child] |= {other} - {child}
    return graph


PARENTS = sorted({"", *(name.rpartition(".")[0] for name in MODULES)})


@pytest.mark.parametrize("package", PARENTS)
def test_what_lies_beside_each_other_does_not_import_in_a_circle(package: str) -> None:
    """Neither packages nor files, at any depth. "" stands for the root of the repository."""
    assert circle(between_children(package)) == []


def test_no_files_import_in_a_circle() -> None:
    """Wherever they lie."""
    assert circle(import_graph()) == []


def test_a_circle_is_found() -> None:
    """Of two files, and of three with one that is outside of it."""
    assert circle({"a": {"b"}, "b": {"a"}}) != []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_every_package_is_walked() -> None:
    """The list here is the one that import-linter and the type checker have, and none of the packages is empty."""
    assert [package for package in PACKAGES if package not in MODULES] == []
    assert set(itertools.chain(*import_graph().values())) - set(MODULES) == set()
