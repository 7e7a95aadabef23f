"""One word, one thing: the name of a class or type stands for one thing in all of llum."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.sources import PACKAGES, files, tree

TYPE_NAME = re.compile(r"[A-Z][a-z]\w*")
"""Neither a constant nor a private name."""


def type_names(file: Path) -> Iterator[str]:
    """Give the public classes and names of types that a module makes. Variables of generic types are not types."""
    for node in tree(file).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and not _is_variable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _is_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith("TypeVar")


def homes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for file in files(*PACKAGES):
        for name in type_names(file):
            if TYPE_NAME.fullmatch(name):
                found[name].append(str(file))
    return found


def test_a_name_stands_for_one_thing() -> None:
    """Whoever searches it finds one thing. The tests may use the words of what they test."""
    assert {name: places for name, places in homes().items() if len(places) > 1} == {}


def test_names_are_found() -> None:
    """Classes and names of types alike."""
    found = homes()
    assert found["Bus"] == ["bus/connection.py"]
    assert found["Outcome"] == ["schemas/replies.py"]


def test_every_public_class_says_what_it_is() -> None:
    """The page about names is made from these words. Calls of the HTTP face are described with its operations."""
    silent = [
        f"{file}:{node.lineno} {node.name}"
        for file in files("model", "bus", "identity", "actors", "sensors", "llum")
        for node in tree(file).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []
