"""A resolver that is installed beside llum, with a real worker."""

import os
from pathlib import Path

import psutil
import pytest

from tests.system.harness import Llum, until

SOURCE = """
import time
from llum import Resolved, Resolver

def longest(evidence, now, arguments):
    if any(piece.value == "sleep" for piece in evidence):
        time.sleep(1e6)
    return Resolved(max((piece.value for piece in evidence), key=len, default=None))

resolver = Resolver("longest", longest, description="the longest text")
"""


@pytest.fixture
def llum(installation: Llum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Llum:
    """With a package that has a resolver."""
    packages = tmp_path / "packages"
    described = packages / "longest-1.dist-info"
    described.mkdir(parents=True)
    (packages / "longest.py").write_text(SOURCE)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: longest\nVersion: 1\n")
    (described / "entry_points.txt").write_text("[llum.resolvers]\nlongest = longest:resolver\n")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    )
    installation.start()
    installation.run("admin", "person", "add", "alice", "--first-name", "Al")
    return installation


def plugin_of(llum: Llum) -> list[psutil.Process]:
    return psutil.Process(llum.pid("worker")).children()


def test_it_resolves_and_stops_nobody(llum: Llum) -> None:
    """A value that makes it sleep fails its component; all else is answered, before and after."""

    def longest() -> str:
        asked = llum.command("ask", "alice", "Personal/firstname", "--resolver", "longest")
        return asked.stdout.strip() or asked.stderr

    llum.run("tell", "alice", "Personal/firstname", '"Alice"')
    llum.run("tell", "alice", "Personal/firstname", '"Ali"')
    until(lambda: longest() == '"Alice"', "it gives the longest: a busy machine may be slow")
    (process,) = plugin_of(llum)
    llum.run("tell", "alice", "Personal/firstname", '"sleep"')
    assert "resolver_failed" in longest()
    assert llum.run("ask", "alice", "Personal/firstname") == '"sleep"'
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "its process was ended")


def test_its_process_ends_with_llum(llum: Llum) -> None:
    """However llum ends."""
    (process,) = plugin_of(llum)
    llum.kill_everything()
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "it has ended")
