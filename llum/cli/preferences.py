"""Preferences, keys and documents in words."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from model.preferences.documents import AUTHORIZATION, CLIENT, CREDENTIAL, KEY, SAFE
from schemas.paths import format_path

if TYPE_CHECKING:
    from llum.preferences.keys import ShownKey
    from llum.preferences.loading import LoadReport

_NAMES: Final = {
    KEY: ("key", "keys"),
    SAFE: ("safe", "safes"),
    CLIENT: ("program", "programs"),
    CREDENTIAL: ("credential", "credentials"),
    AUTHORIZATION: ("token", "tokens"),
}
"""By type of document: one of it, and several."""


def counted(counts: Mapping[str, int]) -> str:
    """Say how many documents of each type there are: `10 keys, 1 safe`."""
    parts = [f"{counts[kind]:,} {names[counts[kind] != 1]}" for kind, names in _NAMES.items() if counts.get(kind)]
    return ", ".join(parts) or "nothing"


def loaded(report: "LoadReport") -> str:
    """Say what a load has done."""
    if not report.stored.total():
        return "everything in these documents is here already" if report.there.total() else "there are no documents"
    there = f"\nhere already, and left as it is: {counted(report.there)}" if report.there.total() else ""
    return f"loaded {counted(report.stored)}{there}"


def facts_of(shown: "ShownKey") -> Iterator[tuple[str, str]]:
    """Say what a key opens."""
    yield "key", shown.key
    yield "works", f"no: revoked{': ' + shown.reason if shown.reason else ''}" if shown.revoked else "yes"
    yield "opens", _opened(shown)
    yield "model", shown.user
    if shown.safe is not None:
        yield "made", shown.safe.made or "unknown"
        yield "changed", shown.safe.updated or "never"
        for view, number in shown.safe.settings.items():
            yield view, "1 setting" if number == 1 else f"{number:,} settings"


def _opened(shown: "ShownKey") -> str:
    if shown.is_joined:
        return f"a part of a person's model, /{format_path(shown.place)}: what is there is theirs to show"
    if shown.safe is None and shown.revoked:
        return "nothing"
    if shown.safe is None:
        return "nothing yet: preferences put under it make its safe"
    read_only = ", which nobody changes" if shown.safe.type == "snapset" else ""
    return f"the safe {shown.safe.id} of type {shown.safe.type}{read_only}"
