"""What an error says is true for every reader: on the bus, over HTTP, at the command line, in the shell.

Method: the texts of refusals and transient errors are read in the source of the layers that do not know who reads them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_http.personis.routes import OPERATIONS
from llum.cli.browse.commands import TABLE
from schemas.commands import COMMANDS
from schemas.queries import QUERIES
from schemas.verbs import verb_of

ROOT = Path(__file__).parents[2]
FOLDERS = ("schemas", "model", "bus", "identity", "actors", "edge_http")
ERRORS = ("Refusal", "Transient", "Error")

VERBS = set(map(verb_of, (*COMMANDS, *QUERIES)))
NOT_ENGLISH = {
    word for word in {*VERBS, *OPERATIONS, *TABLE.by_any_name} if "_" in word or word.startswith(("mk", "del", "set"))
}
"""Names of commands that no sentence holds by chance: `tell` and `ask` are words of every reader."""


def texts(module: Path) -> Iterator[str]:
    """Give the texts in the calls that make an error."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


MODULES = [module for folder in FOLDERS for module in sorted((ROOT / folder).rglob("*.py"))]


def test_there_is_something_to_read() -> None:
    """Else the test below would look at nothing."""
    assert sum(1 for module in MODULES for _ in texts(module)) > 200


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_no_error_names_a_command(module: Path) -> None:
    """A verb is no command of the shell, and who calls over HTTP has no command line."""
    for text in texts(module):
        assert not NOT_ENGLISH & set(text.replace("`", " ").split())
        assert not re.search(r"\bllum (up|admin|tell|ask|browse|sensor|config|mdef|worker|edge|nats-config)\b", text)
