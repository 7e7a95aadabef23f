"""A checkout of llum: a folder, or a commit of this repository."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.failures import BenchError
from bench.processes import ROOT, environment


class Checkout(NamedTuple):
    """Where its code is, and the Python that runs it."""

    name: str
    root: Path
    python: str = sys.executable

    def llum(self, *arguments: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
        """Run a command of its `llum` to the end."""
        variables = environment(self.root, data_dir=data_dir)
        return _run([self.python, "-m", "llum", *arguments], data_dir, variables)


HERE = Checkout("here", ROOT)


@contextlib.contextmanager
def checkout(which: str) -> Iterator[Checkout]:
    """Give the checkout in a folder; or that of a commit, in a temporary folder and run by this Python."""
    folder = Path(which)
    if (folder / "llum").is_dir():
        own = folder.absolute() / ".venv" / "bin" / "python"
        yield _checked(Checkout(which, folder.absolute(), str(own) if own.exists() else sys.executable))
        return
    with tempfile.TemporaryDirectory(prefix="llum-bench-") as temporary:
        _extract(which, Path(temporary))
        yield _checked(Checkout(which, Path(temporary)))


def _extract(commit: str, folder: Path) -> None:
    archive = folder / "checkout.tar"
    packed = _run(["git", "archive", f"--output={archive}", commit], ROOT)
    if packed.returncode:
        raise BenchError(f"{commit} is neither a folder with llum in it nor a commit: {packed.stderr.strip()}")
    shutil.unpack_archive(archive, folder, filter="data")


def _checked(found: Checkout) -> Checkout:
    """See that its Python takes llum from its folder and from nowhere else."""
    program = "import llum; print(llum.__file__)"
    said = _run([found.python, "-P", "-c", program], found.root, environment(found.root))
    if not said.stdout.startswith(str(found.root)):
        raise BenchError(f"{found.python} does not run the llum of {found.root}: {said.stdout}{said.stderr}")
    return found


def _run(command: list[str], folder: Path, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    return subprocess.run(command, cwd=folder, env=variables, check=False, **quiet)  # noqa: S603 - our own words
