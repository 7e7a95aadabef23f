"""Room for the last copies of a placement, where each host that has room has a copy already."""

from collections import deque
from collections.abc import Iterable

_Step = tuple[str, int] | None
"""From which host a copy of which partition comes. None: it is the missing copy."""


def make_room(copies: list[list[str]], replicas: int, room: dict[str, int]) -> None:
    """Add the missing copies, by moving as few others as can be: a shortest path to a host with room, each time.

    There is one as long as the room of all hosts together is enough (a flow in the graph of partitions and hosts).
    """
    for number, hosts in enumerate(copies):
        while len(hosts) < replicas:
            _add(number, copies, room)


def _add(number: int, copies: list[list[str]], room: dict[str, int]) -> None:
    came: dict[str, _Step] = {host: None for host in sorted(room) if host not in copies[number]}
    queue = deque(came)
    while queue:
        host = queue.popleft()
        if room[host] > 0:
            room[host] -= 1
            _move(number, host, came, copies)
            return
        for other, moved in _next(host, copies, room):
            if other not in came:
                came[other] = (host, moved)
                queue.append(other)
    raise AssertionError("there is room for all copies")


def _next(host: str, copies: list[list[str]], room: Iterable[str]) -> Iterable[tuple[str, int]]:
    names = sorted(room)
    for number, hosts in enumerate(copies):
        if host in hosts:
            yield from ((other, number) for other in names if other not in hosts)


def _move(number: int, host: str, came: dict[str, _Step], copies: list[list[str]]) -> None:
    """Move copies along the path that ends at `host`, and add the missing one at its beginning."""
    while (step := came[host]) is not None:
        before, moved = step
        copies[moved][copies[moved].index(before)] = host
        host = before
    copies[number].append(host)
