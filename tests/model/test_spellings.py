"""What the original's clients write in more than one way."""

from typing import Any

import pytest

from model.formats.spellings import from_root, goals_of, permissions_of, texts_of, told_members
from schemas.errors import Code, Refusal
from schemas.permissions import Permission


@pytest.mark.parametrize(
    ("path", "meant"), [([""], []), (["", ""], []), (["", "T", ""], ["T"]), (["T", "", "a"], ["T", "a"]), ([], [])]
)
def test_empty_segments_are_left_out(path: list[str], meant: list[str]) -> None:
    """Wherever they stand."""
    assert from_root(path) == meant


@pytest.mark.parametrize(("spelling", "meant"), [("x", ["x"]), (["x", "y"], ["x", "y"]), (None, []), ([], [])])
def test_one_text_is_a_list_of_it(spelling: Any, meant: list[str]) -> None:
    """So is an enum with one value exported."""
    assert texts_of(spelling) == meant


@pytest.mark.parametrize(
    ("spelling", "meant"), [("T/a", [["T", "a"]]), ([["", "T", "a"], ["b"]], [["T", "a"], ["b"]]), (None, [])]
)
def test_goals_are_paths(spelling: Any, meant: list[list[str]]) -> None:
    """One text is one path."""
    assert goals_of(spelling) == meant


def test_members_of_evidence() -> None:
    """A flag may stand alone, a comment be a number; null is absent, and all else stays as it is."""
    told = {"flags": "goal", "comment": 3.5, "useby": None, "value": {"a": None}}
    assert told_members(told) == {"flags": ["goal"], "comment": "3.5", "value": {"a": None}}
    assert told_members({"flags": ["a"], "comment": "text"}) == {"flags": ["a"], "comment": "text"}


@pytest.mark.parametrize("perms", [None, "all", [], {"ask": True, "tell": True, "resolvers": ["all", "last1"]}])
def test_what_is_no_permission_of_an_app_is_passed_over(perms: Any) -> None:
    """The original's own apps send such."""
    assert permissions_of(perms, "perms") == {}


def test_permissions_of_apps_are_read() -> None:
    """Beside entries that are none."""
    perms = {"scale": {"ask": True}, "tell": False}
    assert permissions_of(perms, "perms") == {"scale": Permission(ask=True)}
    with pytest.raises(Refusal) as refused:
        permissions_of({"scale": {"ask": "yes"}}, "contextobj.perms")
    assert (refused.value.code, refused.value.error.field) == (Code.BAD_FIELD, "contextobj.perms.scale.ask")
