"""Text fits the terminal, and nothing that an app has told can command the terminal."""

import json

import click
import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from llum.cli.layout import cells, clean, columns, facts, paragraph, shorten, table, whole_table

texts = st.text(st.characters(codec="utf-8"), max_size=120)


@example(rows=[("", "000\x1f\u0d46\U00011af9", "000000000000")], width=40)
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4), st.integers(40, 120))
def test_a_table_fits(rows: list[tuple[str, str, str]], width: int) -> None:
    """No line of a table is wider than the terminal."""
    for line in table(("one", "two", "three"), rows, width).splitlines():
        assert cells(line.replace("\x1b[1m", "").replace("\x1b[0m", "")) <= width


def test_without_a_terminal_nothing_is_cut() -> None:
    """A script gets all of a value."""
    assert "x" * 500 in table(("value", "what it is"), [("x" * 500, "long")], None)
    assert "x" * 500 in facts([("value", "x" * 500)], None)


def test_wide_characters_take_two_cells() -> None:
    """A text in Chinese is cut by the cells that it takes, not by its characters."""
    assert shorten("你好世界", 5) == "你好…"
    assert shorten("abc", 3) == "abc"


@given(texts)
def test_nothing_commands_the_terminal(text: str) -> None:
    """Control characters, as in a description that would clear the screen, are shown as escapes."""
    assert clean(text).isprintable()


def test_an_escape_is_shown() -> None:
    """One sees that something was there."""
    assert clean("a\x1b[2Jb\x9bc") == "a\\u001b[2Jb\\u009bc"


@given(texts)
def test_a_value_remains_what_it_is(text: str) -> None:
    """JSON with escapes is still the same JSON."""
    assert json.loads(clean(msgspec.json.encode(text).decode())) == text


def test_names_stand_across() -> None:
    """As many names to a line as fit; one a line for scripts."""
    assert columns(["aa/", "b/", "c/"], 12) == "aa/  b/\nc/"
    assert columns(["aa/", "b/"], None) == "aa/\nb/"


def test_a_long_line_goes_on_below_its_beginning() -> None:
    """What is indented stays indented when it is wrapped."""
    assert paragraph("  one two three", 10) == "  one two\n    three"


ROWS = [("id-1", "the lamp on the desk in the study"), ("id-23", "another one")]


def test_a_whole_table_cuts_nothing() -> None:
    """The last column goes on below itself; where there is no room beside the others, each row is a list."""
    assert whole_table(("id", "what it is"), ROWS, 80).splitlines()[1:] == [
        "id-1   the lamp on the desk in the study",
        "id-23  another one",
    ]
    assert whole_table(("id", "what it is"), ROWS, 27).splitlines()[1:] == [
        "id-1   the lamp on the desk",
        "       in the study",
        "id-23  another one",
    ]
    listed = click.unstyle(whole_table(("id", "what it is"), ROWS, 20))
    assert listed.splitlines() == [
        "id          id-1",
        "what it is  the lamp",
        "            on the",
        "            desk in",
        "            the",
        "            study",
        "",
        "id          id-23",
        "what it is  another",
        "            one",
    ]


def test_nothing_breaks_inside_a_word() -> None:
    """A word that is longer than the line stays whole: a terminal shows all of it."""
    assert paragraph("see http://llum.example/a-long-path", 12) == "see\nhttp://llum.example/a-long-path"
