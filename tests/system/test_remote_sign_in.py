"""Somebody who is not the operator signs their command line in, on what is another machine to llum."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.edge_http.consent.asking import fields_of
from tests.system.consenting_person import Shown
from tests.system.harness import Llum, until
from tests.system.test_sessions import PlainBrowser
from tests.waiting import DEADLINE_S

PASSWORD = "staple battery correct"


class Person(PlainBrowser):
    """Opens pages, and sends their forms."""

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
        """Send it by the name that this llum has for itself, as a browser does that has been led there."""
        host = urlsplit(self._llum.http).netloc.replace("127.0.0.1", "localhost")
        return super().send(method, path, body, **{"Host": host, "Origin": f"http://{host}", **headers})

    def fill_in(self, page: str, path: str, /, **fields: str | list[str]) -> str:
        """Send a form of a page, and give where that leads, or the next page."""
        found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
        assert found, page
        hidden = re.search(r'name="request"[^>]* value="([^"]+)"', page)
        fields = ({"request": hidden[1]} if hidden else {}) | fields
        body = urlencode({"csrf_token": found[1], **fields}, doseq=True).encode()
        kind = "application/x-www-form-urlencoded"
        status, text = self.send("POST", path, body, **{"Content-Type": kind, "Sec-Fetch-Site": "same-origin"})
        assert status in (200, 303), text
        return self.location if status == 303 else text

    def open(self, path: str) -> str:
        status, text = self.send("GET", path)
        assert status == 200, f"{path}: {status} {text}"
        return text

    def sign_up(self, user: str, link: str) -> None:
        page = self.fill_in(self.open(f"/sign-up?link={link}"), "/sign-up", user=user, link=link)
        self.fill_in(page, "/sign-up", user=user, link=link, way="password", password=PASSWORD)


class Laptop:
    """Another machine: of the llum it knows nothing but what it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LLUM_")}
        ours = {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "COLUMNS": "80",
            "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22",
        }
        self.environment = kept | ours | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command."""
        return self.start_python("-m", "llum", *arguments)

    def start_python(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a program; what it tells its person is in `said`."""
        said = (self.folder / "said").open("w")
        command = [sys.executable, *arguments]
        with said:
            return subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stderr=said, stdout=subprocess.PIPE, text=True
            )

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; give its status, and all that it says."""
        done = subprocess.run(
            [sys.executable, "-m", "llum", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def allow(alice: Person, laptop: Laptop) -> None:
    """Type the code that the laptop shows, see that it is one's own, and let it have what it asks for."""
    shown = until(lambda: re.search(r"^  ([B-Z]{4}-[B-Z]{4})$", laptop.said, re.MULTILINE), "a code is shown")
    page = alice.fill_in(alice.open("/device"), "/device", user_code=shown[1])
    assert "Is this your device?" in page
    consent = alice.fill_in(page, "/device/confirm", user_code=shown[1], answer="yes")
    page = alice.open(consent)
    assert alice.fill_in(page, "/allow", **fields_of(Shown(consent, page))) == "/device?done=allowed"


def test_a_command_line_speaks_for_its_person_without_the_operators_credentials(llum: Llum) -> None:
    """Until they take it back: then it says so, and what to do."""
    link = until(lambda: re.search(r"/sign-up\?link=(\S+)", llum.output.read_text()), "the first link")
    alice, laptop = Person(llum), Laptop(llum.folder / "laptop")
    alice.sign_up("alice", link[1])
    signing_in = laptop.start("sign-in", "alice", "--at", llum.http)
    allow(alice, laptop)
    own = llum.http.replace("127.0.0.1", "localhost")
    printed, _ = signing_in.communicate(timeout=DEADLINE_S)
    assert printed == f"this command line speaks for alice at {own} now\n", laptop.said
    assert laptop.run("tell", "alice", "Personal/firstname", '"Ada"')[0] == 0
    status, answer = laptop.run("ask", "alice", "Personal/firstname")
    assert (status, "Ada" in answer) == (0, True), answer
    (kept,) = (laptop.folder / "config" / "llum" / "programs").glob("*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    page = alice.open("/list_apps")
    alice.fill_in(page, "/list_apps_save", id="revoke", value="llum-cli")
    status, refused = laptop.run("ask", "alice", "Personal/firstname")
    assert status == 1, refused
    assert "the sign-in as alice" in refused
    assert "has ended" in refused
    assert f"llum sign-in alice --at {own}" in refused


PROGRAM = """
import asyncio, sys, time
import llum

async def main():
    signed_in = await llum.sign_in(sys.argv[1], "llum-cli", scope="owner", how="device")
    first = await signed_in.token()
    expires, told = signed_in.shown().expires, 0
    async with signed_in.connect(patience_s=None) as client:
        while time.time() < expires + 2:
            await client.tell("alice", "Personal/firstname", f"Ada {told}")
            told += 1
            await asyncio.sleep(0.2)
        answer = await client.ask("alice", "Personal/firstname")
        print(answer.value == f"Ada {told - 1}", await signed_in.token() != first, flush=True)
    await signed_in.sign_out()

asyncio.run(main())
"""


@pytest.mark.long
def test_a_running_program_loses_nothing_when_its_token_is_replaced(
    llum: Llum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells on beyond the end of its first token, over one connection; then it signs out."""
    monkeypatch.setattr(Llum, "environment", llum.environment | {"LLUM_ACCESS_TOKEN_MINUTES": "1"})
    llum.stop()
    llum.start()
    link = until(lambda: re.findall(r"/sign-up\?link=(\S+)", llum.output.read_text()), "the first link")
    alice, laptop = Person(llum), Laptop(llum.folder / "laptop")
    alice.sign_up("alice", link[-1])
    (laptop.folder / "program.py").write_text(PROGRAM)
    running = laptop.start_python("program.py", llum.http)
    allow(alice, laptop)
    printed, _ = running.communicate(timeout=DEADLINE_S)
    assert printed.splitlines()[-1:] == ["True True"], printed + laptop.said
    assert list((laptop.folder / "config" / "llum" / "programs").glob("*.json")) == []
