"""A child of `llum up` that lives and does nothing any more is found, and started again."""

import sys
from pathlib import Path

import pytest

from tests.system.harness import Llum, until

SOON = "from llum.processes import child; child.LOOK_EVERY_S = 2.0; from llum.__main__ import main; sys.exit(main())"
"""`llum`, with less patience."""


@pytest.mark.parametrize("name", ["worker", "edge", "nats-server"])
def test_a_child_that_stands_still_is_killed_and_started_again(installation: Llum, name: str) -> None:
    """It is said, on the terminal and in the log, and everything works again."""
    installation.program = (sys.executable, "-c", f"import sys; {SOON}")
    installation.start()
    assert '"event":"ready"' in _log_of(installation.data_dir)
    stuck = until(lambda: installation.child(name), f"{name} runs")
    stuck.suspend()
    said = f"{name} ended (it did not answer for 12 s, killed by SIGKILL), starting it again"
    until(lambda: said in installation.output.read_text("utf-8"), "it is found")
    assert said.partition("ended (")[2].partition(")")[0] in _log_of(installation.data_dir)
    until(lambda: installation.has_served(name), "it serves again")
    assert f'"child":"{name}","child_pid":{installation.pid(name)},' in _log_of(installation.data_dir)
    installation.run("admin", "person", "add", "alice", "--first-name", "Alice")
    assert installation.run("ask", "alice", "Personal/firstname") == '"Alice"'


def _log_of(data_dir: Path) -> str:
    return (data_dir / "log" / "supervisor.jsonl").read_text("utf-8")
