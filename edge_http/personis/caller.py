"""One call: who makes it, with which body, and the way to the bus on their behalf."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from aiohttp import web
from multidict import istr

from bus.as_app import Sending
from bus.importing import Imported, PartsWith, import_below
from bus.subjects import SETTLE_HEADER
from edge_http.auth.as_caller import AsCaller
from edge_http.http.observe import TRACE, RenderError
from edge_http.http.sources import PROXIES
from edge_http.keys import AUTHENTICATOR, PUBLIC_URL
from edge_http.oauth.addresses import resource_metadata_of
from edge_http.personis import render, requests
from edge_http.personis.calls import AnyTellCall, Call
from edge_http.personis.evidence import FEW_EXPORTS, LARGE_ANSWERS, LargeAnswers
from identity.apps import Apps
from schemas.commands import Command, Tell
from schemas.decoding import decode
from schemas.errors import Code, Refusal, Transient, raised_from
from schemas.queries import Query
from schemas.replies import Accepted, ComponentFailure, Outcome, Refused

if TYPE_CHECKING:
    from identity.principal import Principal

C = TypeVar("C", bound=Call)

IDEMPOTENCY_KEY: Final = istr("Idempotency-Key")
SETTLE: Final = istr(SETTLE_HEADER)


class Caller:
    """What an operation is given to do its work with."""

    __slots__ = (
        "_app", "_as_app", "_headers", "body", "envelope", "failures", "idempotency_key", "op", "principal", "settled",
        "skipped",
    )  # fmt: skip

    def __init__(
        self,
        request: web.Request,
        op: str,
        principal: "Principal",
        body: bytes,
        answered: Sending | None = None,
    ) -> None:
        """`answered` gives what has been answered already, in place of the bus."""
        # Every request passes here: what few operations need waits.
        self._app = app = request[TRACE].edge
        # Without a token its address takes turns, whatever names and passwords it tries.
        sender = None if principal.how != "password" else app[PROXIES].sender_of(request)
        self._as_app = AsCaller(request, principal.user, principal.app, sender, answered)
        self.op = op
        self.principal = principal
        self.body = body
        self._headers = headers = request.headers
        self.idempotency_key = headers.get(IDEMPOTENCY_KEY)
        self.envelope = True
        self.failures: Sequence[ComponentFailure] = ()
        """Components of an ask that could not be answered, while others were."""
        self.settled: Accepted | None = None
        """An outcome that says how far all has come, for who has asked for that."""
        self.skipped: Sequence[dict[str, Any]] = ()
        """What an import has left out, rendered."""

    @property
    def large_answers(self) -> LargeAnswers:
        return self._app[LARGE_ANSWERS]

    @property
    def few_exports(self) -> asyncio.Semaphore:
        return self._app[FEW_EXPORTS]

    @property
    def apps(self) -> Apps:
        return Apps(self.principal.user, self.accepted, self.ask, self._app[AUTHENTICATOR])

    def parse(self, decoder: msgspec.json.Decoder[C]) -> C:
        """Decode the call and check that it is about the caller's own model."""
        return self._checked(decode(decoder, self.body))

    def parse_tell(self) -> AnyTellCall:
        """Do the same for a tell."""
        return self._checked(requests.tell_in(self.body))

    def _checked(self, call: C) -> C:
        self.envelope = call.version is not msgspec.UNSET
        requests.check_model(call, self.principal.user)
        return call

    def id_for(self, call: Call) -> str:
        return requests.command_id(call, self.idempotency_key)

    async def send(self, command: Command, *, settled: tuple[Code, ...] = ()) -> Code | None:
        """Send a command; None when it is accepted, its code when it is refused with one of `settled`.

        Raises every other refusal, and `unavailable` with the id to repeat it under.
        """
        outcome = await self._outcome(command)
        if not isinstance(outcome, Refused):
            return None
        if outcome.error.code in settled:
            return outcome.error.code
        raise raised_from(render.in_call(self.op, outcome.error))

    async def tell(self, command: Tell) -> None:
        """Send a tell. The next ask sees what rules have done with it, as the original's clients expect.

        Raises as `send`.
        """
        outcome = await self.accepted(command, settle=True)
        if self._headers.get(SETTLE) == "1":
            self.settled = outcome

    async def accepted(self, command: Command, *, settle: bool = False) -> Accepted:
        """Send a command and give its outcome. Raises as `send`."""
        outcome = await self._outcome(command, settle)
        if isinstance(outcome, Accepted):
            return outcome
        raise raised_from(render.in_call(self.op, outcome.error))

    async def imported(self, parts: PartsWith, first: list[str], salt: str) -> Imported:
        """Import below a context. Raises as `bus.importing.import_below`."""
        try:
            return await import_below(self._as_app, parts, first, salt)
        except Refusal as error:
            raise raised_from(render.in_call(self.op, error.error)) from error

    async def _outcome(self, command: Command, settle: bool = False) -> Outcome:
        try:
            return await self._as_app.outcome(command, settle=settle)
        except Transient as error:
            raise _repeatable(error, command.id) from error

    async def ask(self, query: Query) -> Any:
        """Send a query, which sees what this app has written; give the reply, or raise its error."""
        try:
            return await self._as_app.ask(query)
        except Refusal as error:
            raise raised_from(render.in_call(self.op, error.error)) from error


Operation = Callable[[Caller], Awaitable[render.Value]]


def error_to(request: web.Request, principal: "Principal", body: bytes) -> RenderError:
    """Say how errors are told to whoever calls with a token."""
    if principal.oauth:
        metadata_url = resource_metadata_of(request[TRACE].edge[PUBLIC_URL])
        return functools.partial(render.error_to_oauth, metadata_url, body)
    return functools.partial(render.error_response, body)


def respond(caller: Caller, value: render.Value) -> web.Response:
    """Answer an operation that succeeded."""
    beside = None
    if caller.failures or caller.skipped or caller.settled is not None:
        beside = render.beside(caller.failures, caller.skipped, caller.settled)
    return render.ok_response(value, envelope=caller.envelope, beside=beside)


def _repeatable(error: Transient, command_id: str) -> Transient:
    if error.code is Code.TOO_FAST:
        # It was not sent.
        return error
    hint = f"to be sure that it is applied once, repeat it with the header Idempotency-Key: {command_id}"
    return Transient(error.code, error.error.message, hint, error.retry_after_s)
