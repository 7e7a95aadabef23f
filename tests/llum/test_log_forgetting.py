"""Taking a person out of log files that are being written."""

from pathlib import Path

import msgspec
import pytest

from llum.people.log_forgetting import count_in_logs, forget_in_logs
from llum.processes.log_files import RotatingFile

ABOUT_ANNA = [
    {"event": "command", "user": "anna", "app": "probe", "id": "x"},
    {"event": "notice_waits", "subject": "llum.effect.3.notify.anna.7"},
    {"event": "failed", "exception": "Traceback\n  no model of 'anna'"},
    {"event": "nested", "detail": {"path": ["anna"]}},
]
NOT_ABOUT_ANNA = [
    {"event": "command", "user": "hanna", "app": "anna"},
    {"event": "command", "user": "anna-maria", "id": "anna_1"},
    {"event": "anna", "process": "anna"},
]


def test_lines_about_a_person_are_overwritten_while_the_file_is_written(tmp_path: Path) -> None:
    """What is about others stays, byte for byte, and so does what is appended afterwards."""
    file = RotatingFile(tmp_path / "worker.jsonl")
    for event in [*ABOUT_ANNA, *NOT_ABOUT_ANNA]:
        file.write(event)
    others = (tmp_path / "worker.jsonl").read_bytes().splitlines()[len(ABOUT_ANNA) :]
    assert count_in_logs(tmp_path, "anna") == len(ABOUT_ANNA)
    assert forget_in_logs(tmp_path, "anna") == len(ABOUT_ANNA)
    file.write({"event": "later"})
    file.close()
    lines = (tmp_path / "worker.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line)["event"] for line in lines[: len(ABOUT_ANNA)]] == ["forgotten"] * len(ABOUT_ANNA)
    assert lines[len(ABOUT_ANNA) : -1] == others
    assert forget_in_logs(tmp_path, "anna") == count_in_logs(tmp_path, "anna") == 0


@pytest.mark.parametrize(
    "line", [b"[ERR] publish to llum.log.1.anna.x.tell failed", b'{"user":"anna"', b"\xff anna \xff"]
)
def test_lines_that_are_no_json_are_overwritten_too(tmp_path: Path, line: bytes) -> None:
    """nats-server's, tracebacks, and lines that were cut off; the length of the file stays."""
    path = tmp_path / "nats-server.log"
    path.write_bytes(b"before\n" + line)
    assert forget_in_logs(tmp_path, "anna") == 1
    assert b"anna" not in path.read_bytes()
    assert len(path.read_bytes()) == len(b"before\n" + line)
    assert path.read_bytes().startswith(b"before\n")


def test_without_a_folder_there_is_nothing_to_forget(tmp_path: Path) -> None:
    """As on a machine that llum does not run on."""
    assert forget_in_logs(tmp_path / "log", "anna") == count_in_logs(tmp_path / "log", "anna") == 0
