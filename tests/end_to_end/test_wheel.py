"""The wheel, as somebody installs it who has no clone: built, put into an empty environment, started.

Goal: what a clone has and the wheel lacks (a file of data, a dependency that only the tests name) is noticed here.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Llum

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.long

INSTALL_DEADLINE_S = 300.0
"""Seconds for what may have to fetch packages."""


def uv(*arguments: str) -> str:
    """Run uv in the clone: the one on the path, or the one that `make setup` has brought. Give what it prints."""
    program = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    ran = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=INSTALL_DEADLINE_S,
        check=False,
    )
    assert ran.returncode == 0, f"uv {' '.join(arguments)}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this clone."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--quiet", "--out-dir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and the locked dependencies, and nothing else."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    locked = environment.parent / "requirements.txt"
    locked.write_text(uv("export", "--frozen", "--no-dev", "--no-emit-project", "--quiet"))
    uv("venv", "--quiet", "--python", sys.executable, str(environment))
    interpreter = environment / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", str(interpreter), "--requirements", str(locked))
    uv("pip", "install", "--quiet", "--python", str(interpreter), "--no-deps", str(wheel))
    return interpreter


class InstalledLlum(Llum):
    """`llum` by the script that the wheel has installed, in a folder without a clone."""

    def __init__(self, folder: Path, python: Path) -> None:
        super().__init__(folder)
        self.program = (str(python.with_name("llum")),)


@pytest.fixture
def installed(python: Path, tmp_path: Path) -> Iterator[InstalledLlum]:
    llum = InstalledLlum(tmp_path / "llum", python)
    yield llum
    llum.clean_up()


def test_llum_runs_from_the_wheel(installed: InstalledLlum) -> None:
    """Start it, tell, ask, over HTTP too, and stop it."""
    installed.start()
    installed.cli("admin", "person", "add", "alice", "--first-name", "Alice")
    installed.cli("tell", "alice", "Personal/firstname", '"Al"')
    assert installed.cli("ask", "alice", "Personal/firstname").stdout.strip() == '"Al"'
    assert installed.get_status("/ready") == 200
    installed.stop()


def test_the_wheel_holds_what_is_installed_and_no_more(wheel: Path) -> None:
    """The packages of the server, the licence; no tests, no measurements."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packages = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert packages == {"llum", "edge_http", "sensors", "actors", "identity", "bus", "model", "schemas", "log_llum"}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
