"""A backup of a running llum, restored elsewhere: what was told before it is there, and life goes on."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bus.nats_process import find_binary
from tests.ports import free_port
from tests.system.harness import Llum, until
from tests.system.plain_bus import PlainBus
from tests.system.plain_http import PlainHttp
from tests.waiting import DEADLINE_S


def values(llum: Llum, user: str = "alice") -> list[Any]:
    reply = json.loads(llum.run("ask", user, "Personal", "--evidence", "--json"))
    (found,) = (one for one in reply["components"] if one["path"][-1] == "firstname")
    return [piece["value"] for piece in found["evidence"]]


def tell(llum: Llum, value: str, user: str = "alice") -> None:
    llum.run("tell", user, "Personal/firstname", json.dumps(value))


@contextmanager
def telling(llum: Llum, user: str) -> Iterator[None]:
    """Have somebody tell all the while."""
    enough = threading.Event()

    def go_on() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            tell(llum, f"meanwhile {number}", user)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def status_by_token(llum: Llum, token: str) -> int:
    """Ask over HTTP as an app that has had its token since before the backup; give the status."""
    http = PlainHttp(llum.http, token)
    status, _ = http.call("ask", {"modelname": "-", "context": ["Personal"], "view": ["firstname"]})
    http.close()
    return status


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Llum]:
    """Another installation, not started."""
    folder = tmp_path / "other"
    folder.mkdir()
    llum = Llum(folder)
    yield llum
    llum.clean_up()


def test_a_backup_is_restored_and_serves(llum: Llum, other: Llum, tmp_path: Path) -> None:
    """Made while somebody tells. What was told later is not in it; tokens are; new tells come behind the old ones."""
    folder = str(tmp_path / "backup")
    for user in ("alice", "bob"):
        llum.run("admin", "person", "add", user, "--first-name", "A")
    token = llum.run("admin", "token", "alice", "--app", "phone", "--owner")
    tell(llum, "before")
    with telling(llum, "bob"):
        said = llum.run("admin", "backup", folder)
    assert said.endswith("read back")
    tell(llum, "after")
    at_least = values(llum, "bob")

    other.run("admin", "restore", folder)
    other.start()
    assert values(other) == ["A", "before"]
    healthy = "nothing is lost, all partitions answer"
    until(lambda: healthy in other.command("doctor").stdout, "the doctor finds nothing")
    bobs = values(other, "bob")
    assert bobs == at_least[: len(bobs)], "what was told meanwhile is there up to one moment"
    assert status_by_token(other, token) == 200
    tell(other, "again")
    assert values(other) == ["A", "before", "again"]
    other.stop()
    other.start()
    assert values(other) == ["A", "before", "again"]


def test_what_is_no_whole_backup_is_not_restored(llum: Llum, other: Llum, tmp_path: Path) -> None:
    """A changed byte, a missing file, another folder, a data folder with a log: one line says so; nothing is made."""
    folder = tmp_path / "backup"
    llum.run("admin", "person", "add", "alice")
    llum.run("admin", "backup", str(folder))
    again = llum.command("admin", "backup", str(folder))
    assert (again.returncode, "there already" in again.stderr) == (1, True)
    into_itself = llum.command("admin", "restore", str(folder))
    assert (into_itself.returncode, "already" in into_itself.stderr) == (1, True)

    copy = folder / "streams" / "LLUM_LOG_0"
    content = copy.read_bytes()
    copy.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    changed = other.command("admin", "restore", str(folder))
    assert (changed.returncode, "has changed" in changed.stderr) == (1, True)
    copy.unlink()
    missing = other.command("admin", "restore", str(folder))
    assert (missing.returncode, "cannot read" in missing.stderr) == (1, True)
    none = other.command("admin", "restore", str(tmp_path))
    assert (none.returncode, "is no backup" in none.stderr) == (1, True)
    assert not (other.data_dir / "nats").exists()


def test_a_backup_is_for_its_owner_alone(llum: Llum, tmp_path: Path) -> None:
    """It has everything of everybody, secrets too, but not llum's own credentials. Nothing is left beside it."""
    llum.run("admin", "backup", str(tmp_path / "place" / "backup"))
    (folder,) = (tmp_path / "place").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    manifest = json.loads((folder / "manifest.json").read_bytes())
    names = {stream["name"] for stream in manifest["streams"]}
    buckets = {"KV_LLUM_INSTALLATION", "KV_LLUM_TOKENS", "KV_LLUM_APP_PASSWORDS", "KV_LLUM_SESSIONS"}
    assert buckets | {"LLUM_LOG_7"} <= names
    assert manifest["partitions"] == 64
    assert list(manifest["files"]) == ["format"]


