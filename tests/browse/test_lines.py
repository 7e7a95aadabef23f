"""Lines become words as in sh."""

import contextlib

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llum.cli.browse.lines import quoted, split, unfinished


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("cd Personal; ls", [["cd", "Personal"], ["ls"]]),
        ('tell a "b;c"', [["tell", "a", "b;c"]]),
        (r"tell a b\;c", [["tell", "a", "b;c"]]),
        ("""tell a 'say "yes"'""", [["tell", "a", 'say "yes"']]),
        (";; ls ;", [["ls"]]),
        ("  # tell a b; ls", []),
        ("ask a#b", [["ask", "a#b"]]),
        ("", []),
    ],
)
def test_semicolons_and_quotes(line: str, commands: list[list[str]]) -> None:
    """A semicolon ends a command unless it is quoted; a line that begins with # is a note."""
    assert split(line) == commands


@pytest.mark.parametrize("line", ['tell a "b', "tell a 'b; ls", "ls \\"])
def test_what_is_left_open_is_refused(line: str) -> None:
    """A quote without its end is a mistake of use, not half a command."""
    with pytest.raises(click.UsageError):
        split(line)


@given(st.text())
def test_any_line_is_split_or_refused(line: str) -> None:
    """No line makes the shell fail in another way."""
    with contextlib.suppress(click.UsageError):
        split(line)
    unfinished(line)


@given(st.lists(st.lists(st.text(min_size=1), min_size=1), max_size=3))
def test_quoted_words_come_back(commands: list[list[str]]) -> None:
    """What is quoted is read as the same words."""
    line = "ls;" + ";".join(" ".join(map(quoted, words)) for words in commands)
    assert split(line) == [["ls"], *commands]


def test_the_command_that_is_being_typed() -> None:
    """Completion looks at what comes after the last semicolon that is not quoted."""
    assert unfinished('cd Work; tell "a;b" c') == 'tell "a;b" c'
    assert unfinished('ls; tell "a;') == 'tell "a;'
