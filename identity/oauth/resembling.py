"""Clients whose names look like those of others: people would take one for the other."""

from collections import defaultdict
from collections.abc import Iterable

from identity.oauth.client import OAuthClient
from schemas.lookalikes import skeleton


def resembling(clients: Iterable[OAuthClient]) -> dict[str, list[OAuthClient]]:
    """Give by its id each client whose name looks like others' of these, or is the same, with those others."""
    groups: defaultdict[str, list[OAuthClient]] = defaultdict(list)
    for client in clients:
        groups[look_of(client.name)].append(client)
    return {
        client.id: [other for other in group if other is not client]
        for group in groups.values()
        for client in group
        if len(group) > 1
    }


def resembled_by(name: str, clients: Iterable[OAuthClient]) -> list[OAuthClient]:
    """Give those clients whose names a name looks like, or is."""
    look = look_of(name)
    return [client for client in clients if look_of(client.name) == look]


def look_of(name: str) -> str:
    """Write a name so that names that look alike at a glance are the same: capitals and blanks do not count."""
    return skeleton("".join(name.split())).casefold()