def test_a_store_that_is_away_is_told_before_anything_is_made(llum: Llum) -> None:
    """And nobody who is forgotten is told later that a backup there does not know."""
    mistyped = llum.command("admin", "backup", "nats://127.0.0.1:1/store/name")
    assert (mistyped.returncode, "is away" in mistyped.stderr) == (1, True)
    llum.run("admin", "person", "add", "alice")
    assert "NOT TOLD" not in llum.run("admin", "person", "forget", "alice", "--yes")


def test_a_log_with_losses_is_backed_up_and_says_so(installation: Llum, other: Llum, tmp_path: Path) -> None:
    """Two flipped bytes in a file of the log: what is left is saved, and neither backup nor restore hides the loss."""
    folder = str(tmp_path / "backup")
    installation.start()
    installation.run("admin", "person", "add", "alice", "--first-name", "A")
    for value in ("lost", "kept"):
        tell(installation, value)
    installation.stop()
    flip_bytes_of(installation.data_dir, b'"lost"')
    installation.start()
    found = installation.command("doctor", "--json")
    diagnosis = json.loads(found.stdout)
    assert (found.returncode, diagnosis["healthy"]) == (1, False)
    assert [stream["lost"] for stream in diagnosis["streams"] if stream["lost"]] == [[[3, 3]]]
    said = installation.run("admin", "backup", folder)
    assert "BUT the log had lost commands before the backup was made: LLUM_LOG_" in said
    assert "1 commands: 3" in said
    assert "BUT the log had lost commands" in other.run("admin", "restore", folder)
    other.start()
    assert values(other) == ["A", "kept"]


def flip_bytes_of(data_dir: Path, text: bytes) -> None:
    """Damage the one message of the log that has a text."""
    for path in data_dir.rglob("LLUM_LOG_*/msgs/*.blk"):
        content = path.read_bytes()
        at = content.find(text)
        if at >= 0:
            with path.open("r+b") as file:
                file.seek(at)
                file.write(bytes(byte ^ 0xFF for byte in content[at : at + 2]))
            return
    raise AssertionError(f"no message has {text!r}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[str]:
    """The address of an object store on a nats-server that knows nothing of llum."""
    port = free_port()
    options = ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "store")]
    server = subprocess.Popen([find_binary(), *options], stderr=subprocess.DEVNULL)
    until(lambda: is_open(port), "the nats-server of the store serves")
    yield f"nats://127.0.0.1:{port}/backups"
    server.terminate()
    server.wait(DEADLINE_S)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_backup_in_an_object_store_is_restored_and_serves(llum: Llum, other: Llum, store: str) -> None:
    """Whole, and not where it is damaged, or is another's; and no folder is left behind."""
    llum.run("admin", "person", "add", "alice", "--first-name", "A")
    tell(llum, "before")
    assert llum.run("admin", "backup", f"{store}/monday").endswith("read back")
    assert "is there already" in llum.command("admin", "backup", f"{store}/monday").stderr
    missing = other.command("admin", "restore", f"{store}/tuesday")
    assert (missing.returncode, "There are: monday" in missing.stderr) == (1, True)

    said = other.run("admin", "restore", f"{store}/monday")
    assert "restored" in said
    other.start()
    assert values(other) == ["A", "before"]
    other.stop()
    assert not [*llum.data_dir.glob(".llum-backup*"), *other.data_dir.parent.glob(".llum-backup*")]

    async with PlainBus.connect(store.rpartition("/")[0]) as bus:
        await bus.nc.jetstream().publish("$O.backups.C.monday:manifest%2Ejson", b"more")
    shutil.rmtree(other.data_dir)
    damaged = other.command("admin", "restore", f"{store}/monday")
    assert (damaged.returncode, "longer than what was written" in damaged.stderr) == (1, True)
    assert not (other.data_dir / "nats").exists()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://127.0.0.1/store/name", "no place in an object store"),
        ("nats://127.0.0.1:4222/store", "no place in an object store"),
        ("nats://127.0.0.1:4222/store/na.me", "cannot have that name"),
        ("nats://127.0.0.1:4222/LLUM_SNAPSHOTS/name", "llum's own"),
        ("nats://alice:secret@127.0.0.1:1/store/name", "is away"),
    ],
)
def test_a_place_that_is_none_is_refused(other: Llum, place: str, why: str) -> None:
    """One line says why, without the password."""
    done = other.command("admin", "restore", place)
    assert done.returncode == 1
    assert why in done.stderr
    assert "secret" not in done.stderr
