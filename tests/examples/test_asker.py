"""The example `asker`: it tells, asks and draws."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.system.conftest import installation, llum
from tests.system.harness import Llum
from tests.waiting import DEADLINE_S

__all__ = ["installation", "llum"]

PROGRAM = Path(__file__).parents[2] / "examples" / "asker" / "asker.py"


@pytest.fixture(scope="module")
def asker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("asker", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_longest_bar_fills_the_line(asker: ModuleType) -> None:
    """Bars are in proportion, and nothing is wider than the terminal."""
    tea, coffee, milk = asker.bars([("tea", 4), ("coffee", 2), ("milk", 0)], 30)
    assert (tea, coffee, milk) == (f"tea     4  {'█' * 19}", f"coffee  2  {'█' * 10}", "milk    0")


def test_nothing_logged(asker: ModuleType) -> None:
    """Without items there are no bars; an item that was logged hardly at all is still seen."""
    assert asker.bars([], 80) == []
    assert asker.bars([("much", 1000), ("little", 1)], 40)[1].endswith("1  █")


def test_it_does_what_the_owner_allows(llum: Llum) -> None:
    """Without a token it says what it wants, without a permission it is refused; then it logs and draws."""
    llum.run("admin", "person", "add", "bob")
    llum.run("browse", "bob", "-c", "mkcontext Diary what; cd Diary; mkcomponent tea cups --value-type number")
    done = run(llum, "", "bob", "Diary", "--log", "tea")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`llum admin token bob --app asker`" in done.stderr
    llum.run("browse", "bob", "-c", "app add asker bars")
    token = llum.run("admin", "token", "bob", "--app", "asker").strip()
    done = run(llum, token, "bob", "Diary", "--log", "tea")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("asker: permission_denied: ")
    llum.run("browse", "bob", "-c", "setperm asker Diary --ask --tell --resolvers count")
    assert run(llum, token, "bob", "Diary", "--log", "tea", "--log", "tea").stdout.startswith("tea  2  ███")
    done = run(llum, token, "bob", "Diary", "--resolver", "mean")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("asker: permission_denied: ")


def run(llum: Llum, token: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *arguments]
    environment = llum.environment | {"ASKER_TOKEN": token}
    return subprocess.run(
        command, cwd=llum.folder, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
