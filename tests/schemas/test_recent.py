"""A bounded dict keeps what was used last."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.recent import Recent, Room

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


class Guest:
    """Holds something in a room, until it has to give way."""

    def __init__(self) -> None:
        self.gave_way = 0

    def give_way(self) -> None:
        self.gave_way += 1


def test_a_full_room_sends_away_whoever_was_unused_for_longest() -> None:
    """Growing and using are uses; whoever goes, goes with all that it holds."""
    room, first, second, third = Room(10), Guest(), Guest(), Guest()
    for guest in (first, second, third):
        room.grow(guest, 3)
    room.use(first)
    room.grow(third, 2)

    assert (first.gave_way, second.gave_way, third.gave_way, room.used) == (0, 1, 0, 8)
    room.use(second)
    room.grow(third, 100)
    assert (first.gave_way, second.gave_way, third.gave_way, room.used) == (1, 1, 1, 0)


def test_who_leaves_a_room_makes_place() -> None:
    """What it held is no longer counted, and leaving twice changes nothing."""
    room, guest = Room(10), Guest()
    room.grow(guest, 7)

    room.leave(guest)
    room.leave(guest)
    room.grow(Guest(), 10)

    assert (room.used, guest.gave_way) == (10, 0)


def test_putting_gives_what_had_to_go() -> None:
    """Setting an entry with `put` tells which one went for it; so does discarding."""
    recent = of("a", "b")

    assert (recent.put("b", "again"), recent.put("c", "C")) == (None, ("a", "A"))
    assert (recent.discard("b"), recent.discard("b")) == ("again", None)
