"""The walk of `docs/explanation/architecture.md` goes through files and functions that are there.

Method: an item of the walk begins with a file in bold code. Code in the item that looks like a call, `name()`, is
defined in that file.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "architecture.md"


class Stop(NamedTuple):
    """A file of the walk, and the functions that the page names in it."""

    file: str
    functions: tuple[str, ...]


def stops() -> list[Stop]:
    """Read the walk."""
    found = []
    for file, text in re.findall(
        r"^\d+\. \*\*`([\w/.]+\.py)`\*\*((?:.|\n(?!\d+\. |\n|#))*)", PAGE.read_text(), re.MULTILINE
    ):
        found.append(Stop(file, tuple(re.findall(r"`([\w.]+)\(\)`", text))))
    return found


def defined(module: Path) -> set[str]:
    """Give the functions and methods of a module, methods as `Class.method`."""
    return set(_names(ast.parse(module.read_text()).body, ""))


def _names(body: list[ast.stmt], above: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield above + node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from _names(node.body, f"{node.name}.")


def test_the_walk_follows_a_tell_and_an_ask() -> None:
    """From the HTTP edge over the bus and the worker to the model, and each file once."""
    files = [stop.file for stop in stops()]
    assert len(files) == len(set(files))
    assert {file.split("/")[0] for file in files} >= {"edge_http", "bus", "actors", "model", "schemas"}
    assert sum(map(len, (stop.functions for stop in stops()))) > len(files) // 2


@pytest.mark.parametrize("stop", stops(), ids=lambda stop: stop.file)
def test_files_and_functions_of_the_walk_exist(stop: Stop) -> None:
    """A file that was moved, or a function that was renamed, is moved in the walk too."""
    assert (ROOT / stop.file).is_file()
    names = defined(ROOT / stop.file)
    assert [name for name in stop.functions if name not in names] == []


def test_every_folder_of_the_house_exists() -> None:
    """The page's picture of the packages is that of the repository."""
    (house,) = re.findall(r"## The house\n\n```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    named = re.findall(r"^ (\w+)/", house, re.MULTILINE)
    packages = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
    assert set(named) == packages - {"tests", "bench"}


MAPS = [package for package in sorted(ROOT.glob("*/__init__.py")) if package.parent.name != "tests"]
MAPS += [package for folder in MAPS for package in sorted(folder.parent.glob("*/**/__init__.py"))]


def mapped(package: Path) -> set[str]:
    """Give the files and folders that a package's docstring lists."""
    text = ast.get_docstring(ast.parse(package.read_text())) or ""
    return set(re.findall(r"^ *([\w/]+(?:\.py|/)) {1,}\S", text, re.MULTILINE))


def is_there(package: Path, name: str) -> bool:
    """Tell whether a package has a file of that name, or one of its folders has."""
    return (package.parent / name).exists() or any(package.parent.glob(f"*/{name}"))


@pytest.mark.parametrize("package", MAPS, ids=lambda package: str(package.parent.relative_to(ROOT)))
def test_the_map_of_a_package_is_right(package: Path) -> None:
    """A package says what it is. The files that it lists are there."""
    assert ast.get_docstring(ast.parse(package.read_text()))
    listed = mapped(package)
    assert [name for name in listed if not is_there(package, name)] == []
