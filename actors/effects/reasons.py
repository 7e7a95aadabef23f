"""Why a rule brings something about: the piece of evidence that has fired it, and what else it has read."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from actors.store.entries import FiredEntry
from model.rules.decide import OWN_MODEL, Wanted
from schemas.causes import Cause
from schemas.limits import MAX_TEXT_CHARACTERS
from schemas.paths import format_path

MAX_READ: Final = 64
"""Values that are named: a rule has no more references."""


def cause_of(entry: FiredEntry, rule: str) -> Cause:
    """Give the cause of what a rule tells in another person's model: it names nothing of this one but numbers."""
    before = entry.cause
    return Cause(
        rule=rule,
        root=f"{entry.user}.{entry.seq}" if before is None else before.root,
        depth=1 if before is None else before.depth + 1,
        person=entry.user,
        # A schedule that has fired says which rule; it was fired by no evidence.
        seq=entry.seq if entry.token is None else None,
        n=entry.n,
    )


def own_cause_of(entry: FiredEntry, rule: str, read: Iterable[Wanted] = ()) -> Cause:
    """Give the cause of what a rule brings about in its own model."""
    cause = cause_of(entry, rule)
    if cause.seq is None:
        return cause
    return msgspec.structs.replace(cause, path=entry.path, read=_names(entry, read))


def host_of(url: str) -> str:
    """Give the beginning of a URL, up to the host: the rest may hold values, and what comes before it a password."""
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def _names(entry: FiredEntry, read: Iterable[Wanted]) -> list[str]:
    """Name values as rules write them; the one that fired the rule is named by itself."""
    names: dict[str, None] = {}
    for wanted in read:
        is_own = wanted.model in (OWN_MODEL, entry.user)
        name = f"{OWN_MODEL if is_own else wanted.model}/{format_path(wanted.path)}"
        if not (is_own and list(wanted.path) == entry.path) and len(name) <= MAX_TEXT_CHARACTERS:
            names[name] = None
    return list(names)[:MAX_READ]
