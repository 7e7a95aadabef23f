"""Modules and functions that can be read in one go."""

import ast
from pathlib import Path
from statistics import median

import pytest

from tests.tidy.sources import PACKAGES, ROOT, files, tree

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_MEDIAN_LINES = 8
"""Lines of the function in the middle: in code that is easy to read it has four to eight."""

ALL = files(*PACKAGES, "tests", "docs", "examples")

LONG_MODULES = {
    Path("tests/personis/test_faults.py"): "one table of faults, which is read by its rows",
}


def functions(file: Path) -> list[tuple[str, int]]:
    return [
        (f"{file}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_module_is_too_long() -> None:
    """A module that grows beyond this has two subjects."""
    lines = {file: len((ROOT / file).read_text("utf-8").splitlines()) for file in ALL}
    assert {file: count for file, count in lines.items() if count > MAX_MODULE_LINES and file not in LONG_MODULES} == {}
    assert [file for file in LONG_MODULES if lines.get(file, 0) <= MAX_MODULE_LINES] == [], "needs no exception"


def test_no_function_is_too_long() -> None:
    """Beyond a screen it is not read but searched."""
    assert [one for file in ALL for one in functions(file) if one[1] > MAX_FUNCTION_LINES] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_are_short(package: str) -> None:
    """The one in the middle shows the habit."""
    assert median(lines for file in files(package) for _, lines in functions(file)) <= MAX_MEDIAN_LINES
