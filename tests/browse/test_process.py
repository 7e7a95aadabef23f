"""`llum browse` as a process: options, pipes, exit codes, and a person at a terminal."""

import os
import sys
from pathlib import Path

import pexpect
import pytest

from tests.docs.screen import Terminal
from tests.system.harness import Llum
from tests.waiting import DEADLINE_S


@pytest.fixture
def browsing(shared_llum: Llum, user: str) -> tuple[Llum, str]:
    shared_llum.sign_in(user)
    return shared_llum, user


def test_commands_from_options(browsing: tuple[Llum, str]) -> None:
    """-c may be given again; one that fails ends all with the exit code 1 and one line."""
    llum, user = browsing
    assert llum.run("browse", user, "-c", "cd Goals; pwd", "-c", "pwd").splitlines() == ["/Goals", "/Goals"]
    done = llum.command("browse", user, "-c", "pwd; cd Nowhere; pwd", "-c", "pwd")
    assert (done.returncode, done.stdout) == (1, "/\n")
    assert done.stderr.startswith("llum: no_such_context: ")
    assert done.stderr.count("\n") == 1


def test_keep_going(browsing: tuple[Llum, str]) -> None:
    """With --keep-going all is run, and the exit code still tells of the failure."""
    llum, user = browsing
    done = llum.command("browse", user, "--keep-going", "-c", "pwd; cd Nowhere; pwd", "-c", "pwd; quit; pwd")
    assert (done.returncode, done.stdout) == (1, "/\n/\n/\n")


def test_nobody_is_browsed(browsing: tuple[Llum, str]) -> None:
    """Who has no model cannot be browsed: nobody can sign in as them, either."""
    llum, _ = browsing
    done = llum.command("browse", "nobody", "-c", "ls")
    assert done.returncode == 1
    assert "`llum sign-in nobody`" in done.stderr
    assert "no_such_model" in llum.command("sign-in", "nobody").stderr


def test_piped_output_is_plain(browsing: tuple[Llum, str]) -> None:
    """Without a terminal there are no colours, and nothing is cut."""
    llum, user = browsing
    long = "x" * 300
    shown = llum.run("browse", user, "-c", f"cd Personal; tell firstname {long}; ls")
    assert long in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_at_a_terminal(browsing: tuple[Llum, str], no_color: str) -> None:
    """At a terminal headings stand out, unless NO_COLOR says that they should not."""
    llum, user = browsing
    environment = os.environ | llum.environment | {"NO_COLOR": no_color, "TERM": "xterm"}
    output = pexpect.run(
        f"{sys.executable} -m llum browse {user} -c 'ls Personal'",
        env=environment,
        cwd=str(llum.folder),
        timeout=DEADLINE_S,
    )
    assert b"firstname" in output
    assert (b"\x1b" in output) is not bool(no_color)


def test_a_person_at_the_terminal(browsing: tuple[Llum, str], tmp_path: Path) -> None:
    """Tab completes, the history is kept for its owner alone, Ctrl-C breaks off and Ctrl-D leaves."""
    llum, user = browsing
    terminal = Terminal(tmp_path, os.environ | llum.environment)
    prompt = f"{user}@/"
    try:
        terminal.wait_for("$")
        terminal.enter(f"{sys.executable} -m llum browse {user}", f"{prompt}>")
        terminal.press("cd Per\t", f"{prompt}> cd Personal/")
        terminal.press("\r", f"{prompt}Personal>")
        terminal.press("delcontext .\r", "Delete /Personal with everything below it? [N]")
        terminal.press("\x03", f"{prompt}Personal>")
        terminal.press("half a comm", f"{prompt}Personal> half a comm")
        terminal.press("\x03", f"{prompt}Personal>")
        terminal.press("\x1b[A", f"{prompt}Personal> delcontext .")
        terminal.press("\x15", f"{prompt}Personal>")
        terminal.press("\x04", "$")
    finally:
        terminal.close()
    assert "llum: interrupted" in terminal.text()
    history = llum.data_dir / "browse-history"
    assert "+delcontext ." in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_ctrl_c_ends_a_command_and_not_the_shell(browsing: tuple[Llum, str], tmp_path: Path) -> None:
    """A command that waits for a worker that does not answer can be broken off; the shell goes on."""
    llum, user = browsing
    terminal = Terminal(tmp_path, os.environ | llum.environment)
    worker = llum.child("worker")
    assert worker
    try:
        terminal.wait_for("$")
        terminal.enter(f"{sys.executable} -m llum browse {user}", f"{user}@/>")
        worker.suspend()
        terminal.press("ls; pwd\r", "")
        terminal.press_until("\x03", "interrupted")
        worker.resume()
        terminal.wait_for(f"{user}@/>")
        terminal.enter("cd Personal", f"{user}@/Personal>")
        terminal.press("\x04", "$")
    finally:
        worker.resume()
        terminal.close()
