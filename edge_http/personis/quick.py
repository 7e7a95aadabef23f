"""Tells and asks with a token that is known, answered by a call back. What is unusual about an answer goes on as ever.

All that is decided here is decided by the same functions as for every other call. What they refuse before anything is
sent is left to the way of all, which refuses it once more, and says so.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import msgspec
from aiohttp import web

from bus.as_app import Sending
from bus.calling_back import CallingBack
from edge_http.auth.as_caller import seq_said_in
from edge_http.auth.bearer import only_token_in
from edge_http.http.observe import TRACE
from edge_http.http.quick_requests import BeginQuickly, QuickRequest
from edge_http.http.responses import BODY_END, seq_line
from edge_http.keys import AUTHENTICATOR, LAST_WRITES, REQUESTS, TURNS
from edge_http.personis import calls, render, requests
from edge_http.personis.asking import asked, value_of
from edge_http.personis.caller import IDEMPOTENCY_KEY, SETTLE, Caller, error_to, respond
from edge_http.personis.evidence import evidence_at_once
from schemas.decoding import decode
from schemas.errors import raised_from
from schemas.queries import Ask, Query
from schemas.replies import Accepted, AskReply, Failed, Outcome, Reply

if TYPE_CHECKING:
    from identity.principal import Principal

C = TypeVar("C", bound=calls.Call)


def quick_calls(app: web.Application) -> Mapping[str, BeginQuickly]:
    """Give what begins a tell and an ask."""
    calling = CallingBack(app[REQUESTS], app[LAST_WRITES], app[TURNS])

    def tell(request: QuickRequest) -> bool:
        principal = _known(app, request)
        return principal is not None and SETTLE not in request.headers and _Tell(request, principal).begin(calling)

    def ask(request: QuickRequest) -> bool:
        principal = _known(app, request)
        return principal is not None and _Ask(request, principal).begin(calling)

    return {"/tell": tell, "/ask": ask}


def _known(app: web.Application, request: QuickRequest) -> "Principal | None":
    """Give the sender, if a token shows who that is and nobody need be asked."""
    token = only_token_in(request.headers)
    return None if token is None else app[AUTHENTICATOR].at_hand(token)


class _QuickCall(ABC):
    """One call under way."""

    __slots__ = ("_envelope", "_principal", "_request", "_writer")

    OP: ClassVar[str]

    def __init__(self, request: QuickRequest, principal: "Principal") -> None:
        self._request = request
        self._principal = principal
        self._writer = request.user, request.app = principal.user, principal.app
        request.op = self.OP
        self._envelope = True

    def _checked(self, call: C) -> C:
        self._envelope = call.version is not msgspec.UNSET
        requests.check_model(call, self._principal.user)
        return call

    def _settled(self, answer: Any, error: Exception | None) -> None:
        try:
            said = None if error is not None else self._said(answer)
        except Exception:  # noqa: BLE001 - it comes about once more there, and is told
            said = None
        if said is None:
            self._go_on(answer, error)
        else:
            self._request.answer(*said)

    @abstractmethod
    def _said(self, answer: Any) -> "tuple[bytes, bytes] | None":
        """Give the body of the response, and the lines of further headers; None: the answer is unusual."""

    def _framed(self, value: render.Value) -> bytes:
        return render.framed(value, self._envelope) + BODY_END

    def _go_on(self, answer: Any, error: Exception | None) -> None:
        """Have an answer dealt with as all are."""

        async def handle(request: web.Request) -> web.StreamResponse:
            trace, principal, body = request[TRACE], self._principal, self._request.body
            trace.user, trace.app, trace.op = principal.user, principal.app, self.OP
            trace.render_error = error_to(request, principal, body)
            caller = Caller(request, self.OP, principal, body, _Answered(trace.edge[REQUESTS], answer, error))
            caller.envelope = self._envelope
            return respond(caller, await self._finish(caller))

        self._request.go_on(handle)

    @abstractmethod
    async def _finish(self, caller: Caller) -> render.Value:
        """Do what is left to be done, beginning with the answer."""


class _Tell(_QuickCall):
    __slots__ = ("_command",)

    OP = "tell"

    def begin(self, calling: CallingBack) -> bool:
        headers, body = self._request.headers, self._request.body
        call = self._checked(requests.tell_in(body))
        self._command = requests.tell_of(call, requests.command_id(call, headers.get(IDEMPOTENCY_KEY)))
        # A tell does not wait for it, but a wrong one is refused.
        seq_said_in(headers)
        return calling.send(self._writer, self._command, self._settled, settle=True)

    def _said(self, answer: Outcome) -> tuple[bytes, bytes] | None:
        if not isinstance(answer, Accepted):
            return None
        return self._framed(None), seq_line(answer.settled_seq or answer.seq)

    async def _finish(self, caller: Caller) -> None:
        await caller.tell(self._command)


class _Ask(_QuickCall):
    __slots__ = ("_query",)

    OP = "ask"

    def begin(self, calling: CallingBack) -> bool:
        self._query, self._envelope = self._request.head.read(self._request.body, self._read)
        return calling.ask(self._writer, self._query, seq_said_in(self._request.headers), self._settled)

    def _read(self, body: bytes) -> tuple[Ask, bool]:
        """Give the query, and whether it is answered in an envelope. Whoever has the head's token is one person."""
        return requests.ask_of(self._checked(decode(calls.ASK, body))), self._envelope

    def _said(self, answer: Reply) -> tuple[bytes, bytes] | None:
        if not isinstance(answer, AskReply) or answer.failures:
            return None
        evidence = evidence_at_once(answer)
        if evidence is None:
            return None
        return self._framed(value_of(self._query, answer, evidence, self._principal.user)), b""

    async def _finish(self, caller: Caller) -> render.Value:
        return await asked(caller, self._query)


class _Answered:
    """Gives whoever sends or asks first the answer that has come already. What is asked after that the bus answers."""

    def __init__(self, requests: Sending, answer: Any, error: Exception | None) -> None:
        self._requests = requests
        self._answer = answer
        self._error = error

    async def send(self, *_: Any, **__: Any) -> Outcome:
        """Give the outcome, or raise what was wrong."""
        return self._taken()  # type: ignore[no-any-return]

    async def ask(self, user: str, app: str, query: Query) -> Reply:
        """Give the reply, or raise what it says has failed."""
        if self._answer is None and self._error is None:
            return await self._requests.ask(user, app, query)
        reply = self._taken()
        if isinstance(reply, Failed):
            raise raised_from(reply.error)
        return reply  # type: ignore[no-any-return]

    def _taken(self) -> Any:
        answer, error = self._answer, self._error
        self._answer = self._error = None
        if error is not None:
            raise error
        return answer
