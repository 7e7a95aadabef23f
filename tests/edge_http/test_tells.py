"""A tell is read in one step or in two, and nobody can tell which."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_http.personis import calls, requests
from edge_http.personis.calls import PlainTellCall
from schemas.commands import Tell
from schemas.decoding import decode
from schemas.errors import LlumError
from schemas.evidence import NewEvidence

MEMBERS = [*NewEvidence.__struct_fields__, "source", "owner", "creation_time", "objectType", "mine", "extras"]
VALUES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=9)
JSON = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner))
EVIDENCE = st.dictionaries(st.sampled_from(MEMBERS), JSON | st.sampled_from(["explicit", ["goal"], 5, {}]))


def made_of(call: Any) -> Tell:
    return requests.tell_of(call, "1")


def outcome(make: Any) -> Any:
    try:
        return make()
    except LlumError as error:
        return error.error


@given(EVIDENCE | JSON, st.booleans())
def test_both_ways_make_the_same_command(evidence: Any, escaped: bool) -> None:
    """And the same refusals."""
    body = msgspec.json.encode({"componentid": "c", "context": ["a"], "evidence": evidence})
    body = body.replace(b'"extra"', b'"\\u0065xtra"') if escaped else body
    one_step = outcome(lambda: made_of(requests.tell_in(body)))
    assert one_step == outcome(lambda: made_of(decode(calls.TELL, body)))


@pytest.mark.parametrize(("member", "plain"), [("comment", True), ("mine", False), ("extra", False), ("source", False)])
def test_members_of_llum_s_own_are_read_in_one_step(member: str, plain: bool) -> None:
    """The others need a look at each."""
    body = msgspec.json.encode({"componentid": "c", "evidence": {"value": 1, member: "x"}})
    assert isinstance(requests.tell_in(body), PlainTellCall) is plain
