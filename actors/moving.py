"""Which partitions a host serves while they move, and of which it is the primary: rules without clock and bus.

Each host decides for itself, by what it knows of the others: where each partition is to be (`actors.placement`), and
for which ones each host has announced that it answers. So that asks find somebody at every moment of a move:

1. A host serves what is placed on it.
2. It leaves what is placed elsewhere only once all hosts that are to have it answer for it. A host that is not there,
   or has announced nothing, does not answer.
3. The primary of a partition is the first of its placement that answers. While none of these does, it is, of those
   that still answer, the one with the lowest id.

Hosts that know the same decide alike, so each partition that somebody answers for has one primary. Hosts that know
different things may both believe that they are it, or neither, until they know the same: effects have ids by which the
second of two is dropped, and the next primary relays what is still in the outbox.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from actors.placement import Placement


class Announced(NamedTuple):
    """What a host says of itself."""

    ready: frozenset[int]
    """Partitions that it answers for now: all that was in the log when it began to serve them is applied."""


class Duties(NamedTuple):
    """What a host is to do now."""

    hold: frozenset[int]
    """Partitions to serve: those placed here, and those served here that not all of their hosts answer for yet."""
    primary: frozenset[int]
    """Those of `hold` whose primary this host is."""


def decide(me: str, held: Collection[int], placement: Placement, announced: Mapping[str, Announced]) -> Duties:
    """Say what `me` is to do, which serves `held` now. `announced` has what this host says of itself too.

    A number in `held` for which the placement has no place is kept: nobody else is to have it.
    """
    placed = {number for number, hosts in enumerate(placement) if me in hosts}
    hold = placed | {number for number in held if not _is_taken(number, placement, announced)}
    return Duties(frozenset(hold), frozenset(_primary_of(me, hold, placement, announced)))


def _is_taken(number: int, placement: Placement, announced: Mapping[str, Announced]) -> bool:
    hosts = _hosts(number, placement)
    return bool(hosts) and all(_answers(host, number, announced) for host in hosts)


def _primary_of(
    me: str, hold: Collection[int], placement: Placement, announced: Mapping[str, Announced]
) -> Iterator[int]:
    mine = announced[me].ready if me in announced else frozenset()
    return (number for number in hold if number in mine and primary(number, placement, announced) == me)


def primary(number: int, placement: Placement, announced: Mapping[str, Announced]) -> str | None:
    """Name the host that is to be the primary of a partition. None: nobody answers for it."""
    for host in _hosts(number, placement):
        if _answers(host, number, announced):
            return host
    return min((host for host, said in announced.items() if number in said.ready), default=None)


def _hosts(number: int, placement: Placement) -> tuple[str, ...]:
    return placement[number] if 0 <= number < len(placement) else ()


def _answers(host: str, number: int, announced: Mapping[str, Announced]) -> bool:
    return host in announced and number in announced[host].ready
