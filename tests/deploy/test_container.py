"""The container file: what a linter says, that it copies what there is, and that it runs what can be typed."""

import json
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.deploy.tools import DEPLOY, assert_typed_well
from tests.end_to_end.test_wheel import uv

ROOT = DEPLOY.parent
FILE = DEPLOY / "container" / "Containerfile"
ANSWERS = DEPLOY / "container" / "answers.py"


def instructions(name: str) -> list[str]:
    """Give what follows each instruction of this name, with continued lines joined."""
    lines = FILE.read_text().replace("\\\n", " ").splitlines()
    return [line.strip().removeprefix(name).strip() for line in lines if line.strip().startswith(f"{name} ")]


def copied() -> list[tuple[str, str]]:
    """Give what is copied out of the repository, and where to, below the folder of the build."""
    found = [shlex.split(line) for line in instructions("COPY")]
    ours = [[word for word in words if not word.startswith("--")] for words in found if "--from=build" not in words]
    return [(source, words[-1]) for words in ours for source in words[:-1]]


def test_hadolint_has_nothing_to_say() -> None:
    """Of what it knows about container files."""
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_what_is_copied_is_there_and_is_sent() -> None:
    """The file beside it says what is sent to whoever builds."""
    sent = {line[1:] for line in (DEPLOY / "container" / "Containerfile.dockerignore").read_text().splitlines()}
    sources = {source for source, _ in copied()}
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert sources <= sent
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) <= sources


@pytest.mark.long
def test_what_is_copied_is_all_that_a_build_needs(tmp_path: Path) -> None:
    """A wheel is built of it alone, and has every module that one of the whole clone has."""
    for source, target in copied():
        if not target.startswith("/"):
            place = tmp_path / "src" / target / (source if target == "./" else "")
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            place.parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / source, place)
    for folder in (ROOT, tmp_path / "src"):
        uv("build", "--wheel", "--quiet", "--out-dir", str(tmp_path / folder.name), str(folder))
    whole, part = [zipfile.ZipFile(next((tmp_path / name).glob("*.whl"))) for name in (ROOT.name, "src")]
    assert set(part.namelist()) == set(whole.namelist())


def test_it_runs_as_nobody_in_particular_what_can_be_typed() -> None:
    """A number for the user, as Kubernetes wants to see; nothing is fetched in the second stage."""
    (entry,), (command,) = ([json.loads(line) for line in instructions(name)] for name in ("ENTRYPOINT", "CMD"))
    assert_typed_well([*entry, *command])
    assert instructions("USER") == ["10001:10001"]
    last_stage = FILE.read_text().rpartition("\nFROM ")[2]
    assert not any(word in last_stage for word in ("apt-get", "pip ", "curl", "wget", "uv "))


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_says_by_its_exit_code_what_an_address_answers(status: int, code: int) -> None:
    """With what was answered, for whoever looks into the health of a container."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"because of tests")

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/ready"
        said = subprocess.run([sys.executable, ANSWERS, address], capture_output=True, text=True, check=False)
        thread.join()
    assert said.returncode == code
    assert ("because of tests" in said.stdout) == (status != 200)
    nobody = subprocess.run([sys.executable, ANSWERS, address], capture_output=True, text=True, check=False)
    assert nobody.returncode == 1
