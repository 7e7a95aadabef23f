"""`llum status` without a running llum, and what it shows and works out."""

import os
from pathlib import Path

import msgspec
import pytest

from bus import credentials
from bus.aside import KEPT_S, Aside
from llum.cli.render import moment
from llum.cli.status_screen import screen, size
from llum.failures import Fault
from llum.settings import Settings
from llum.status.looking import look
from llum.status.standing import DAY_S, Log, RunningProcess, Shards, Standing, WorkerStanding, with_rates
from tests.nats_server import installed_server

NOW = 1_790_000_000.0
STANDING = Standing(
    running=True,
    ready=True,
    http="http://127.0.0.1:8080",
    nats="nats://127.0.0.1:4222",
    processes=[RunningProcess("supervisor", 4711, 33_000_000), RunningProcess("nats-server", 4713, 25_400_000)],
    people=12_345,
    data_dir="/var/lib/llum",
    log=Log(bytes=3_000_000_000, messages=2_000_000, oldest=NOW - 10 * DAY_S),
    shards=Shards(files=64, bytes=1_000_000_000),
    free_bytes=40_000_000_000,
)


def folder_with_log(path: Path, made: float) -> None:
    """Lay out a data folder as llum leaves it."""
    stream = path / "nats/jetstream/$G/streams/LLUM_LOG_0"
    (stream / "msgs").mkdir(parents=True)
    (stream / "msgs/1.blk").write_bytes(b"x" * 5000)
    (stream / "meta.inf").write_bytes(b"{}")
    os.utime(stream / "meta.inf", (made, made))
    (path / "shards").mkdir()
    (path / "shards/3.db").write_bytes(b"x" * 700)
    (path / "shards/3.db-wal").write_bytes(b"x" * 50)


def test_growth_and_days_follow_from_sizes_and_age() -> None:
    """4 GB in ten days: 0.4 GB a day, and 40 GB last for a hundred days; a million commands take half of it."""
    told = with_rates(STANDING, NOW)
    assert (told.bytes_per_day, told.days_left) == (4e8, 100.0)
    assert (told.log_bytes_per_million, told.shard_bytes_per_million) == (1_500_000_000, 500_000_000)


def test_what_lies_elsewhere_does_not_fill_this_disk() -> None:
    """A log on another machine counts for a million commands, but not for the growth of this folder."""
    away = msgspec.structs.replace(STANDING, log=msgspec.structs.replace(STANDING.log, elsewhere=True))
    told = with_rates(away, NOW)
    assert told.bytes_per_day == 1e8
    assert told.log_bytes_per_million == 1_500_000_000


@pytest.mark.parametrize(
    "log", [Log(bytes=9000, messages=3, oldest=NOW - 60), Log(bytes=0), Log(bytes=9000, messages=0, oldest=None)]
)
def test_a_young_log_tells_no_rates(log: Log) -> None:
    """Nothing is said that a few commands or minutes would make up."""
    told = with_rates(msgspec.structs.replace(STANDING, log=log), NOW)
    assert told.bytes_per_day is None
    assert told.days_left is None
    assert told.log_bytes_per_million is None
    assert "not known yet" in screen(told, 80)


