"""The spool keeps everything, in order, through any death of its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.codec import decode_command
from schemas.commands import RegisterApp
from sensors.errors import SensorError, SpoolFullError
from sensors.spool import Entry, Spool
from tests.waiting import DEADLINE_S


def entry(number: int) -> Entry:
    return Entry("alice", "probe", "tell", f"payload {number}".encode())


def payloads(spool: Spool) -> list[bytes]:
    return [it.payload for _, it in spool.oldest(1000)]


def test_entries_come_out_in_the_order_they_went_in(spool):
    for number in range(5):
        spool.append(entry(number))
    assert [it for _, it in spool.oldest(3)] == [entry(0), entry(1), entry(2)]
    assert len(spool) == 5


def test_only_the_front_is_removed(spool):
    spool.append(*map(entry, range(5)))
    number = spool.oldest(2)[-1][0]
    spool.remove_up_to(number)
    assert payloads(spool) == [b"payload 2", b"payload 3", b"payload 4"]
    assert len(spool) == 3


def test_numbers_go_on_after_the_spool_was_empty(spool):
    """A number is never used again, so that a removal cannot hit an entry that came later."""
    spool.append(entry(0))
    first = spool.oldest(1)[0][0]
    spool.remove_up_to(first)
    spool.append(entry(1))
    assert spool.oldest(1)[0][0] > first


def test_an_entry_is_the_encoded_command_with_its_id():
    made = Entry.of("alice", "llum", RegisterApp(id="one", app="probe"))
    assert made[:3] == ("alice", "llum", "register_app")
    assert decode_command(made.payload, made.verb) == RegisterApp(id="one", app="probe")


def test_a_closed_spool_opens_with_everything_in_it(tmp_path):
    with Spool(tmp_path, "it") as spool:
        spool.append(entry(1), entry(2))
    with Spool(tmp_path, "it") as spool:
        assert payloads(spool) == [b"payload 1", b"payload 2"]
        assert len(spool) == 2


def test_at_the_bound_new_entries_are_refused_and_old_ones_stay(tmp_path):
    with Spool(tmp_path, "it", max_entries=2) as spool:
        spool.append(entry(0))
        with pytest.raises(SpoolFullError):
            spool.append(entry(1), entry(2))
        spool.append(entry(3))
        assert payloads(spool) == [b"payload 0", b"payload 3"]


def test_a_second_process_is_told_that_the_spool_is_taken(tmp_path):
    program = "import sys; from pathlib import Path; from sensors.spool import Spool; Spool(Path(sys.argv[1]), 'it')"
    with Spool(tmp_path, "it"):
        second = subprocess.run(
            [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=DEADLINE_S
        )
    assert second.returncode != 0
    assert "another sensor is running" in second.stderr
    with Spool(tmp_path, "it"):
        pass


def test_two_sensors_have_their_spools_side_by_side(tmp_path):
    with Spool(tmp_path, "one"), Spool(tmp_path, "two") as other:
        assert len(other) == 0


def test_a_file_that_is_no_spool_is_a_clear_error(tmp_path):
    (tmp_path / "it.spool").write_bytes(b"not a database " * 100)
    with pytest.raises(SensorError, match="cannot be used"):
        Spool(tmp_path, "it")
    (tmp_path / "it.spool").unlink()
    with Spool(tmp_path, "it") as spool:
        assert len(spool) == 0


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SensorError, match="cannot be written"):
        Spool(tmp_path / "file" / "folder", "it")


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_nobody_else_can_read_a_spool(tmp_path):
    with Spool(tmp_path / "new", "it") as spool:
        spool.append(entry(0))
        assert {path.stat().st_mode & 0o077 for path in (tmp_path / "new").iterdir()} == {0}


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_spool_that_was_left_open_is_closed(tmp_path):
    """Its files alone: the folder and what else is in it may be another program's."""
    Spool(tmp_path, "it").close()
    others = tmp_path / "others.txt"
    others.write_text("")
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    with Spool(tmp_path, "it") as spool:
        spool.append(entry(0))
        assert {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077} == {"others.txt"}


APPENDS_FOR_EVER = """
import itertools, sys
from pathlib import Path
from sensors.spool import Entry, Spool

spool = Spool(Path(sys.argv[1]), "it")
for number in itertools.count():
    spool.append(Entry("alice", "probe", "tell", f"payload {number}".encode()))
    print(number, flush=True)
"""


def test_what_append_has_acknowledged_survives_kill_9(tmp_path: Path):
    """A process that appends and says so is killed at no chosen moment: all that it said is there, in order."""
    process = subprocess.Popen([sys.executable, "-c", APPENDS_FOR_EVER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(50):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    acknowledged = 50 + len(process.stdout.readlines())
    process.wait()
    process.stdout.close()
    with Spool(tmp_path, "it") as spool:
        kept = payloads(spool)
    assert kept[:acknowledged] == [f"payload {number}".encode() for number in range(acknowledged)]
    assert len(kept) <= acknowledged + 1
