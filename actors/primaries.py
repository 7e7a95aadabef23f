"""Which of the hosts of a partition is to be its primary, so that none is it too often."""

from collections import defaultdict, deque
from collections.abc import Sequence


def with_primaries_first(copies: Sequence[Sequence[str]], room: dict[str, int]) -> list[tuple[str, ...]]:
    """Put one host of each partition first, none more often than `room` says, which is used up.

    The first stays first while there is room. There is a way if each host has room for its copies divided by the
    replicas, rounded up: a flow that is whole exists where a divided one does.
    """
    primaries: list[str | None] = [None] * len(copies)
    for number, hosts in enumerate(copies):
        primaries[number] = next((host for host in hosts if room[host] > 0), None)
        _take(primaries[number], room)
    _fit_the_rest(copies, primaries, room)
    return [_first(primary, hosts) for primary, hosts in zip(primaries, copies, strict=True)]


def _take(host: str | None, room: dict[str, int]) -> None:
    if host is not None:
        room[host] -= 1


def _first(primary: str | None, hosts: Sequence[str]) -> tuple[str, ...]:
    return () if primary is None else (primary, *(host for host in hosts if host != primary))


def _fit_the_rest(copies: Sequence[Sequence[str]], primaries: list[str | None], room: dict[str, int]) -> None:
    """Find a place for each partition without a primary: the shortest chain of handovers to a host with room."""
    mine: defaultdict[str | None, set[int]] = defaultdict(set)
    for number, primary in enumerate(primaries):
        mine[primary].add(number)
    for number in sorted(mine[None]):
        if copies[number]:
            _hand_over(number, copies, primaries, room, mine)


def _hand_over(
    number: int,
    copies: Sequence[Sequence[str]],
    primaries: list[str | None],
    room: dict[str, int],
    mine: defaultdict[str | None, set[int]],
) -> None:
    came: dict[str, int] = dict.fromkeys(copies[number], number)
    queue = deque(came)
    while queue:
        host = queue.popleft()
        if room[host] > 0:
            break
        for held in sorted(mine[host]):
            new = [other for other in copies[held] if other not in came]
            came.update(dict.fromkeys(new, held))
            queue.extend(new)
    room[host] -= 1
    held = -1
    while held != number:
        held = came[host]
        before = primaries[held]
        primaries[held] = host
        mine[before].discard(held)
        mine[host].add(held)
        if before is not None:
            host = before
