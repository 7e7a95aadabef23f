"""When the activity sensor tells what. Method: looks are simulated over random inputs, and the tellings compared."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sensors.activity.states import (
    ACTIVE,
    IDLE,
    SHUT_DOWN,
    ActivitySettings,
    Observation,
    State,
    look,
    shut_down,
    slept,
)

TEN = ActivitySettings(idle_after_s=10)

seconds = st.integers(min_value=0, max_value=100_000).map(lambda tenths: tenths / 10)


def test_first_look_at_an_active_person_tells_the_moment_of_the_input():
    state, told = look(State(), idle_s=3, now=1000, settings=TEN)
    assert told == [Observation(ACTIVE, 997)]
    assert state.value == ACTIVE


def test_first_look_at_an_idle_person_tells_when_they_became_so():
    _, told = look(State(), idle_s=60, now=1000, settings=TEN)
    assert told == [Observation(IDLE, 950)]


def test_nothing_is_told_while_nothing_changes():
    state, _ = look(State(), idle_s=0, now=1000, settings=TEN)
    state, told = look(state, idle_s=9.9, now=1005, settings=TEN)
    assert told == []
    assert state.value == ACTIVE


def test_idle_begins_exactly_at_the_threshold():
    state, _ = look(State(), idle_s=0, now=1000, settings=TEN)
    _, told = look(state, idle_s=10, now=1010, settings=TEN)
    assert told == [Observation(IDLE, 1010)]


def test_the_time_of_idle_is_the_last_input_plus_the_threshold_not_the_look():
    state, _ = look(State(), idle_s=0, now=1000, settings=TEN)
    _, told = look(state, idle_s=14, now=1014, settings=TEN)
    assert told == [Observation(IDLE, 1010)]


def test_shutdown_is_told_now_and_only_once():
    state, _ = look(State(), idle_s=0, now=1000, settings=TEN)
    state, told = shut_down(state, now=1003)
    assert told == [Observation(SHUT_DOWN, 1003)]
    assert shut_down(state, now=1004) == (state, [])


def test_shutdown_is_told_even_if_nothing_was_ever_seen():
    assert shut_down(State(), now=7)[1] == [Observation(SHUT_DOWN, 7)]


def test_a_night_in_suspension_was_not_active():
    state, _ = look(State(), idle_s=2, now=1000, settings=TEN)
    state, told = slept(state, now=30_000, settings=TEN)
    assert told == [Observation(IDLE, 1008)]
    assert look(state, idle_s=1, now=30_000, settings=TEN)[1] == [Observation(ACTIVE, 29_999)]


def test_a_short_suspension_of_an_active_person_tells_nothing():
    state, _ = look(State(), idle_s=2, now=1000, settings=TEN)
    assert slept(state, now=1005, settings=TEN) == (state, [])


def test_a_suspension_of_an_idle_person_tells_nothing():
    state, _ = look(State(), idle_s=20, now=1000, settings=TEN)
    assert slept(state, now=5000, settings=TEN) == (state, [])


def test_a_clock_set_back_is_followed():
    """After a correction of the clock, times are told by the corrected clock, not by the wrong one."""
    state, _ = look(State(), idle_s=0, now=9000, settings=TEN)
    _, told = look(state, idle_s=30, now=1000, settings=TEN)
    assert told == [Observation(IDLE, 980)]


@given(st.lists(seconds, min_size=1), st.lists(seconds, min_size=1), st.integers(1, 60))
def test_tellings_are_true_alternate_and_never_go_back(inputs, looks, threshold):
    """Each active telling names an input, each idle one the end of the threshold after an input; values alternate."""
    settings = ActivitySettings(idle_after_s=threshold)
    first = min(inputs)
    state, told = State(), []
    for now in sorted(looks):
        before = [it for it in inputs if it <= now] or [min(first, now)]
        state, tellings = look(state, now - max(before), now, settings)
        told += tellings
        assert state.value == (IDLE if now - max(before) >= threshold else ACTIVE)
    last_inputs = [*inputs, *looks]
    for it in told:
        origin = it.time if it.value == ACTIVE else it.time - threshold
        assert any(abs(origin - at) < 1e-6 for at in last_inputs)
        assert it.time <= max(looks) + 1e-6
    for one, next_one in pairwise(told):
        assert one.value != next_one.value
        assert one.time <= next_one.time


@given(st.lists(st.tuples(st.floats(-5, 1e6), st.floats(0, 1e10))))
def test_any_sequence_of_looks_tells_only_changes(looks):
    """Whatever a back end says and however the clock jumps, no value is told twice in a row."""
    state, told = State(), []
    for idle_s, now in looks:
        state, tellings = look(state, idle_s, now, TEN)
        told += tellings
    assert all(one.value != next_one.value for one, next_one in pairwise(told))
