"""Who was forgotten after a backup was made: by what the backup itself knows, and by what others know.

The register is the first that a backup copies. Whoever is in it with a forgetting that was finished is in no copy; if
there is a model of that name, the person has come again, and stays. So no sequences are compared, which a log that was
restored counts anew, and clocks only to tell what is much older than the backup: that is of a log which was replaced.
"""

from typing import Final, NamedTuple

from bus.forgotten import Forgotten, KnownForgotten

CLOCKS_DIFFER_S: Final = 3600.0
"""Seconds by which the clocks may differ of who made the backup and of who forgot."""


class Since(NamedTuple):
    """Who is to be forgotten once more, by `who`."""

    again: frozenset[str] = frozenset()
    """They were forgotten after the backup was made."""
    unfinished: frozenset[str] = frozenset()
    """They were being forgotten while it was made. If one of them has a model, they have come again since."""
    parts: tuple[Forgotten, ...] = ()
    """Parts of others that were forgotten after it was made, the oldest first."""


def forgotten_since(in_backup: KnownForgotten, elsewhere: KnownForgotten, made_at: float) -> Since:
    """Compare what a backup knows with what is known elsewhere. `made_at`: seconds since 1970."""

    def is_since(one: Forgotten) -> bool:
        # Who was forgotten whole has no part left that was forgotten before.
        known = [in_backup[key] for key in (one.key, one.who) if key in in_backup]
        return one.at > made_at - CLOCKS_DIFFER_S and not any(each.at >= one.at for each in known)

    since = [one for one in elsewhere.values() if is_since(one)]
    again = frozenset(one.who for one in since if not one.which)
    unfinished = frozenset(one.who for one in in_backup.values() if not one.is_finished) - again
    parts = sorted((one for one in since if one.which and one.who not in again), key=lambda one: one.at)
    return Since(again, unfinished, tuple(parts))
