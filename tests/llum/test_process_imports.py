"""What a process of llum imports on its way to ready, and an ask from the command line: time and memory go there."""

import subprocess
import sys

import pytest

SERVERS = """
import sys
from bus.lean import modules_alone
from llum.processes.early import import_lean
import_lean()
modules_alone("aiohttp")
import llum.processes.NAME
print(*sys.modules)
"""

SUPERVISOR = """
import sys
sys.argv = ["llum", "config"]
from llum.processes.early import import_lean
import_lean()
import llum.cli.main, llum.cli.commands.serving, llum.processes.supervisor, bus.embedded, llum.processes.logs
print(*sys.modules)
"""

ASKER = """
import sys
from llum.processes.early import import_lean
import_lean()
import llum.cli.main, llum.cli.commands.models, llum.client, llum.processes.logs, llum.people.asking, llum.cli.render
print(*sys.modules)
"""

NOT_BY_ANY = {
    "rich", "pygments", "structlog", "authlib", "cryptography", "prompt_toolkit", "lark", "re2", "jeepney", "Xlib",
    "psutil", "prometheus_client", "llum.metrics", "nats.js", "tomllib", "difflib",
}  # fmt: skip
NOT_BY_A_SERVER = {"click", "llum.cli"}

FORBIDDEN = {
    "edge": NOT_BY_ANY | NOT_BY_A_SERVER | {"actors", "aiosqlite", "sqlite3", "sensors", "argon2", "aiohttp.client"},
    "worker": NOT_BY_ANY
    | NOT_BY_A_SERVER
    | {"aiohttp.client", "aiohttp.web", "yarl", "edge_http", "sensors", "argon2", "typing_extensions"},
    "supervisor": NOT_BY_ANY
    | {"nats", "aiohttp", "edge_http", "actors", "aiosqlite", "sqlite3", "model", "uvloop", "typing_extensions"},
    "ask": NOT_BY_ANY
    | {"aiohttp", "edge_http", "actors", "aiosqlite", "sqlite3", "model", "argon2", "sensors", "typing_extensions"},
}

PROGRAMS = {
    "edge": SERVERS.replace("NAME", "edge"),
    "worker": SERVERS.replace("NAME", "worker"),
    "supervisor": SUPERVISOR,
    "ask": ASKER,
}


@pytest.mark.parametrize("process", PROGRAMS)
def test_a_process_imports_only_what_it_needs_at_its_start(process: str) -> None:
    """The rest comes with the first rule, notice, password or line that wants it."""
    command = [sys.executable, "-c", PROGRAMS[process]]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    modules = set(done.stdout.split())
    wrong = {name for name in modules for bad in FORBIDDEN[process] if name == bad or name.startswith(f"{bad}.")}
    assert wrong == set()
