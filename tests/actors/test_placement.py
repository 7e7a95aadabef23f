"""Laws of placement: what it depends on, how much each host has, how little moves."""

import random
from collections import Counter
from math import ceil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actors.placement import Host, Placement, bound, place, shares
from bus.subjects import MAX_PARTITIONS

ids = st.text("abcdefgh0123456789-", min_size=1, max_size=8)
weights = st.sampled_from([0.25, 0.5, 1.0, 1.0, 1.0, 2.0, 3.7, 100.0])
aways = st.sampled_from([False, False, False, True])
fleets = st.lists(st.builds(Host, ids, weights, aways), min_size=1, max_size=12, unique_by=lambda host: host.id)
partition_counts = st.integers(1, 96)
replica_counts = st.integers(1, 4)


def there(hosts: list[Host]) -> list[Host]:
    return sorted(host for host in hosts if not host.away)


def copies_of(placement: Placement) -> Counter[str]:
    return Counter(host for hosts in placement for host in hosts)


def primaries_of(placement: Placement) -> Counter[str]:
    return Counter(hosts[0] for hosts in placement)


def moved(before: Placement, after: Placement) -> int:
    """Count the copies that have to be made."""
    return sum(len(set(new) - set(old)) for old, new in zip(before, after, strict=True))


def fleet(count: int, seed: int = 1) -> list[Host]:
    chance = random.Random(seed)
    return [Host(f"{chance.getrandbits(48):x}") for _ in range(count)]


@given(partition_counts, fleets, replica_counts, st.randoms())
def test_the_order_of_hosts_does_not_matter(
    partitions: int, hosts: list[Host], replicas: int, chance: random.Random
) -> None:
    """All hosts compute the same, however they came to know of each other."""
    placement = place(partitions, hosts, replicas)
    chance.shuffle(hosts)
    assert place(partitions, hosts, replicas) == placement


@given(partition_counts, fleets, replica_counts)
def test_each_partition_has_as_many_hosts_as_is_wanted(partitions: int, hosts: list[Host], replicas: int) -> None:
    """Different ones, all of them there; all that are there if these are fewer."""
    placement, present = place(partitions, hosts, replicas), {host.id for host in there(hosts)}
    assert len(placement) == partitions
    for placed in placement:
        assert len(placed) == len(set(placed)) == min(replicas, len(present))
        assert set(placed) <= present


@given(partition_counts, fleets, replica_counts)
def test_no_host_has_more_than_its_bound(partitions: int, hosts: list[Host], replicas: int) -> None:
    """Copies by weight, and primaries by weight."""
    present = there(hosts)
    assume(present)
    replicas = min(replicas, len(present))
    placement = place(partitions, hosts, replicas)
    copies, primaries = copies_of(placement), primaries_of(placement)
    for host, share in zip(present, shares(partitions, present, replicas), strict=True):
        assert copies[host.id] <= bound(share)
        assert primaries[host.id] <= max(ceil(copies[host.id] / replicas), bound(share / replicas))


@given(partition_counts, fleets, replica_counts)
def test_shares_are_by_weight(partitions: int, hosts: list[Host], replicas: int) -> None:
    """None has more than all partitions; who has fewer has by weight as much as all others who have fewer."""
    replicas = min(replicas, len(hosts))
    found = shares(partitions, hosts, replicas)
    assert sum(found) == pytest.approx(partitions * replicas)
    assert max(found) <= partitions
    rates = [share / host.weight for host, share in zip(hosts, found, strict=True)]
    fewer = [rate for rate, share in zip(rates, found, strict=True) if share < partitions * 0.999]
    assert not fewer or (max(fewer) == pytest.approx(min(fewer)) and max(rates) <= max(fewer) * 1.001)


@given(partition_counts, fleets, replica_counts)
def test_who_comes_back_finds_all_as_it_was(partitions: int, hosts: list[Host], replicas: int) -> None:
    """Also while others are away: a placement has no memory."""
    before = place(partitions, hosts, replicas)
    place(partitions, hosts[1:], replicas)
    assert place(partitions, hosts, replicas) == before


@given(partition_counts, st.integers(2, 12), replica_counts, st.integers(0, 1000))
def test_when_one_goes_away_little_moves_but_what_it_had(partitions: int, count: int, replicas: int, seed: int) -> None:
    """Each of its copies moves to another host; at most one other makes room for it, where the last has it already."""
    hosts = fleet(count, seed)
    before = place(partitions, hosts, replicas)
    after = place(partitions, [hosts[0]._replace(away=True), *hosts[1:]], replicas)
    assert moved(before, after) <= 2 * copies_of(before)[hosts[0].id]


@pytest.mark.parametrize("count", [3, 4, 5, 8])
def test_when_one_of_few_is_gone_for_good_little_else_moves(count: int) -> None:
    """On average over ten fleets of equal hosts and all that could go, with the default number of partitions."""
    moves = ideal = 0
    for seed in range(10):
        hosts = fleet(count, seed)
        before = place(64, hosts, 2)
        moves += sum(moved(before, place(64, [one for one in hosts if one != gone], 2)) for gone in hosts)
        ideal += sum(copies_of(before).values())
    assert moves <= 1.1 * ideal


@pytest.mark.parametrize("count", [100, 1000])
def test_a_large_fleet_is_balanced_and_hardly_moves(count: int) -> None:
    """With as many partitions as llum allows: at most 1.15 times the mean, and nothing moves that need not."""
    hosts = fleet(count)
    before = place(MAX_PARTITIONS, hosts, 2)
    copies, mean = copies_of(before), MAX_PARTITIONS * 2 / count
    assert max(copies.values()) <= 1.15 * mean
    assert max(primaries_of(before).values()) <= max(ceil(mean / 2), 1.15 * mean / 2)
    for gone in hosts[:5]:
        after = place(MAX_PARTITIONS, [host._replace(away=host == gone) for host in hosts], 2)
        assert moved(before, after) == copies[gone.id]


def test_a_host_of_twice_the_weight_has_twice_as_much() -> None:
    """Within the bound, both of copies and of primaries."""
    placement = place(MAX_PARTITIONS, [Host("a", 2.0), *(Host(name) for name in "bcdefgh")], 2)
    copies, primaries = copies_of(placement), primaries_of(placement)
    assert copies["a"] / (2 * MAX_PARTITIONS) == pytest.approx(2 / 9, rel=0.15)
    assert primaries["a"] / MAX_PARTITIONS == pytest.approx(2 / 9, rel=0.15)


def test_the_placement_of_a_few_partitions_is_this() -> None:
    """Workers of different versions have to agree: whoever changes this changes it for an installation at once."""
    wanted = [("b", "a"), ("a", "c"), ("a", "b"), ("c", "b")]
    assert place(4, [Host("a"), Host("b"), Host("c")], 2) == wanted
