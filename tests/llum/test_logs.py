"""Logs: bounded files, no secrets."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llum.processes.log_files import RotatingFile, json_line
from llum.processes.logs import HIDDEN, console_line, hide_secrets


def test_log_file_stays_bounded(tmp_path: Path) -> None:
    """A full file becomes `.1`, and the one before that is gone."""
    log = RotatingFile(tmp_path / "log" / "worker.jsonl", max_bytes=1000)
    for number in range(200):
        log.write({"at": 0.0, "level": "info", "event": "line", "number": number})
    log.close()
    files = sorted((tmp_path / "log").iterdir())
    assert [file.name for file in files] == ["worker.jsonl", "worker.jsonl.1"]
    assert all(file.stat().st_size <= 1000 for file in files)
    assert json.loads(files[0].read_text().splitlines()[-1])["number"] == 199


def test_log_file_goes_on_where_it_was(tmp_path: Path) -> None:
    """A process that is started again adds to the file."""
    for _ in range(2):
        log = RotatingFile(tmp_path / "edge.jsonl")
        log.write({"event": "ready"})
        log.close()
    assert len((tmp_path / "edge.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "key", ["token", "access_token", "Authorization", "password", "client_secret", "value", "evidence"]
)
def test_secrets_and_values_are_hidden(key: str) -> None:
    """Whoever logs one by mistake does not write it."""
    assert hide_secrets(None, "info", {key: "s3cret", "user": "alice"}) == {key: HIDDEN, "user": "alice"}


def test_a_line_is_written_whatever_is_in_it() -> None:
    """What JSON lacks is written as Python shows it, and what cannot be written at all does not stop the process."""
    assert json.loads(json_line({"event": "odd", "what": object}))["what"] == "<class 'object'>"
    surrogate: dict[str, Any] = {"event": "odd", "what": "\ud800"}
    assert json.loads(json_line(surrogate))["event"] == "odd"


def test_console_line_is_one_readable_line() -> None:
    """Time, level and event come first; texts with spaces are quoted."""
    line = console_line({"at": 0.0, "level": "info", "event": "command", "user": "alice", "why": "a b"})
    assert line.endswith(b"info    command user=alice why='a b'\n")


def test_bound_ids_and_library_logs_reach_the_file(tmp_path: Path) -> None:
    """Once set up, structlog and the standard library's logging write to the sinks, from the level on."""
    script = f"""
import logging, structlog
from pathlib import Path
from llum.processes import logs
from llum.processes.log_files import RotatingFile
early = structlog.get_logger("early")
logs.set_up("info", [RotatingFile(Path({str(tmp_path / "x.jsonl")!r}))], process="test")
early.debug("too small")
early.info("command", user="alice", token="abc")
logging.getLogger("lib").warning("careful %s", 1)
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("died")
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["command", "library", "died"]
    assert lines[0] == {
        "at": lines[0]["at"], "level": "info", "event": "command", "user": "alice", "token": HIDDEN, "process": "test",
    }  # fmt: skip
    assert lines[1]["message"] == "careful 1"
    assert "ZeroDivisionError" in lines[2]["exception"]


def test_structlog_is_imported_with_the_first_line_and_without_rich() -> None:
    """Most processes write none that needs it; then it is set up as if it had been there from the beginning."""
    script = """
import sys
from bus.logger import get_logger
from llum.processes import logs
log = get_logger("llum.bus")
logs.set_up("info", [logs.Stream(console=True)], process="test")
assert "structlog" not in sys.modules
log.warning("first", n=1)
assert "structlog" in sys.modules and "rich" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stderr.endswith("warning first process=test n=1\n")
