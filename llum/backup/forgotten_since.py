"""Who was forgotten after a backup was made: by what the backup itself knows, and by what others know.

The register is the first that a backup copies. Whoever is in it with a forgetting that was finished is in no copy; if
there is a model of that name, the person has come again, and stays. So no sequences are compared, which a log that was
restored counts anew, and clocks only to tell what is much older than the backup: that is of a log which was replaced.
"""

from typing import Final, NamedTuple

from bus.forgotten import KnownForgotten

CLOCKS_DIFFER_S: Final = 3600.0
"""Seconds by which the clocks may differ of who made the backup and of who forgot."""


class Since(NamedTuple):
    """Who is to be forgotten once more, by `who`."""

    again: frozenset[str]
    """They were forgotten after the backup was made."""
    unfinished: frozenset[str]
    """They were being forgotten while it was made. If one of them has a model, they have come again since."""


def forgotten_since(in_backup: KnownForgotten, elsewhere: KnownForgotten, made_at: float) -> Since:
    """Compare what a backup knows with what is known elsewhere. `made_at`: seconds since 1970."""
    again = {
        one.who
        for one in elsewhere.values()
        if one.at > made_at - CLOCKS_DIFFER_S and not (one.who in in_backup and in_backup[one.who].at >= one.at)
    }
    unfinished = {one.who for one in in_backup.values() if not one.is_finished} - again
    return Since(frozenset(again), frozenset(unfinished))
