"""Who has signed in at log-llum. A browser has a signed cookie, the tokens of llum stay here.

All of it is in memory: who has signed in signs in again after log-llum was started anew.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from log_llum.access import Access

MOST: Final = 1000
"""Sessions at one time. The one that was used longest ago ends for a new one."""


@dataclass
class Visit:
    """One person in one browser."""

    access: Access
    user: str
    lacks: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    """What the person has not granted, by what it is for: the slice that is missing."""
    last: tuple[int, str] | None = None
    """The last tap: its sequence and thing."""
    notice: str = ""
    """What the next page says once."""


class Visits:
    """The sessions."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._visits: dict[str, Visit] = {}

    def find(self, cookie: str) -> Visit | None:
        """Find who a browser belongs to, by its cookie."""
        sid = self.opened(cookie)
        visit = self._visits.pop(sid, None)
        if visit is not None:
            self._visits[sid] = visit  # the last one is the one that goes last
        return visit

    async def begin(self, visit: Visit) -> str:
        """Keep a session under a new id, and give the cookie."""
        sid = secrets.token_urlsafe(32)
        self._visits[sid] = visit
        while len(self._visits) > MOST:
            await self._visits.pop(next(iter(self._visits))).access.close()
        return self.signed(sid)

    def end(self, cookie: str) -> Visit | None:
        """Forget a session, and give what it was."""
        return self._visits.pop(self.opened(cookie), None)

    async def close(self) -> None:
        """Let go of all connections."""
        for visit in self._visits.values():
            await visit.access.close()

    def signed(self, text: str) -> str:
        """Sign a text that a browser is to keep."""
        return f"{text}.{self._mac('cookie', text)}"

    def opened(self, cookie: str) -> str:
        """Give the text of what was signed here; empty: it was not."""
        text, _, mac = cookie.rpartition(".")
        return text if hmac.compare_digest(mac.encode(), self._mac("cookie", text).encode()) else ""

    def csrf_token(self, cookie: str) -> str:
        """Give what the forms of a session's pages send."""
        return self._mac("form", cookie)

    def _mac(self, use: str, text: str) -> str:
        return hmac.new(self._key, f"{use} {text}".encode(), hashlib.sha256).hexdigest()
