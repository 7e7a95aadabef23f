"""What is spelled in one module only: subjects, streams and buckets, and the private names of nats-py."""

import ast
import inspect
import re
from pathlib import Path

import nats.aio.client
import nats.aio.subscription
import pytest

from bus import subjects
from llum.settings import SETTINGS, variable
from llum.settings_file import CONFIG_VARIABLE
from tests.tidy.sources import PACKAGES, files, texts, tree

SUBJECTS = Path("bus/subjects.py")
WIRE = Path("bus/wire.py")

FIRST_WORDS = {text.split(".")[1] for _, text in texts(SUBJECTS) if re.match(r"llum\.[a-z]+\.", text)}
SPELLED = re.compile(
    rf"""\bllum\.({"|".join(sorted(FIRST_WORDS))})\.   # a subject
    | ^LLUM_[A-Z_]+                                    # a stream or bucket, or a setting's variable
    | ^KV_ | ^\$(KV|JS)\.(?!ACK\.)                     # what NATS makes of a bucket, and the API of JetStream
    """,
    re.VERBOSE,
)

VARIABLES = {CONFIG_VARIABLE, *map(variable, SETTINGS)}

EXEMPT = {
    "LLUM_BENCH_SCALE": "a variable of the measurements",
    "LLUM_": "what the variables of all settings begin with",
}


def spellings(file: Path) -> list[str]:
    return [
        f"{file}:{line} spells {text!r}"
        for line, text in texts(file)
        if SPELLED.search(text) and text not in VARIABLES | set(EXEMPT)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_subjects_streams_and_buckets_are_spelled_in_bus_subjects_alone(package: str) -> None:
    """So one file shows all of them, and a change is made once."""
    assert [one for file in files(package) if file != SUBJECTS for one in spellings(file)] == []


def test_the_words_of_subjects_are_found() -> None:
    """The pattern is made from the subjects themselves."""
    assert {"cmd", "ask", "log", "query", "rejected", "effect", "sched", "fired", "dead"} <= FIRST_WORDS
    for spelled in ("llum.cmd.alice.app.tell", subjects.LOG_STREAM, subjects.TOKEN_BUCKET, "$KV.X.", "$JS.API.X"):
        assert SPELLED.search(spelled), spelled


def private_names_of_nats() -> set[str]:
    """Give the private methods and attributes of the classes of nats-py that llum uses."""
    nodes = [
        node
        for module in (nats.aio.client, nats.aio.subscription)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
    ]
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def private_uses(file: Path, names: set[str]) -> list[str]:
    return [
        f"{file}:{node.lineno} uses {ast.unparse(node)}"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute)
        and node.attr in names
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
        and ast.unparse(node.value).endswith(("nc", "client", "subscription", "connection"))
    ]


def test_private_names_of_nats_py_are_used_in_bus_wire_alone() -> None:
    """They change without notice: one module breaks then, and its tests say so."""
    names = private_names_of_nats()
    assert {"_process_msg", "_pending", "_server_info"} <= names
    assert [one for file in files(*PACKAGES) if file != WIRE for one in private_uses(file, names)] == []


def test_nats_py_is_imported_in_bus_alone() -> None:
    """What it raises is turned into llum's own errors there. The measurements compare llum with plain nats-py."""
    importers = {
        file.parts[0]
        for file in files(*PACKAGES)
        for node in ast.walk(tree(file))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "nats" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nats")
    }
    assert importers <= {"bus", "bench"}
