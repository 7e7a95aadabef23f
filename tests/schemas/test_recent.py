"""A bounded dict keeps what was used last."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.recent import Recent

STEPS = st.lists(st.tuples(st.sampled_from(["get", "set", "discard", "clear"]), st.integers(0, 5)), max_size=60)


def of(*keys: str, bound: int = 2) -> Recent[str, str]:
    made: Recent[str, str] = Recent(bound)
    for key in keys:
        made[key] = key.upper()
    return made


def test_an_entry_is_found_until_it_is_dropped() -> None:
    """What was set is got; what was discarded, or cleared with all others, is not."""
    recent = of("a", "b")

    recent.discard("a")
    recent.discard("never there")

    assert (recent.get("a"), recent.get("b"), len(recent)) == (None, "B", 1)
    recent.clear()
    assert (recent.get("b"), len(recent)) == (None, 0)


def test_the_longest_unused_goes() -> None:
    """With one entry more than the bound, the one goes that was neither set nor got for longest."""
    recent = of("a", "b")

    recent.get("a")
    recent["c"] = "C"

    assert ("a" in recent, "b" in recent, "c" in recent) == (True, False, True)


def test_setting_anew_is_a_use() -> None:
    """An entry that is set again has the new value, and is the last used."""
    recent = of("a", "b")

    recent["a"] = "again"
    recent["c"] = "C"

    assert (recent.get("a"), "b" in recent) == ("again", False)


def test_looking_whether_it_is_there_is_no_use() -> None:
    """`in` changes nothing."""
    recent = of("a", "b")

    assert "a" in recent
    recent["c"] = "C"

    assert "a" not in recent


@given(steps=STEPS, bound=st.integers(1, 4))
def test_it_holds_exactly_the_last_used(steps: list[tuple[str, int]], bound: int) -> None:
    """Whatever is done, it holds what a list of all uses says that it holds."""
    recent: Recent[int, int] = Recent(bound)
    used: list[int] = []
    for number, (what, key) in enumerate(steps, 1):
        there = key in used
        if what == "get":
            assert (recent.get(key) is not None) == there
        elif what == "set":
            recent[key] = number
        elif what == "discard":
            recent.discard(key)
        else:
            recent.clear()
        used = [] if what == "clear" else [each for each in used if each != key]
        if what == "set" or (what == "get" and there):
            used = [*used, key][-bound:]
        assert {each for each in range(6) if each in recent} == set(used)
    assert len(recent) == len(used)
