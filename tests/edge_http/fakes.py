"""Stands in for the bus: records what the edge sends and gives back what a test has laid out."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, cast

import msgspec

from bus.exchanges import OnSettled
from bus.inbox import RawAnswer
from bus.subjects import partition_ask_subject
from identity.preferences.keys import OWN_PLACE, KeyRecord, check_key
from identity.principal import Principal
from identity.sessions.csrf import CsrfTokens
from identity.sessions.session import Session
from identity.sessions.store import ListedSession, hash_of, shown_id
from schemas.apps import PREFERENCES_APP
from schemas.codec import decode_query, encode
from schemas.commands import Command
from schemas.errors import Code, Error, raised_from
from schemas.evidence import Evidence
from schemas.preferences import PreferencesReply
from schemas.queries import Query
from schemas.replies import (
    Accepted,
    AccessReply,
    AppDescription,
    AppsReply,
    AskReply,
    ComponentAnswer,
    ContextReply,
    Failed,
    Granted,
    Outcome,
    PingReply,
    Refused,
    Reply,
)
from schemas.verbs import verb_of

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
        self.settling: list[Command] = []
        """Those of the commands whose rules are waited for."""
        self.outcomes: list[Answer] = []
        self.replies: list[Answer] = []
        self.soon = 0
        """How many were sent for a call back."""
        self.sends_soon = True
        self._tasks: set[asyncio.Task[Any]] = set()

    async def send(
        self, user: str, app: str, command: Command, timeout_s: float = 10.0, *, settle: bool = False
    ) -> Outcome:
        encode(command)
        if settle:
            self.settling.append(command)
        self.sent.append((user, app, command))
        return await _next(self.outcomes, command, accepted(len(self.sent)))

    async def ask(self, user: str, app: str, query: Query, timeout_s: float = 5.0) -> Reply:
        reply = await self._reply(user, app, query)
        if isinstance(reply, Failed):
            raise raised_from(reply.error)
        return reply

    async def _reply(self, user: str, app: str, query: Query) -> Reply | Failed:
        encode(query)
        self.asked.append((user, app, query))
        defaults: dict[str, Reply] = {"ask": AskReply(seq=1), "get_context": context_reply()}
        default = defaults.get(verb_of(query), AccessReply(seq=1, role="owner", registration=1))
        return await _next(self.replies, query, default)

    def send_soon(
        self, user: str, app: str, command: Command, on_settled: OnSettled, timeout_s: float = 10.0, *, settle: bool
    ) -> bool:
        encode(command)
        return self._have_settled(self.send(user, app, command, timeout_s, settle=settle), on_settled)

    def ask_soon(self, user: str, app: str, query: Query, on_settled: OnSettled, timeout_s: float = 5.0) -> bool:
        encode(query)
        return self._have_settled(self._reply(user, app, query), on_settled)

    def _have_settled(self, answering: Coroutine[Any, Any, Any], on_settled: OnSettled) -> bool:
        if not self.sends_soon:
            answering.close()
            return False

        def settled(task: "asyncio.Task[Any]") -> None:
            self._tasks.discard(task)
            if task.cancelled():
                return
            error = task.exception()
            assert error is None or isinstance(error, Exception)
            on_settled(None if error else encode(task.result()), error)

        task = asyncio.get_running_loop().create_task(answering)
        self._tasks.add(task)
        task.add_done_callback(settled)
        self.soon += 1
        return True

    async def ask_raw(self, user: str, app: str, verb: str, data: bytes, timeout_s: float = 5.0) -> bytes:
        query = decode_query(data, verb)
        self.asked.append((user, app, query))
        reply = await _next(self.replies, query, PreferencesReply(seq=1))
        return encode(Failed(error=reply) if isinstance(reply, Error) else reply)

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


class FakePasswords:
    """Keeps the passwords that a test or a call has set."""

    def __init__(self) -> None:
        self.passwords: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None

    async def hashed(self, password: str) -> str:
        return password

    async def store(self, user: str, app: str, registration: int, hashed: str) -> None:
        self._fail()
        self.passwords[user, app] = hashed

    async def delete(self, user: str, app: str, before: int | None = None) -> None:
        self._fail()
        self.passwords.pop((user, app), None)

    def _fail(self) -> None:
        if self.failure:
            raise self.failure


class FakeTokens:
    """Remembers of which apps the tokens were deleted."""

    def __init__(self) -> None:
        self.deleted: list[tuple[str, str, int]] = []

    async def delete_of(self, user: str, app: str, before: int) -> None:
        self.deleted.append((user, app, before))


class FakeFamilies:
    """Remembers of which apps the sign-ins were ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str, int | None]] = []

    async def end_of(self, user: str, client_id: str, before: int | None = None) -> int:
        self.ended.append((user, client_id, before))
        return 0


class FakeIssuing:
    """Has nobody signed in."""

    def __init__(self) -> None:
        self.families = FakeFamilies()


