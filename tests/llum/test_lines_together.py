"""The lines of commands, asks and requests: written together, and otherwise as all lines are."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from bus import lines
from bus.lines import (
    Line,
    LoggedAsk,
    LoggedCaughtUp,
    LoggedCommand,
    LoggedPlacement,
    LoggedRequest,
    LoggedStep,
)
from llum.processes import logs
from llum.processes.lines_together import MAX_WAITING_LINES, LinesTogether, Sink
from llum.processes.log_files import RotatingFile, json_line
from llum.processes.logs import console_line, hide_secrets
from tests.waiting import until

EXAMPLES: tuple[Line, ...] = (
    LoggedCommand(user="alice", app="phone", verb="tell", id="x", seq=1, code="accepted", repeated=False),
    LoggedAsk(user="alice", app="coach", verb="ask", code="answered", components=1, seq=1, duration_ms=0.5),
    LoggedRequest(
        request_id="a-1", method="POST", route="/tell", status=401, user=None, app=None, op=None,
        code="not_authenticated", duration_ms=1.5, bytes=2,
    ),
    LoggedStep(event="ready"),
    LoggedCaughtUp(partition=3, count=1000, seq=2000),
    LoggedPlacement(workers=2, away=1, replicas=1, partitions_here=32),
)  # fmt: skip


class Sheet:
    """A sink that keeps what each call was given."""

    def __init__(self, render: Any = json_line) -> None:
        self.render = render
        self.puts: list[bytes] = []

    def write(self, event: dict[str, Any]) -> None:
        self.put(self.render(event))

    def put(self, lines: bytes) -> None:
        self.puts.append(lines)

    @property
    def events(self) -> list[Any]:
        return [json.loads(line)["event"] for line in b"".join(self.puts).splitlines()]


def ask(seq: int) -> LoggedAsk:
    return msgspec.structs.replace(EXAMPLES[1], seq=seq)


@pytest.mark.parametrize("line", EXAMPLES)
def test_a_line_is_what_structlog_would_write(line: Line) -> None:
    """The same members with the same values: those that structlog adds, those of the line, those that are bound."""
    ours, theirs = Sheet(), Sheet()
    LinesTogether([ours], {"process": "edge", "pid": 7}).take(line)
    logs.set_up("info", [theirs], process="edge", pid=7)
    lines.lead()
    lines.write(line)
    (written,), (expected,) = map(json.loads, ours.puts), map(json.loads, theirs.puts)
    assert {**written, "at": 0} == {**expected, "at": 0}
    assert list(written)[:3] == ["at", "level", "event"]
    assert written["at"] == line.at
    assert type(expected["at"]) is float


@pytest.mark.parametrize("line", EXAMPLES)
def test_people_are_shown_a_line_as_any_other(line: Line) -> None:
    """On a terminal it has the readable form."""
    sheet = Sheet(console_line)
    LinesTogether([sheet], {"process": "edge"}).take(line)
    assert sheet.puts == [console_line({**msgspec.structs.asdict(line), "process": "edge"})]
    assert f"info    {line.event} ".encode() in sheet.puts[0]


@pytest.mark.parametrize("line", EXAMPLES)
def test_no_member_would_have_to_be_hidden(line: Line) -> None:
    """Such lines are not looked through for secrets: they have no place for one."""
    members = msgspec.structs.asdict(line)
    assert hide_secrets(None, "info", dict(members)) == members


async def test_lines_of_a_moment_are_written_together() -> None:
    """One call of the system for all of them, and again for what comes after it."""
    sheet = Sheet()
    together = LinesTogether([sheet], {})
    for seq in range(3):
        together.take(ask(seq))
        assert not sheet.puts
    await until(lambda: sheet.puts, "the first write")
    assert [json.loads(line)["seq"] for line in sheet.puts[0].splitlines()] == [0, 1, 2]
    together.take(ask(3))
    await until(lambda: len(sheet.puts) == 2, "the second write")


async def test_many_lines_do_not_wait() -> None:
    """What waits is bounded."""
    sheet = Sheet()
    together = LinesTogether([sheet], {})
    for seq in range(MAX_WAITING_LINES + 1):
        together.take(ask(seq))
    assert sheet.puts[0].count(b"\n") == MAX_WAITING_LINES + 1


async def test_other_lines_come_after_those_before_them() -> None:
    """The order is kept, whichever way a line took."""
    sheet = Sheet()
    logs.set_up("info", [sheet])
    lines.write(EXAMPLES[0])
    structlog.get_logger().info("between")
    lines.write(EXAMPLES[1])
    structlog.get_logger().info("last")
    assert sheet.events == ["command", "between", "ask", "last"]


def test_without_a_loop_a_line_is_written_at_once() -> None:
    """Nothing would write it later."""
    sheet = Sheet()
    LinesTogether([sheet], {}).take(EXAMPLES[0])
    assert sheet.events == ["command"]


async def test_lines_obey_the_level() -> None:
    """They are of level info: a process that writes warnings only has none of them."""
    sheet = Sheet()
    logs.set_up("warning", [sheet])
    lines.write(EXAMPLES[0])
    structlog.get_logger().warning("something")
    assert sheet.events == ["something"]


def test_before_logs_are_set_up_lines_go_through_structlog() -> None:
    """Whoever uses a part of llum by itself sees them as structlog shows them."""
    with capture_logs() as captured:
        lines.write(EXAMPLES[0])
    members = {"user": "alice", "app": "phone", "verb": "tell", "id": "x", "seq": 1, "code": "accepted"}
    assert captured == [{**members, "repeated": False, "event": "command", "log_level": "info"}]


async def test_a_line_that_cannot_be_encoded_takes_none_with_it(tmp_path: Path) -> None:
    """It is replaced by one that says so; the others are written."""
    file = RotatingFile(tmp_path / "x.jsonl")
    together = LinesTogether([file], {})
    for line in (EXAMPLES[0], msgspec.structs.replace(EXAMPLES[0], user="\ud800"), EXAMPLES[1]):
        together.take(line)
    together.write()
    file.close()
    written = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [line["event"] for line in written] == ["command", "command", "ask"]
    assert "not_logged" in written[1]


def test_lines_that_wait_are_written_when_the_process_ends(tmp_path: Path) -> None:
    """Even if it ends before their time, by a fault that nothing catches."""
    script = f"""
import asyncio
from pathlib import Path
from bus import lines
from bus.lines import LoggedAsk
from llum.processes import logs
from llum.processes.log_files import RotatingFile
logs.set_up("info", [RotatingFile(Path({str(tmp_path / "x.jsonl")!r}))], process="test")

async def main():
    line = dict(user="alice", app="coach", verb="ask", code="answered", components=1, seq=1, duration_ms=0.5)
    lines.write(LoggedAsk(**line))
    raise SystemExit(3)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 3
    (line,) = (tmp_path / "x.jsonl").read_text().splitlines()
    assert json.loads(line)["event"] == "ask"


def test_the_sinks_of_a_process_are_sinks(tmp_path: Path) -> None:
    """A file is written as JSON, a terminal for people."""
    sinks: list[Sink] = [RotatingFile(tmp_path / "x.jsonl"), logs.Stream(console=True)]
    assert [sink.render for sink in sinks] == [json_line, console_line]
