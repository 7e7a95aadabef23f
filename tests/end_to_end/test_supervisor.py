"""`llum up`: one on a folder, clear lines for what cannot be, restarts, draining, no orphans."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.conftest import Llum
from tests.ports import free_port
from tests.system.harness import until
from tests.waiting import DEADLINE_S

MakeLlum = Callable[..., Llum]


def up(folder: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `llum up` that is expected to end by itself."""
    command = [sys.executable, "-m", "llum", "up", "--data-dir", str(folder), *options]
    environment = Llum(folder.parent).environment | settings
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S)


def assert_one_clear_line(ran: subprocess.CompletedProcess[str], *told: str) -> None:
    assert ran.returncode == 1, ran.stderr
    assert ran.stdout == ""
    assert ran.stderr.startswith("llum: ")
    assert ran.stderr.count("\n") == 1, ran.stderr
    for text in told:
        assert text in ran.stderr


def test_second_up_on_the_same_data_names_the_first(llum_up: Llum) -> None:
    """And leaves the first alone."""
    assert_one_clear_line(up(llum_up.data_dir), f"pid {llum_up.ready['pid']}", "--data-dir")
    assert llum_up.cli("admin", "person", "list").returncode == 0


@pytest.mark.parametrize("port", ["--http-port", "--nats-port"])
def test_taken_port_is_named_with_the_way_out(tmp_path: Path, port: str) -> None:
    """Which port, and the setting that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        ran = up(tmp_path / "data", port, number)
    assert_one_clear_line(ran, number, port.removeprefix("--").replace("-", "_").upper())


def test_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    """A file in its place: modes do not stop root."""
    (tmp_path / "data").write_text("")
    assert_one_clear_line(up(tmp_path / "data"), str(tmp_path / "data"), "--data-dir")


def test_external_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """The address, and the variable."""
    number = free_port()
    ran = up(tmp_path / "data", LLUM_NATS_URL=f"nats://127.0.0.1:{number}")
    assert_one_clear_line(ran, f"nats://127.0.0.1:{number}", "LLUM_NATS_URL")


def test_external_server_that_is_too_old_is_named(tmp_path: Path) -> None:
    """Its version, and the one that is needed."""
    script = Path(__file__).with_name("old_nats_server.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as old:
        assert old.stdout is not None
        url = old.stdout.readline().strip()
        try:
            with_login = url.replace("://", "://me:secret@")
            assert_one_clear_line(up(tmp_path / "data", LLUM_NATS_URL=with_login), "2.9.25", "2.14")
        finally:
            old.kill()


def test_number_of_partitions_cannot_be_changed(llum_up: Llum) -> None:
    """Both numbers are named."""
    llum_up.stop()
    assert_one_clear_line(up(llum_up.data_dir, LLUM_PARTITIONS="32"), "64", "32", "LLUM_PARTITIONS")


def test_external_server_is_used_and_left_running(llum_up: Llum, make_llum: MakeLlum) -> None:
    """With LLUM_NATS_URL no server is started; here the one of another llum, whose worker does the work for both."""
    second = make_llum("second", LLUM_NATS_URL=llum_up.nats)
    assert second.child("nats-server") is None
    second.cli("admin", "person", "add", "alice", "--first-name", "Alice")
    assert llum_up.cli("ask", "alice", "Personal/firstname").stdout == '"Alice"\n'
    second.stop()
    assert llum_up.cli("ask", "alice", "Personal/firstname").stdout == '"Alice"\n'


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_drains_and_ends_with_0(llum_up: Llum, number: signal.Signals) -> None:
    """What was told is there after the next start, and no address is left behind."""
    llum_up.cli("admin", "person", "add", "alice", "--first-name", "Alice")
    children = llum_up.all_children()
    assert llum_up.signal(number).wait(DEADLINE_S) == 0
    assert not any(map(is_alive, children))
    assert not llum_up.ready_file.exists()
    assert not (llum_up.data_dir / "run.json").exists()
    assert "no llum is running" in llum_up.cli("ask", "alice", "Personal", check=False).stderr
    llum_up.start()
    assert llum_up.cli("ask", "alice", "Personal/firstname").stdout == '"Alice"\n'


def test_connections_that_stay_open_do_not_hold_up_the_end(llum_up: Llum) -> None:
    """A client that keeps its connection is cut off within the time to drain."""
    host, port = llum_up.http.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        with socket.create_connection((host, int(port))) as half:
            half.sendall(b"POST /tell HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            llum_up.stop()


def test_second_signal_kills(llum_up: Llum) -> None:
    """Whatever the first one waits for; nothing is left running."""
    children = llum_up.all_children()
    worker = llum_up.child("worker")
    assert worker is not None
    worker.suspend()
    llum_up.signal(signal.SIGINT)
    until(lambda: "stopping" in llum_up.printed(), "the first signal is heard")
    assert llum_up.signal(signal.SIGINT).wait(DEADLINE_S) == 130
    until(lambda: not any(map(is_alive, children)), "all children are gone")


@pytest.mark.parametrize("name", ["worker", "edge", "nats-server"])
def test_killed_child_is_started_again_and_reported(llum_up: Llum, name: str) -> None:
    """One line when it dies and one when it serves again; nothing acknowledged is lost, and everything works."""
    llum_up.cli("admin", "person", "add", "alice", "--first-name", "Alice")
    token = llum_up.cli("admin", "token", "alice", "--app", "probe", "--owner").stdout.strip()
    before = llum_up.child(name)
    assert before is not None
    before.kill()
    until(lambda: f"{name} serves again" in llum_up.printed(), f"{name} serves again")
    assert f"llum: {name} ended (killed by SIGKILL), starting it again\n" in llum_up.printed()
    assert llum_up.cli("ask", "alice", "Personal/firstname").stdout == '"Alice"\n'
    llum_up.cli("tell", "alice", "Personal/firstname", '"Al"')
    asked = llum_up.post("ask", token, context=["Personal"], view=["firstname"], resolver=None, showcontexts=False)
    assert asked["val"][0]["value"] == "Al"
    llum_up.stop()


def test_kill_of_the_supervisor_leaves_no_orphans_and_the_data_usable(llum_up: Llum) -> None:
    """Its children end with it, and the next `llum up` starts on the same data at once."""
    llum_up.cli("admin", "person", "add", "alice", "--first-name", "Alice")
    children = llum_up.all_children()
    assert len(children) == 3
    llum_up.signal(signal.SIGKILL).wait(DEADLINE_S)
    llum_up.start()
    until(lambda: not any(map(is_alive, children)), "all children are gone")
    assert llum_up.cli("ask", "alice", "Personal/firstname").stdout == '"Alice"\n'


def test_logs_go_to_files_and_the_terminal_stays_readable(llum_up: Llum) -> None:
    """On the terminal nothing but what `llum up` itself says."""
    llum_up.cli("admin", "person", "add", "alice")
    names = {path.name for path in (llum_up.data_dir / "log").iterdir()}
    assert {"worker.jsonl", "edge.jsonl", "supervisor.jsonl"} <= names
    assert '"event":"command"' in (llum_up.data_dir / "log" / "worker.jsonl").read_text()
    assert "command" not in llum_up.printed().replace("commands", "")


def test_logs_can_be_shown_too(make_llum: MakeLlum) -> None:
    """`--logs` adds them on stderr, and the files stay."""
    llum = make_llum("loud", "--logs", LLUM_LOG_FORMAT="json")
    llum.cli("admin", "person", "add", "alice")
    until(lambda: '"verb":"make_model"' in llum.printed(), "the command's line is shown")
    assert '"verb":"make_model"' in (llum.data_dir / "log" / "worker.jsonl").read_text()


def test_child_that_never_serves_ends_it_all_with_one_line(tmp_path: Path) -> None:
    """Here the shards' folder cannot be made."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "shards").touch(mode=0o600)
    assert_one_clear_line(up(tmp_path / "data"), "cannot use")