class FakeRegistrations:
    """Remembers what passed through."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, int | None, int]] = []
        self.origins: dict[tuple[str, str], frozenset[str]] = {}

    def note(self, user: str, app: str, registration: int | None, seq: int, origins: Iterable[str] = ()) -> None:
        self.noted.append((user, app, registration, seq))
        self.origins[user, app] = frozenset(origins)

    def origins_of(self, user: str, app: str) -> frozenset[str]:
        return self.origins.get((user, app), frozenset())


class FakeSessions:
    """Keeps sessions in memory."""

    def __init__(self) -> None:
        self.by_id: dict[str, Session] = {}
        self.failure: Exception | None = None

    async def set_session(self, sid: str, session: Session) -> None:
        self._fail()
        hash_of(sid)
        self.by_id[sid] = session

    async def get_session(self, sid: str) -> Session | None:
        self._fail()
        return self.at_hand(sid)

    def at_hand(self, sid: str) -> Session | None:
        hash_of(sid)
        found = self.by_id.get(sid)
        return found if found is not None and found.expires > time.time() else None

    async def delete_session(self, sid: str) -> None:
        self._fail()
        self.by_id.pop(sid, None)

    async def sessions_of(self, user: str) -> list[ListedSession]:
        mine = {sid: one for sid, one in self.by_id.items() if one.user == user}
        return [ListedSession(shown_id(sid), one, one.made, sid) for sid, one in mine.items()]

    async def end(self, user: str, shown: str) -> bool:
        ended = [one.key for one in await self.sessions_of(user) if one.id == shown]
        return bool([self.by_id.pop(sid) for sid in ended])

    async def end_all(self, user: str, but: str | None = None) -> int:
        return len([self.by_id.pop(one.key) for one in await self.sessions_of(user) if one.key != but])

    def _fail(self) -> None:
        if self.failure:
            raise self.failure


class FakePreferenceKeys:
    """Has a safe for each key, and what a test says of a key otherwise. Nobody joins any."""

    def __init__(self) -> None:
        self.records: dict[str, KeyRecord] = {}
        self.bus = FakeBus(1)
        self.store = self
        self.bucket = self

    async def find_at_leader(self, key: str) -> None:
        return None

    async def find_anew(self, key: str) -> KeyRecord:
        return await self.find(key)

    async def find(self, key: str) -> KeyRecord:
        check_key(key)
        return self.records.get(key) or key_record(key)

    async def safe_user(self, key: str) -> str:
        return key_record(key).user


def key_record(key: str, **members: Any) -> KeyRecord:
    """Give what is known of a key without a record, but for these members."""
    user = "_safe-" + hashlib.sha256(key.encode()).hexdigest()[:40]
    return KeyRecord(key, user, OWN_PLACE, PREFERENCES_APP, False, None, True, False)._replace(**members)


class FakeRing:
    """One key, which needs no bus."""

    used = b"a secret of a test"
    accepted = (used,)
    is_open = True


def csrf_tokens() -> CsrfTokens:
    """Make tokens with a secret that needs no bus."""
    return CsrfTokens(cast("Any", FakeRing()))


class FakeAuthenticator:
    """Knows the token `good` (alice's app probe), what else a test adds, and the passwords that were set."""

    def __init__(self) -> None:
        self.known: dict[str, Principal | Exception] = {"good": token_of("alice", "probe")}
        self.passwords = FakePasswords()
        self.tokens = FakeTokens()
        self.oauth = FakeIssuing()
        self.preference_keys = FakePreferenceKeys()
        self.registrations = FakeRegistrations()
        self.sessions = FakeSessions()
        self.csrf = csrf_tokens()
        self.verified: list[tuple[str, str, str]] = []
        self.sources: set[str] = set()

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def by_token(self, token: str) -> Principal | None:
        found = self.known.get(token)
        if isinstance(found, Exception):
            raise found
        return found

    def at_hand(self, token: str) -> Principal | None:
        found = self.known.get(token)
        return found if isinstance(found, Principal) else None

    async def by_password(self, user: str, app: str, password: str, source: str) -> Principal | None:
        self.verified.append((user, app, password))
        self.sources.add(source)
        if self.passwords.failure:
            raise self.passwords.failure
        right = self.passwords.passwords.get((user, app)) == password
        return Principal(user, app, 1, "password") if right else None


def token_of(user: str, app: str) -> Principal:
    """Give who a token of an app stands for."""
    return Principal(user, app, 1, "token")


class FakeInbox:
    """Answers the pings of the partitions in `served`."""

    def __init__(self, partitions: int) -> None:
        self.served: dict[str, Any] = {partition_ask_subject(p): p for p in range(partitions)}
        self.pings: list[str] = []

    async def request(self, subject: str, data: bytes, timeout_s: float, again_s: float | None = None) -> RawAnswer:
        self.pings.append(subject)
        found = self.served[subject]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, RawAnswer):
            return found
        reply = (
            found
            if isinstance(found, bytes)
            else msgspec.json.encode(PingReply(partition=found, applied_seq=9, idle_s=1.0))
        )
        return RawAnswer(b"", reply)


class FakeBus:
    def __init__(self, partitions: int) -> None:
        self.connected = True
        self.inbox = FakeInbox(partitions)
