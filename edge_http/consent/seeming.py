"""Names of apps that look like others' names, said in words: whoever chooses a name may choose one that deceives."""

from collections.abc import Iterable
from typing import Final

from identity.oauth.client import OAuthClient
from schemas.lookalikes import skeleton, warnings

LLUM: Final = "llum"


def name_warnings(client: OAuthClient, others: Iterable[OAuthClient]) -> list[str]:
    """Say whose name the client's name looks like."""
    own = _seen(client.name)
    alike = [other for other in others if other.id != client.id and _seen(other.name) == own]
    found = [_like_another(client, other) for other in alike]
    if _seen(LLUM) in _words(client.name):
        found.append("It calls itself llum, but it is not: llum asks for nothing in this way.")
    if not found and warnings([client.name]):
        found.append("Its name has letters that look like others. Look twice whether it is the app that you mean.")
    return found


def _like_another(client: OAuthClient, other: OAuthClient) -> str:
    if other.name == client.name:
        return f"Another app here is called {other.name}, too. Look at the address whether it is the one that you mean."
    return f"Its name looks like that of another app here: {other.name}. They are not the same."


def _words(name: str) -> list[str]:
    """Give the words of a name, and all of it, as they look."""
    seen = _seen(name)
    return [seen, *seen.replace("-", " ").split()] if seen.startswith(_seen(LLUM)) else [seen]


def _seen(name: str) -> str:
    """Write a name as it looks to somebody who does not look closely."""
    return skeleton(" ".join(skeleton(name).casefold().split()))
