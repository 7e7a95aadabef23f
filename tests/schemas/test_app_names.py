"""Names of apps and the ids that stand for them."""

import pytest
import unicodedata2
from hypothesis import given
from hypothesis import strategies as st

from schemas.app_names import app_id, app_name
from schemas.errors import Refusal
from schemas.names import normal_name, unseen
from schemas.paths import is_token


@given(st.text(max_size=20))
def test_every_name_comes_back(name: str) -> None:
    """In its one spelling. A short name has an id; names with other ids are other names."""
    try:
        identifier = app_id(name)
    except Refusal:
        assert not name or unseen(name) or len(name.encode()) > 20 or _holds_controls(name)
        return
    assert is_token(identifier)
    assert app_name(identifier) == normal_name(name)


def _holds_controls(name: str) -> bool:
    return any(unicodedata2.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)


@given(st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True))
def test_every_id_is_shown_as_a_name_that_leads_back_to_it(identifier: str) -> None:
    """So that what is listed can be used, and no two ids look the same."""
    name = app_name(identifier)
    if name != identifier:
        assert app_id(name) == identifier


def test_ids_are_names_themselves() -> None:
    """Most apps have such names."""
    assert (app_id("my-health_2"), app_name("my-health_2")) == ("my-health_2", "my-health_2")
    assert app_id("MyHealth") == "x--_4dy_48ealth"


@pytest.mark.parametrize("name", ["", "\ud800", "A" * 40, "a" * 65])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    """With the field at fault."""
    with pytest.raises(Refusal) as caught:
        app_id(name, "user")
    assert caught.value.error.field == "user"
