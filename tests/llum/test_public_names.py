"""What other programs may import."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import llum
from llum import public
from schemas.commands import COMMAND_VERBS
from schemas.queries import QUERY_VERBS

ROOT = Path(__file__).parents[2]
SHIPPED_FOR_OTHERS = [
    *ROOT.glob("examples/**/*.py"),
    *ROOT.glob("docs/how-to/*.md"),
]
OURS = ("actors", "bench", "bus", "edge_http", "identity", "model", "schemas", "sensors", "llum.")


def imported_after(program: str) -> set[str]:
    """Give the modules that a program in a fresh interpreter has imported when it ends."""
    command = [sys.executable, "-c", f"{program}\nimport sys\nprint('\\n'.join(sys.modules))"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.split())


def python_in(page: Path) -> list[str]:
    """Give the programs of a page, or a program itself."""
    text = page.read_text()
    return [text] if page.suffix == ".py" else re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def modules_of(program: str) -> set[str]:
    """Give the modules that a program imports."""
    nodes = list(ast.walk(ast.parse(program)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("name", public.__all__)
def test_a_public_name_can_be_had(name: str) -> None:
    """From `llum` itself, the same thing each time."""
    assert getattr(llum, name) is getattr(public, name)


def test_all_names_are_listed_once_and_in_order() -> None:
    """`dir`, `from llum import *` and the list of names agree."""
    everything: dict[str, object] = {}
    exec("from llum import *", everything)
    assert everything.keys() - {"__builtins__"} == set(public.__all__)
    assert set(public.__all__) <= set(dir(llum))
    assert len(set(public.__all__)) == len(public.__all__)


def test_another_name_is_no_attribute() -> None:
    """What is not public fails as it does in any module."""
    with pytest.raises(AttributeError, match="module 'llum' has no attribute 'Bus'"):
        llum.Bus  # noqa: B018 - looking is the test


def test_importing_llum_imports_nothing_else() -> None:
    """Only the first use of a name costs."""
    before, after = imported_after(""), imported_after("import llum")
    assert {name for name in after - before if name.split(".")[0] not in sys.stdlib_module_names} == {"llum"}


@pytest.mark.parametrize("package", ["llum", "schemas", "model", "bus", "sensors"])
def test_type_checkers_find_the_types(package: str) -> None:
    """Packages whose names are public say that they are typed."""
    assert (ROOT / package / "py.typed").exists()


@pytest.mark.parametrize("page", SHIPPED_FOR_OTHERS, ids=lambda page: page.name)
def test_examples_import_llum_alone(page: Path) -> None:
    """What is written for others uses nothing of llum that may change any day."""
    for program in python_in(page):
        assert not {name for name in modules_of(program) if name.startswith(OURS)}


NOT_FOR_CLIENTS = {
    "ask_for_rule", "check_import", "derive", "fire", "note_sent", "ping", "restate", "rule_may_tell", "set_quota",
    "withdraw_following",
}  # fmt: skip
"""Verbs of llum's own: what a rule asks and derives, a schedule that is due, whether a partition is served, the first
look at a large import, what follows from evidence or has left because of it, and what the operator alone may say.
"""

UNDER_ANOTHER_NAME = {"import": "import_contexts"}


@pytest.mark.parametrize("verb", sorted((COMMAND_VERBS | QUERY_VERBS) - NOT_FOR_CLIENTS))
def test_every_verb_is_a_method(verb: str) -> None:
    """Under its own name; `import` is a word of Python."""
    assert callable(getattr(llum.Client, UNDER_ANOTHER_NAME.get(verb, verb)))
