"""Who serves a partition while it moves, and who is its primary."""

from hypothesis import given
from hypothesis import strategies as st

from actors.moving import Announced, Duties, decide, primary
from actors.placement import Placement

HOSTS = ["a", "b", "c", "d"]
PARTITIONS = range(3)

placements = st.lists(
    st.lists(st.sampled_from(HOSTS), unique=True, max_size=3).map(tuple),
    min_size=len(PARTITIONS),
    max_size=len(PARTITIONS),
)
some_partitions = st.frozensets(st.sampled_from(PARTITIONS))
announcements = st.dictionaries(st.sampled_from(HOSTS), some_partitions.map(Announced))


def ready(**partitions: set[int]) -> dict[str, Announced]:
    return {host: Announced(frozenset(numbers)) for host, numbers in partitions.items()}


def duties(hold: set[int], primary: set[int]) -> Duties:
    return Duties(frozenset(hold), frozenset(primary))


def test_a_host_serves_what_is_placed_on_it() -> None:
    """Also before it answers for it; it is the primary of nothing then."""
    assert decide("a", (), [("a",), ("b", "a"), ("b",)], ready(a=set())) == duties({0, 1}, set())


def test_it_keeps_what_is_placed_elsewhere_until_that_host_answers() -> None:
    """So there is somebody who answers at every moment; whoever answers is the primary."""
    assert decide("a", {0}, [("b",)], ready(a={0}, b=set())) == duties({0}, {0})
    assert decide("a", {0}, [("b",)], ready(a={0}, b={0})) == duties(set(), set())


def test_it_keeps_it_until_all_of_the_hosts_answer() -> None:
    """The first of the placement that answers is the primary at once."""
    assert decide("a", {0}, [("b", "c")], ready(a={0}, c={0})) == duties({0}, set())
    assert decide("c", {0}, [("b", "c")], ready(a={0}, c={0})) == duties({0}, {0})


def test_a_host_that_is_not_there_does_not_answer() -> None:
    """Whoever is placed and silent takes nothing over."""
    assert decide("a", {0}, [("b",)], ready(a={0})) == duties({0}, {0})


def test_what_has_no_place_is_kept() -> None:
    """Nobody is to have it, so nobody else will answer."""
    assert decide("a", {0, 7}, [()], ready(a={0, 7})) == duties({0, 7}, {0, 7})


def test_the_second_is_the_primary_while_the_first_is_not_ready() -> None:
    """And stops to be it at once when the first is."""
    placement: Placement = [("a", "b")]
    assert decide("b", {0}, placement, ready(a=set(), b={0})).primary == {0}
    assert decide("b", {0}, placement, ready(a={0}, b={0})).primary == set()
    assert decide("a", {0}, placement, ready(a={0}, b={0})).primary == {0}


def test_of_those_that_are_to_leave_the_lowest_id_is_the_primary() -> None:
    """While nobody of the placement is ready."""
    known = ready(b={0}, c={0})
    assert decide("b", {0}, [("d",)], known) == duties({0}, {0})
    assert decide("c", {0}, [("d",)], known) == duties({0}, set())


@given(placements, announcements)
def test_hosts_that_know_the_same_have_one_primary_for_whatever_is_answered(
    placement: Placement, announced: dict[str, Announced]
) -> None:
    """Neither two nor none, however the placement and what is announced came about."""
    said = {host: decide(host, one.ready, placement, announced) for host, one in announced.items()}
    for number in PARTITIONS:
        answered = any(number in one.ready for one in announced.values())
        primaries = [host for host, one in said.items() if number in one.primary]
        assert len(primaries) == answered
        assert primaries == [host for host in [primary(number, placement, announced)] if host is not None]


@given(placements, announcements)
def test_nobody_leaves_a_partition_without_an_answer(placement: Placement, announced: dict[str, Announced]) -> None:
    """If all follow their decisions at once, whatever somebody answered for is still answered for."""
    for number in PARTITIONS:
        answering = {host for host, one in announced.items() if number in one.ready}
        staying = {h for h in answering if number in decide(h, announced[h].ready, placement, announced).hold}
        assert bool(staying) == bool(answering)


@given(placements, announcements)
def test_once_all_answer_the_placement_is_what_is_served(placement: Placement, announced: dict[str, Announced]) -> None:
    """Moves end: nobody keeps what is placed elsewhere."""
    everybody = {host: Announced(frozenset(PARTITIONS)) for host in HOSTS}
    for host in HOSTS:
        placed = {number for number, hosts in enumerate(placement) if host in hosts or not hosts}
        assert decide(host, PARTITIONS, placement, everybody).hold == placed


@given(st.sampled_from(HOSTS), some_partitions, placements, announcements)
def test_a_host_is_the_primary_of_what_it_serves_and_answers_for(
    me: str, held: frozenset[int], placement: Placement, announced: dict[str, Announced]
) -> None:
    """Of nothing else."""
    decided = decide(me, held, placement, announced)
    answers = announced[me].ready if me in announced else frozenset()
    assert decided.primary <= decided.hold & answers
