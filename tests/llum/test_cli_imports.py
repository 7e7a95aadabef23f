"""What the command line imports: nothing that only the processes of a running llum need."""

import subprocess
import sys
from pathlib import Path

import pytest

from llum.cli.main import COMMANDS

RUNS_A_PROCESS = {"up", "worker", "edge", "callout"}
FOREIGN = ("edge_http", "actors", "aiosqlite")
HEAVY = (*FOREIGN, "aiohttp", "nats", "bus", "model", "identity", "sensors", "prompt_toolkit", "authlib", "argon2")

REPORT = """
import sys
sys.argv = ["llum", *sys.argv[1:]]
from llum.cli.main import main
main()
print(" ".join(sys.modules), file=sys.stderr)
"""

WITHOUT_LLUM = [
    ["tell", "alice", "Personal/firstname", '"Al"'],
    ["withdraw", "alice", "Personal/firstname", "17", "--preview"],
    ["ask", "alice", "Personal/firstname"],
    ["asked", "alice"],
    ["check", "alice", "lamp", "ask", "Personal"],
    ["grants", "alice"],
    ["revoke", "alice", "lamp"],
    ["follows", "alice", "Personal/firstname", "17"],
    ["forget", "alice", "--component", "Personal/firstname", "--yes"],
    ["browse", "alice", "-c", "ls"],
    ["sign-in", "alice"],
    ["sign-out", "alice"],
    ["preferences", "capture", "alice", "--target", "gnome"],
    ["preferences", "apply", "alice", "--target", "gnome"],
    ["preferences", "show", "alice_key"],
    ["preferences", "dump"],
    ["admin", "person", "list"],
    ["admin", "person", "forget", "alice", "--yes"],
    ["admin", "app", "list", "alice"],
    ["admin", "rejected", "alice"],
    ["mdef", "export", "alice"],
    ["config"],
    ["status"],
    ["doctor"],
]


def imported_by(arguments: list[str], folder: Path) -> set[str]:
    """Run a command in a folder where no llum runs, and give the modules that it has imported."""
    command = [sys.executable, "-c", REPORT, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.splitlines()[-1].split())


def among(names: set[str], packages: tuple[str, ...]) -> set[str]:
    return {name for name in names if name.split(".")[0] in packages}


@pytest.mark.parametrize("arguments", WITHOUT_LLUM, ids=" ".join)
def test_commands_import_neither_the_http_face_nor_the_actors(arguments: list[str], tmp_path: Path) -> None:
    """Whatever they tell or ask goes over the bus."""
    assert among(imported_by(arguments, tmp_path), FOREIGN) == set()


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """So it is there at once."""
    assert among(imported_by(["--help"], tmp_path), HEAVY) == set()


def test_all_that_a_command_may_import_later_is_clean() -> None:
    """Also what is imported only once a llum answers: but for what only its processes have."""
    program = """
import importlib, pkgutil, sys
import llum
OF_PROCESSES = (
    "processes.edge", "processes.many_workers", "processes.worker", "metrics.of_edge", "metrics.of_worker", "resolvers",
    "__main__",
)
for module in pkgutil.walk_packages(llum.__path__, "llum."):
    if not module.name.endswith(OF_PROCESSES):
        importlib.import_module(module.name)
print(" ".join(sys.modules))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert among(set(done.stdout.split()), FOREIGN) == set()


def test_every_command_is_accounted_for() -> None:
    """A new command is either one that runs a process of llum, or it is tried here."""
    assert {arguments[0] for arguments in WITHOUT_LLUM} | RUNS_A_PROCESS | {"sensor", "example", "nats-config"} == set(
        COMMANDS
    )
