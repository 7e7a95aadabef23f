"""Safes of one form: what is remembered of one makes the next, to the same end as step by step."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.caches import Caches
from model.changes import Decision
from model.commands import decide_at_once
from model.fold import take_decision
from model.packing import pack
from model.safes.forms import MAX_SETTINGS, form_of, pattern_of
from model.sharing import forget_shared
from model.stamp import Stamp
from schemas.apps import PREFERENCES_APP
from schemas.errors import Refusal
from schemas.preferences import PutPreferences, SafeFacts
from tests.effort import EFFORT

NAMES = st.sampled_from(["a", "b", "c/d", "http://example.org/x", "é"])
VALUES: st.SearchStrategy[Any] = st.sampled_from([None, True, 0, 1.5, "", "x", {}, [], [1, {"a": 2}]])
SETS = st.dictionaries(
    st.sampled_from(["gpii-default", "night"]),
    st.fixed_dictionaries({"preferences": st.dictionaries(NAMES, VALUES, max_size=4)}),
    max_size=2,
)
FACTS = st.builds(SafeFacts, key=st.sampled_from([None, "k"]), name=st.sampled_from([None, "n"]))


def command(body: Any, facts: SafeFacts | None = None, **members: Any) -> PutPreferences:
    return PutPreferences(id="p", view="flat", body=body, make=facts or SafeFacts(key="k"), **members)


def stamp(seq: int) -> Stamp:
    return Stamp(f"key-{seq}", PREFERENCES_APP, seq, 1_700_000_000_000_000 + seq)


def decided(one: PutPreferences, seq: int) -> Decision:
    decision = decide_at_once(None, one, stamp(seq))
    assert decision is not None
    return decision


def others(one: PutPreferences) -> None:
    """Make two safes of the same form: the second one is remembered."""
    for seq in (3, 5):
        decided(one, seq)


@settings(max_examples=60 * EFFORT)
@given(SETS, SETS, FACTS, st.sampled_from(["explicit", "implicit"]), st.sampled_from([None, "why"]))
def test_a_safe_is_what_it_would_be_without_others(
    sets: Any, values: Any, facts: SafeFacts, evidence_type: Any, comment: str | None
) -> None:
    """Changes, model and what is known of its evidence are the same, whatever values others of its form have had."""
    one = command({"contexts": sets}, facts, evidence_type=evidence_type, comment=comment)
    forget_shared()
    expected, known = decided(one, 9), Caches()
    expected_model = take_decision(None, expected, stamp(9), known)
    others(command({"contexts": _with_values_of(sets, values)}, facts))
    found, remembered = decided(one, 9), Caches()
    assert (expected.whole, found.whole is not None) == (None, True)
    model = take_decision(None, found, stamp(9), remembered)
    assert (list(found.changes), found.result) == (list(expected.changes), expected.result)
    assert model is not None
    assert expected_model is not None
    assert (pack(model), model.seq, model.time_us) == (pack(expected_model), expected_model.seq, expected_model.time_us)
    assert msgspec.json.encode(remembered.latest.ready) == msgspec.json.encode(known.latest.ready)


def _with_values_of(sets: Any, values: Any) -> Any:
    given_values = [value for one in values.values() for value in one["preferences"].values()] or [7]
    return {
        name: {"preferences": {term: given_values[n % len(given_values)] for n, term in enumerate(one["preferences"])}}
        for name, one in sets.items()
    }


def test_a_value_that_is_refused_is_named() -> None:
    """Also where a form is remembered."""
    others(command({"contexts": {"gpii-default": {"preferences": {"a": 1}}}}))
    with pytest.raises(Refusal) as refused:
        decided(command({"contexts": {"gpii-default": {"preferences": {"a": 2**70}}}}), 9)
    assert refused.value.error.field == "body.contexts.gpii-default.preferences.a"


@pytest.mark.parametrize(
    "body",
    [
        {"contexts": {"gpii-default": {"preferences": {"a": {"b": 1}}}}},
        {"contexts": {"gpii-default": {"preferences": {}, "name": "Day"}}},
        {"contexts": {"gpii-default": {"preferences": []}}},
        {"contexts": {}, "name": "All"},
        {"contexts": {"gpii-default": {"preferences": dict.fromkeys(map(str, range(MAX_SETTINGS + 1)), 1)}}},
        {"contexts": None},
        [],
    ],
)
def test_what_is_more_than_settings_has_no_form(body: Any) -> None:
    """Groups of settings, names of sets, more settings than are remembered."""
    assert form_of(("Preferences",), "flat", ("key",), body) is None


def test_a_form_is_remembered_until_somebody_is_forgotten() -> None:
    """From the second safe on: it may hold names that somebody has chosen."""
    body = {"contexts": {"gpii-default": {"preferences": {"mine": 1}}}}
    form = form_of(("Preferences",), "flat", ("key", "type"), body)
    assert form is not None
    forget_shared()
    decided(command(body), 3)
    assert pattern_of(form) is None
    decided(command(body), 5)
    assert pattern_of(form) is not None
    forget_shared()
    assert pattern_of(form) is None