def test_a_shard_that_cannot_be_opened_ends_it_all(llum_up: Llum) -> None:
    """After some attempts; the file and the reason are named. Here a folder is in its place."""
    llum_up.stop()
    shard = llum_up.data_dir / "shards" / "3.db"
    shard.unlink(missing_ok=True)
    shard.mkdir()
    ran = up(llum_up.data_dir)
    assert ran.returncode == 1
    assert ran.stderr.startswith("llum: worker does not start: ")
    assert ran.stderr.count("\n") == 1
    assert f"{shard} cannot be opened: unable to open database file" in ran.stderr
    assert ran.stdout.count("starting it again") == 4


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for 100 kB. Skips where a test may not make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_nearly_full_disk_ends_it_all_with_one_line(small_disk: Path) -> None:
    """There is no room for the log's streams, or for what the worker writes: whoever comes second finds none."""
    ran = up(small_disk / "data")
    assert_one_clear_line(ran)
    assert "nats-server does not make stream" in ran.stderr or "No space left on device" in ran.stderr


def test_a_damaged_shard_is_made_anew(llum_up: Llum) -> None:
    """The log has the data: whoever asks finds all of it."""
    llum_up.cli("admin", "person", "add", "alice", "--first-name", "Alice")
    llum_up.stop()
    for shard in (llum_up.data_dir / "shards").glob("*.db"):
        shard.write_bytes(b"no database" * 1000)
    llum_up.start()
    assert llum_up.cli("ask", "alice", "Personal/firstname").stdout == '"Alice"\n'


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