@pytest.mark.parametrize("width", [40, 80])
def test_the_screen_fits_and_breaks_no_word(width: int) -> None:
    """No line is wider than the terminal, and every word of the wide form is whole in the narrow one."""
    told = with_rates(STANDING, NOW)
    text = screen(told, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.split() == screen(told, 1000).split()
    assert len(text.splitlines()) <= 24


def test_the_screen_says_what_an_operator_asks() -> None:
    """What runs, what is stored, how fast it grows, how long the disk lasts, and that the log keeps everything."""
    text = " ".join(screen(with_rates(STANDING, NOW), 80).split())
    for part in (
        "llum ready",
        "supervisor pid 4711, 33.0 MB",
        "people 12,345",
        "log 3.0 GB, 2,000,000 commands, 1.5 GB per million",
        "shards 1.0 GB, 64 files, 500 MB per million",
        "disk 40.0 GB free",
        "growth 400 MB a day, full in about 100 days",
        "The log keeps every command",
    ):
        assert part in text
    assert "Make room" not in text


def test_the_screen_says_which_level_partitions_have_and_who_does_not_know_it() -> None:
    """With what to do, where an upgrade has not ended or a worker is of an earlier version."""
    assert "level 1 " in " ".join(screen(msgspec.structs.replace(STANDING, levels={1: 64}), 80).split())
    old = WorkerStanding("3f2a", "host-1", "0.9", 0, False, newest_level=1, stopped=40)
    told = msgspec.structs.replace(STANDING, levels={1: 24, 2: 40}, workers=[old])
    text = " ".join(screen(told, 80).split())
    assert "level 1 in 24 partitions, 2 in 40 partitions: `llum admin upgrade` raises all" in text
    assert "knows levels up to 1 and has stopped 40: start a later llum there" in text


def test_a_disk_that_is_soon_full_is_a_warning() -> None:
    """With what to do about it."""
    text = screen(with_rates(msgspec.structs.replace(STANDING, free_bytes=2_000_000_000), NOW), 80)
    assert "full in about 5 days" in text
    assert "Make room" in text


async def test_a_folder_on_which_nothing_runs_is_told_from_its_files(tmp_path: Path) -> None:
    """Sizes and the age of the log; what only a running llum knows is null, and the way on is said."""
    folder_with_log(tmp_path, made=NOW)
    told = await look(Settings(data_dir=tmp_path))
    assert (told.running, told.ready, told.people, told.log.messages) == (False, False, None, None)
    assert told.log.bytes == 5002
    assert told.log.oldest == NOW
    assert told.shards == Shards(files=1, bytes=750)
    assert told.free_bytes > 0
    assert "llum up" in told.reasons[0]
    assert screen(told, 80).startswith("llum    not running\n")


async def test_a_new_folder_has_nothing_yet(tmp_path: Path) -> None:
    """No log and no shards are no error."""
    told = await look(Settings(data_dir=tmp_path))
    assert (told.log, told.shards) == (Log(bytes=0), Shards(files=0, bytes=0))


async def test_no_folder_is_said_with_the_way_on(tmp_path: Path) -> None:
    """One line, with what to type."""
    with pytest.raises(Fault, match="there is no data folder") as raised:
        await look(Settings(data_dir=tmp_path / "none"))
    assert "llum up" in (raised.value.error.hint or "")


async def test_it_is_seen_from_a_machine_without_a_data_folder(tmp_path: Path) -> None:
    """Where only the nats-server and the credentials are named. It has as many partitions as were installed."""
    async with installed_server(tmp_path / "server", 4, 2) as server:
        credentials_file = tmp_path / "server" / credentials.FILE
        settings = Settings(data_dir=tmp_path / "none", nats_url=server.url, credentials=credentials_file)
        told = await look(settings)
    assert told.reasons == ["4 of 4 partitions have no worker"]
    assert (told.data_dir, told.free_bytes, told.log.messages) == (None, None, 0)
    assert {"folder  none on this machine"} <= set(screen(told, 80).splitlines())


async def test_a_nats_server_that_does_not_answer_is_a_reason(tmp_path: Path) -> None:
    """What the files tell is told all the same."""
    folder_with_log(tmp_path, made=NOW)
    credentials.ensure(tmp_path)
    told = await look(Settings(data_dir=tmp_path, nats_url="nats://127.0.0.1:1"))
    assert not told.ready
    assert "no nats-server answers" in told.reasons[0]
    assert told.log.bytes == 5002


async def test_credentials_that_are_not_there_are_a_reason(tmp_path: Path) -> None:
    """With the way on; the rest is told."""
    folder_with_log(tmp_path, made=NOW)
    told = await look(Settings(data_dir=tmp_path, nats_url="nats://127.0.0.1:1"))
    assert not told.ready
    assert "llum's own credentials are not here" in told.reasons[0]
    assert "LLUM_CREDENTIALS" in told.reasons[0]
    assert told.log.bytes == 5002


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_500, "100 kB"),
        (999_600, "1.0 MB"),
        (81_720_840_192, "81.7 GB"),
    ],
)
def test_sizes_are_written_with_three_digits(count: int, written: str) -> None:
    """In units of a thousand."""
    assert size(count) == written


def test_what_is_set_aside_is_listed() -> None:
    """Which shard, why, since when, and when it is deleted."""
    aside = Aside(7, "damaged", NOW, 3_000_000, "/var/lib/llum/shards/aside/7.x.damaged.db")
    shards = msgspec.structs.replace(STANDING.shards, aside=[aside])
    text = " ".join(screen(msgspec.structs.replace(STANDING, shards=shards), 200).split())
    assert f"shard 7 was damaged, 3.0 MB, since {moment(NOW)}; deleted at {moment(NOW + KEPT_S)}: {aside.path}" in text
