"""Asks over HTTP that speak of when something held."""

from typing import Any

import msgspec
import pytest

from edge_http.personis import calls
from edge_http.personis.requests import ask_of
from schemas.decoding import decode
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter
from schemas.queries import Ask


def asked(**members: Any) -> Ask:
    return ask_of(decode(calls.ASK, msgspec.json.encode({"version": "11.2", "context": ["Sport"], **members})))


def test_a_period_decides_the_value_too() -> None:
    """The original's filters choose only what is shown; it has none for periods."""
    period = {"resolver": "time_in_state", "evidence_filter": "held", "held_from": 10, "held_until": "20.5"}
    query = asked(resolver=period)
    assert query.evidence_filter == EvidenceFilter(name="held", held_from=10.0, held_until=20.5)
    assert not query.value_over_all
    assert asked(resolver={"evidence_filter": "last1"}).value_over_all


def test_what_was_true_can_be_asked() -> None:
    """Beside the context, for all that is asked."""
    assert asked(held_at=1_560_000_000).held_at == 1_560_000_000
    assert asked().held_at is None


def test_a_time_must_be_a_number() -> None:
    """Or a text of one; the member at fault is named."""
    with pytest.raises(Refusal) as caught:
        asked(resolver={"evidence_filter": "held", "held_from": "Tuesday"})
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FILTER, "resolver.held_from")
