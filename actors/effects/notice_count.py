"""How many notices each app may set off in an hour, with one person. What is relayed again counts once."""

from typing import Final

from schemas.recent import Recent

MAX_COUNTED: Final = 1024
"""Apps whose notices are counted, each with its person."""

HOUR_S: Final = 3600


class NoticeCount:
    """Counts notices by the hour of the firing."""

    def __init__(self) -> None:
        self._ids: Recent[tuple[str, str, int], set[str]] = Recent(MAX_COUNTED)

    def allows(self, user: str, app: str, time_s: float, notice_id: str, most: int) -> bool:
        """Tell whether one more is within the bound, and count it."""
        key = (user, app, hour_of(time_s))
        ids = self._ids.get(key)
        if ids is None:
            self._ids[key] = ids = set()
        if notice_id not in ids and len(ids) >= most:
            return False
        ids.add(notice_id)
        return True


def hour_of(time_s: float) -> int:
    """Number the hour, counted since 1970."""
    return int(time_s // HOUR_S)
