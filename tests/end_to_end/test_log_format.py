"""An llum meets data that it cannot read, or none where some should be: it says so, and touches nothing."""

import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.credentials import FILE
from bus.embedded import EmbeddedServer
from bus.log_format import LOG_FORMAT
from tests.end_to_end.conftest import Llum
from tests.end_to_end.test_supervisor import assert_one_clear_line, up
from tests.nats_server import running_server

DATA = Path(__file__).parent / "data"


@pytest.fixture
def folder_of_format_1(tmp_path: Path) -> Path:
    with tarfile.open(DATA / "log_format_1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "data"
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)  # else llum closes it to other users first, and says so
    return folder


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """An external nats-server with llum's mappings, on which llum is not installed."""
    async with running_server(tmp_path / "external") as running:
        yield running


def log_and_shards(folder: Path) -> dict[str, bytes]:
    files = [path for name in ("nats", "shards") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_data_folder_of_format_1_is_refused_and_left_as_it_is(folder_of_format_1: Path) -> None:
    """One line names the format, the folder and the way on."""
    before = log_and_shards(folder_of_format_1)
    ended = up(folder_of_format_1)
    assert_one_clear_line(ended, f"{folder_of_format_1} holds a log of format 1, this llum needs format {LOG_FORMAT}")
    assert "llum admin person export" in ended.stderr
    assert log_and_shards(folder_of_format_1) == before


def test_a_data_folder_without_accounts_is_refused_and_left_as_it_is(folder_of_format_1: Path) -> None:
    """Format 4 was the last one. Its streams are in no account, so that llum would not see them."""
    (folder_of_format_1 / "format").write_text("4\n")
    (folder_of_format_1 / "format").chmod(0o600)
    before = log_and_shards(folder_of_format_1)
    ended = up(folder_of_format_1)
    assert_one_clear_line(ended, f"{folder_of_format_1} holds a log of format 4, this llum needs format 6")
    assert "llum admin person export" in ended.stderr
    assert log_and_shards(folder_of_format_1) == before


def test_what_the_llum_of_format_1_has_exported_can_be_imported(shared_llum: Llum) -> None:
    """That is the way on which the refusal names."""
    shared_llum.cli("admin", "person", "import", "alice", str(DATA / "alice_of_format_1.jsonl"))
    assert shared_llum.cli("ask", "alice", "Personal/firstname").stdout == '"Al"\n'


@pytest.mark.parametrize("command", ["up", "worker", "edge"])
def test_a_start_on_a_server_without_an_installation_is_refused(
    tmp_path: Path, server: EmbeddedServer, command: str
) -> None:
    """Never an empty llum without a word. The command that installs is named."""
    ended = Llum(tmp_path / "llum", LLUM_NATS_URL=server.url_as("operator")).cli(command, check=False)
    assert_one_clear_line(ended, "llum is not installed on this nats-server", "llum admin install")


def test_installing_makes_it_once_and_then_llum_starts(tmp_path: Path, server: EmbeddedServer) -> None:
    """It says what it made; the second time it says that llum is there already."""
    llum = Llum(tmp_path / "llum", LLUM_NATS_URL=server.url, LLUM_CREDENTIALS=str(tmp_path / "external" / FILE))
    first = llum.cli("admin", "install").stdout
    assert f"llum is installed on {server.url}: 64 partitions in 8 log streams, log format {LOG_FORMAT}" in first
    assert "LLUM_LOG_7" in first
    assert f"llum is there already on {server.url}: 64 partitions" in llum.cli("admin", "install").stdout
    try:
        llum.start()
        llum.cli("admin", "person", "add", "alice", "--first-name", "Alice")
        assert llum.cli("ask", "alice", "Personal/firstname").stdout == '"Alice"\n'
        llum.stop()
    finally:
        llum.clean_up()


def test_installing_needs_the_address_of_a_server(tmp_path: Path) -> None:
    """`llum up` without one installs by itself; nothing is guessed."""
    ended = Llum(tmp_path / "llum").cli("admin", "install", check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "LLUM_NATS_URL" in ended.stderr
