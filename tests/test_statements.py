"""What the page of statements says is shown by tests that exist, and have the statement's number in their name."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "explanation" / "statements.md"
LATER = "with OAuth"


def rows() -> dict[int, str]:
    """Give the last cell of each row, by number."""
    found = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {int(number): shown for number, shown in found}


def test_all_thirty_are_there() -> None:
    """Once each, in order."""
    assert list(rows()) == list(range(1, 31))


def test_each_is_shown_by_tests_of_its_number_or_comes_with_oauth() -> None:
    """The tests exist; a row without one says when it will have some."""
    for number, shown in rows().items():
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
        assert named or shown.startswith(LATER), number
        for file, name in named:
            assert re.match(rf"test_0?{number}_", name), name
            assert re.search(rf"def {name}\(", (ROOT / file).read_text("utf-8")), f"{file} has no {name}"


def test_those_about_sign_in_sessions_and_the_bus_have_tests() -> None:
    """They are not put off."""
    shown = rows()
    assert not [number for number in {*range(1, 31)} - {2, 3, 8, 10, 20} if shown[number].startswith(LATER)]
