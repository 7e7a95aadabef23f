"""Forms with objects in them are read as the original service reads them."""

from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_http.preferences.forms import object_of
from schemas.errors import Code, Refusal

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=1, max_size=8).filter(
    lambda name: not name.isdigit()
)
TREES = st.recursive(
    st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4) | st.lists(inner, min_size=1, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("form", "found"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a[b][c]=x&a[d]=y", {"a": {"b": {"c": "x"}, "d": "y"}}),
        (b"a%5Bb%5D=x%20y", {"a": {"b": "x y"}}),
        (b"a=x&a=y&a=z", {"a": ["x", "y", "z"]}),
        (b"a[]=x&a[]=y", {"a": ["x", "y"]}),
        (b"a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        (b"a[0][b]=x", {"a": [{"b": "x"}]}),
        (b"a[1]=x", {"a": {"1": "x"}}),
        (b"a[b=x", {"a[b": "x"}),
        (b"[a]=x", {"[a]": "x"}),
    ],
)
def test_brackets_are_objects_and_lists(form: bytes, found: dict[str, Any]) -> None:
    """What is not written like that is a name."""
    assert object_of(form) == found


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_every_tree_of_texts_can_be_said(tree: dict[str, Any]) -> None:
    """Objects and lists that hold something, in any order."""
    form = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in _fields(tree))
    assert object_of(form.encode()) == tree


def _fields(tree: Any, above: str = "") -> list[tuple[str, str]]:
    if isinstance(tree, str):
        return [(above, tree)]
    members = tree.items() if isinstance(tree, dict) else enumerate(tree)
    named = [(f"{above}[{name}]" if above else str(name), member) for name, member in members]
    return [field for name, member in named for field in _fields(member, name)]


@pytest.mark.parametrize(
    ("form", "code", "hinted"),
    [
        (b"a=%FF", Code.MALFORMED, "--data-urlencode"),
        ("a=é".encode(), Code.MALFORMED, "%XX"),
        (b"&".join([b"a=1"] * 1001), Code.MALFORMED, "as JSON"),
        (b"a" + b"[b]" * 65 + b"=1", Code.TOO_DEEP, "nearer to the top"),
        (b"a=1&a[b]=2", Code.BAD_FIELD, "a=… or what begins with a["),
        (b"a[b]=2&a=1", Code.BAD_FIELD, "a=… or what begins with a["),
        (b"a=1&a[b][c]=2", Code.BAD_FIELD, "a=… or what begins with a["),
        (b"a[b]=1&a[b][c]=2", Code.BAD_FIELD, "a[b]=… or what begins with a[b]["),
    ],
)
def test_what_is_no_such_form_is_refused(form: bytes, code: Code, hinted: str) -> None:
    """With a code, and what to send: nothing is guessed."""
    with pytest.raises(Refusal) as refused:
        object_of(form)
    assert (refused.value.code, hinted in (refused.value.hint or "")) == (code, True)
