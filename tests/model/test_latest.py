"""The latest evidence of components, at rest in little room."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from model.latest import LatestPieces
from schemas.evidence import Evidence

PIECES = st.builds(
    Evidence,
    seq=st.integers(1, 2**62),
    n=st.sampled_from([0, 1, 2, 65_535, 65_536, 2**20]),
    value=st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.lists(st.integers(0, 9)),
    evidence_type=st.sampled_from(["explicit", "implicit"]),
    source=st.sampled_from(["llum", "coach"]),
    owner=st.sampled_from(["alice", "bob"]),
    flags=st.sampled_from([[], ["unset"]]),
    time=st.none() | st.floats(0, 2e9),
    creation_time=st.floats(0, 2e9),
)


def piece(**members: Any) -> Evidence:
    return Evidence(**{"seq": 1, "source": "llum", "owner": "alice", "creation_time": 1.0} | members)


@given(PIECES)
@example(piece(seq=2**47 - 1, n=65_535))
@example(piece(seq=2**47, n=1))
@example(piece(seq=2**62, n=0))
def test_what_has_rested_is_as_it_was(one: Evidence) -> None:
    """Which piece of which command it is, its value, times, source and flags."""
    known = LatestPieces()
    known.begin(7).add("plain", one)
    known.rest("alice")
    latest = known.get(7)
    assert latest is not None
    assert latest.plain == one
