"""Progress goes to stderr: over one line on a terminal, else a line now and then."""

from typing import Any

import pytest

from llum.cli import progress
from llum.cli.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def shown(clock: Clock, capsys: pytest.CaptureFixture[str], every_s: float) -> str:
    with Progress() as show:
        for text in ("a tenth", "half", "all"):
            clock.now += every_s
            show(text)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_terminal_shows_the_newest_line_and_is_left_clean(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shorter line wipes out the longer one before it."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert shown(clock, capsys, 1.0) == "\ra tenth\rhalf   \rall " + "\r   \r"


def test_a_file_gets_a_line_now_and_then(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """What is over soon says nothing."""
    assert shown(clock, capsys, 0.1) == ""
    assert shown(clock, capsys, progress.ELSEWHERE_EVERY_S) == "a tenth\nhalf\nall\n"


def test_nothing_is_shown_of_what_is_over_at_once(clock: Clock, capsys: pytest.CaptureFixture[Any]) -> None:
    """Not even on a terminal."""
    assert shown(clock, capsys, 0.0) == ""
