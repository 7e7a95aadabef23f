"""One person's model on behalf of whoever has sent a request, who sees their own writes at whichever edge they come to.

An edge remembers what each sender has written through it. What was written through another one, the request says: by a
header, which programs copy from the answer to a write, or by a cookie, which browsers keep for a minute. Replicas lag
by less than a second. A sequence that never comes costs its sender alone, who is told to ask again.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web
from multidict import istr

from bus.as_app import OUTCOME_WITHIN_S, AsApp, Sending
from bus.turns import Sender
from edge_http.auth.cookies import seen_in, set_seen_cookie
from edge_http.http.observe import TRACE
from edge_http.keys import LAST_WRITES, REQUESTS, TURNS
from schemas.commands import Command
from schemas.errors import Code, Refusal
from schemas.limits import MAX_SEQ
from schemas.replies import Accepted, Outcome

MIN_SEQ: Final = istr("Llum-Min-Seq")
"""The header of a request that names the sequence which its answer must have seen."""


class AsCaller(AsApp):
    """As `AsApp`, for one request. Raises `bad_field` where its header holds no sequence."""

    __slots__ = ("_request",)

    def __init__(
        self, request: web.Request, user: str, app: str, sender: Sender | None = None, answered: Sending | None = None
    ) -> None:
        """`answered` gives what has been answered already, in place of the bus: that has had its turn."""
        edge = request[TRACE].edge
        requests, turns = (edge[REQUESTS], edge[TURNS]) if answered is None else (answered, None)
        super().__init__(requests, user, app, edge[LAST_WRITES], turns, sender, _seen(request, user))
        self._request = request

    async def outcome(self, command: Command, timeout_s: float = OUTCOME_WITHIN_S, *, settle: bool = False) -> Outcome:
        """Send a command as `AsApp` does; the response to the request says how far it has come."""
        outcome = await super().outcome(command, timeout_s, settle=settle)
        if isinstance(outcome, Accepted):
            seq = outcome.settled_seq or outcome.seq
            self._request[TRACE].written_seq = seq
            if hdrs.COOKIE in self._request.headers:
                set_seen_cookie(self._request, f"{_mark(self.user)}.{seq}")
        return outcome


def _seen(request: web.Request, user: str) -> int | None:
    """Give the sequence that a request says its answer must have seen."""
    headers = request.headers
    said = seq_said_in(headers)
    if said is not None:
        return said
    if hdrs.COOKIE not in headers:
        return None
    mark, _, seq = (seen_in(request) or "").partition(".")
    return int(seq) if mark == _mark(user) and _is_seq(seq) else None


def seq_said_in(headers: Mapping[str, str]) -> int | None:
    """Give the sequence that the header names; None: there is none. Raises `bad_field`."""
    said = headers.get(MIN_SEQ)
    return None if said is None else _checked(said)


def _checked(said: str) -> int:
    if not _is_seq(said):
        hint = "send what the header Llum-Seq of an earlier answer said, or leave it out"
        raise Refusal(Code.BAD_FIELD, "not a sequence", str(MIN_SEQ), hint)
    return int(said)


def _is_seq(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MAX_SEQ)) and int(text) <= MAX_SEQ


def _mark(user: str) -> str:
    """Tell one person's cookie from another's: the sequences of two logs say nothing of each other."""
    return hashlib.blake2b(user.encode(), digest_size=6).hexdigest()
