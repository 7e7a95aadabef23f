"""Stands in for the bus: records what the edge sends and gives back what a test has laid out."""

from collections.abc import Callable
from typing import Any

import msgspec

from bus.inbox import RawAnswer
from bus.subjects import partition_ask_subject
from identity.tokens import Identity
from schemas.codec import encode
from schemas.commands import Command
from schemas.errors import Code, Error
from schemas.evidence import Evidence
from schemas.queries import Query
from schemas.replies import (
    Accepted,
    AccessReply,
    AppDescription,
    AppsReply,
    AskReply,
    ComponentAnswer,
    ContextReply,
    Granted,
    Outcome,
    PingReply,
    Refused,
    Reply,
)
from schemas.verbs import verb_of

FOREVER = 4e9
"""An expiry in the year 2096."""

Answer = Any | Exception | Callable[[Any], Any]


def accepted(seq: int = 1, result: Any = None) -> Accepted:
    return Accepted(id="x", seq=seq, result=result)


def refused(code: Code, message: str = "no", field: str | None = None) -> Refused:
    return Refused(id="x", seq=1, error=Error(code, message, field))


def piece(seq: int, value: Any = "v", n: int = 0, **more: Any) -> Evidence:
    return Evidence(seq=seq, n=n, value=value, source="probe", owner="alice", time=1.5, creation_time=2.5, **more)


def context_reply(*path: str, **more: Any) -> ContextReply:
    permission = more.pop("permission", Granted(ask=True, tell=True, source="owner"))
    return ContextReply(seq=1, path=list(path), created=3.0, permission=permission, **more)


def apps_reply(**roles: Any) -> AppsReply:
    return AppsReply(seq=1, apps={app: AppDescription(description="", role=role) for app, role in roles.items()})


def answer(*path: str, value: Any = None, evidence: list[Evidence] | None = None, **more: Any) -> ComponentAnswer:
    return ComponentAnswer(path=list(path), value=value, evidence=evidence or [], creation_time=1.0, **more)


class FakeRequests:
    """Accepts every command and finds nothing, unless a test lays out outcomes and replies, used in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Command]] = []
        self.asked: list[tuple[str, str, Query]] = []
        self.outcomes: list[Answer] = []
        self.replies: list[Answer] = []

    async def send(self, user: str, app: str, command: Command, timeout_s: float = 10.0) -> Outcome:
        encode(command)
        self.sent.append((user, app, command))
        return await _next(self.outcomes, command, accepted(len(self.sent)))

    async def ask(self, user: str, app: str, query: Query, timeout_s: float = 5.0) -> Reply:
        encode(query)
        self.asked.append((user, app, query))
        default = AskReply(seq=1) if verb_of(query) == "ask" else AccessReply(seq=1, role="owner", registration=1)
        return await _next(self.replies, query, default)

    @property
    def commands(self) -> list[Command]:
        return [command for _, _, command in self.sent]

    @property
    def queries(self) -> list[Query]:
        return [query for _, _, query in self.asked]


async def _next(laid_out: list[Answer], message: Any, default: Any) -> Any:
    if not laid_out:
        return default
    given = laid_out.pop(0)
    if callable(given):
        given = given(message)
        if hasattr(given, "__await__"):
            given = await given
    if isinstance(given, Exception):
        raise given
    return given


class FakeTokens:
    """Knows `good` (alice's app probe) and what else a test adds."""

    def __init__(self) -> None:
        self.known: dict[str, Identity | Exception] = {"good": Identity("alice", "probe", FOREVER)}

    async def look_up(self, token: str) -> Identity | None:
        found = self.known.get(token)
        if isinstance(found, Exception):
            raise found
        return found


class FakeAppKeys:
    """Knows the passwords that a test or a call has set."""

    def __init__(self) -> None:
        self.passwords: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None
        self.verified: list[tuple[str, str, str]] = []

    async def verify(self, user: str, app: str, password: str) -> bool:
        self.verified.append((user, app, password))
        if self.failure:
            raise self.failure
        return self.passwords.get((user, app)) == password

    async def set_password(self, user: str, app: str, password: str) -> str | None:
        if self.failure:
            raise self.failure
        before = self.passwords.get((user, app))
        self.passwords[user, app] = password
        return before

    async def restore(self, user: str, app: str, before: str | None) -> None:
        self.passwords.pop((user, app), None)
        if before is not None:
            self.passwords[user, app] = before

    async def delete(self, user: str, app: str) -> None:
        if self.failure:
            raise self.failure
        self.passwords.pop((user, app), None)


class FakeInbox:
    """Answers the pings of the partitions in `served`."""

    def __init__(self, partitions: int) -> None:
        self.served: dict[str, Any] = {partition_ask_subject(p): p for p in range(partitions)}
        self.pings: list[str] = []

    async def request(self, subject: str, data: bytes, timeout_s: float) -> RawAnswer:
        self.pings.append(subject)
        found = self.served[subject]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, RawAnswer):
            return found
        reply = found if isinstance(found, bytes) else msgspec.json.encode(PingReply(partition=found, applied_seq=9))
        return RawAnswer(b"", reply)


class FakeBus:
    def __init__(self, partitions: int) -> None:
        self.connected = True
        self.inbox = FakeInbox(partitions)
