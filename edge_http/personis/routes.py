"""The operations of the Personis face."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from aiohttp import web

from edge_http.authenticate import authenticate
from edge_http.body import decode, read_body
from edge_http.keys import LAST_WRITES, REQUESTS
from edge_http.observe import TRACE
from edge_http.personis import render, requests
from edge_http.personis.evidence import LARGE_ANSWERS, MAX_LARGE_ANSWERS, all_evidence
from schemas.commands import Command
from schemas.errors import Code, Refusal, Transient, raised_from
from schemas.queries import Access, Query
from schemas.replies import AskReply, Outcome, Refused

if TYPE_CHECKING:
    from bus.requests import Requests
    from bus.tokens import Identity
    from edge_http.read_your_writes import LastWrites

C = TypeVar("C", bound=requests.Call)


class Caller:
    """One call: who makes it, with which body, and the way to the bus on their behalf."""

    __slots__ = ("_last_writes", "_requests", "body", "envelope", "idempotency_key", "identity", "large_answers", "op")

    def __init__(self, request: web.Request, op: str, identity: "Identity", body: bytes) -> None:
        self._requests: Requests = request.app[REQUESTS]
        self._last_writes: LastWrites = request.app[LAST_WRITES]
        self.large_answers = request.app[LARGE_ANSWERS]
        self.op = op
        self.identity = identity
        self.body = body
        self.idempotency_key = request.headers.get("Idempotency-Key")
        self.envelope = True

    def parse(self, decoder: msgspec.json.Decoder[C]) -> C:
        """Decode the call and check that it is about the caller's own model."""
        call = decode(decoder, self.body)
        self.envelope = call.version is not msgspec.UNSET
        requests.check_model(call, self.identity.user)
        return call

    def id_for(self, call: requests.Call) -> str:
        return requests.command_id(call, self.idempotency_key)

    async def send(self, command: Command, *, settled: tuple[Code, ...] = ()) -> Code | None:
        """Send a command; None when it is accepted, its code when it is refused with one of `settled`.

        Raises every other refusal, and `unavailable` with the id to repeat it under.
        """
        user, app = self.identity.user, self.identity.app
        try:
            outcome: Outcome = await self._requests.send(user, app, command)
        except Transient as error:
            raise _repeatable(error, command.id) from error
        if not isinstance(outcome, Refused):
            self._last_writes.note((user, app), outcome.seq)
            return None
        if outcome.error.code in settled:
            return outcome.error.code
        raise raised_from(render.in_call(self.op, outcome.error))

    async def ask(self, query: Query) -> Any:
        """Send a query; the reply, or what it raises."""
        try:
            return await self._requests.ask(self.identity.user, self.identity.app, query)
        except Refusal as error:
            raise raised_from(render.in_call(self.op, error.error)) from error

    @property
    def min_seq(self) -> int | None:
        return self._last_writes.seq_of((self.identity.user, self.identity.app))


Operation = Callable[[Caller], Awaitable[render.Value]]


def add_personis(app: web.Application) -> None:
    """Add the operations, and `POST /<anything else>`, which is answered as the original does: ok, false."""
    app[LARGE_ANSWERS] = asyncio.Semaphore(MAX_LARGE_ANSWERS)
    for op in OPERATIONS:
        app.router.add_post(f"/{op}", functools.partial(_serve, op))
    app.router.add_post("/{op}", functools.partial(_serve, "unknown"))


async def _serve(op: str, request: web.Request) -> web.Response:
    trace = request[TRACE]
    trace.op = op
    trace.render_error = functools.partial(render.error_response, b"")
    identity = await authenticate(request)
    body = await read_body(request)
    trace.render_error = functools.partial(render.error_response, body)
    caller = Caller(request, op, identity, body)
    value = await OPERATIONS.get(op, _unknown)(caller)
    return render.ok_response(value, envelope=caller.envelope)


async def _access(caller: Caller) -> bool:
    caller.parse(requests.CALL)
    await caller.ask(Access(min_seq=caller.min_seq))
    return True


async def _tell(caller: Caller) -> None:
    call = caller.parse(requests.TELL)
    await caller.send(requests.tell_of(call, caller.id_for(call)))


async def _ask(caller: Caller) -> list[Any]:
    query = requests.ask_of(caller.parse(requests.ASK), caller.min_seq)
    reply: AskReply = await caller.ask(query)
    if reply.failures and not reply.components and not query.show_contexts:
        raise raised_from(render.in_call(caller.op, reply.failures[0].error))
    evidence = await all_evidence(caller.ask, query, reply, caller.large_answers)
    components = [render.component(*pair) for pair in zip(reply.components, evidence, strict=True)]
    return render.with_contexts(reply, components) if query.show_contexts else components


async def _make_context(caller: Caller) -> bool:
    call = caller.parse(requests.MAKE_CONTEXT)
    command, permissions = requests.make_context_of(call, caller.body, caller.id_for(call))
    if await caller.send(command, settled=(Code.ALREADY_EXISTS, Code.NO_SUCH_CONTEXT)):
        return False
    for permission in permissions:
        await caller.send(permission)
    return True


async def _make_component(caller: Caller) -> str | None:
    call = caller.parse(requests.MAKE_COMPONENT)
    members, at = requests.component_of(call, caller.body)
    if members.value is not None:
        return "component value specified at creation - not allowed"
    command = requests.make_component_of(call, members, at, caller.id_for(call))
    if await caller.send(command, settled=(Code.ALREADY_EXISTS,)):
        return render.already_exists(members.Identifier)
    return None


async def _make_view(caller: Caller) -> None:
    call = caller.parse(requests.MAKE_VIEW)
    await caller.send(requests.make_view_of(call, caller.body, caller.id_for(call)))


async def _unknown(caller: Caller) -> bool:
    caller.parse(requests.CALL)
    return False


def _repeatable(error: Transient, command_id: str) -> Transient:
    hint = f"to be sure that it is applied once, repeat it with the header Idempotency-Key: {command_id}"
    return Transient(error.code, error.error.message, hint, error.retry_after_s)


OPERATIONS: Final[dict[str, Operation]] = {
    "access": _access,
    "tell": _tell,
    "ask": _ask,
    "mkcontext": _make_context,
    "mkcomponent": _make_component,
    "mkview": _make_view,
}
