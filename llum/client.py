"""The SDK: tell and ask from Python, straight over the bus.

    async with Client.connect(app="kitchen") as llum:
        await llum.tell("alice", "Personal/firstname", "Al")
        answer = await llum.ask("alice", "Personal/firstname")
        print(answer.value)

Every method raises `schemas.errors.Refusal` for what cannot succeed as it is (its `code` is stable, its `field` says
what to mend) and `schemas.errors.Transient` for what may succeed later. A path is text with `/` between its segments,
or a list of segments.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from bus.connection import Bus
from bus.requests import Requests
from llum.running import find
from llum.settings import load
from schemas.commands import Command, MakeComponent, MakeContext, MakeModel, MakeView, RegisterApp, SetPermission, Tell
from schemas.definitions import ComponentDefinition, ModelDefinition, ViewDefinition
from schemas.errors import Code, Refusal, raised_from
from schemas.evidence import EvidenceFilter, EvidenceType, NewEvidence
from schemas.paths import Path as Segments
from schemas.paths import check_path, check_token, parse_path
from schemas.queries import Access, Ask, Query
from schemas.replies import Accepted, AccessReply, AskReply, ComponentAnswer, Refused, Reply

OWNER_APP: Final = "llum"
"""The command line's own app: the first owner app of every model that it makes."""

PathLike = str | Sequence[str]


class Client:
    """Speaks as one app, about any user. Make it with `Client.connect`; safe to share between tasks."""

    def __init__(self, bus: Bus, requests: Requests, app: str) -> None:
        self.bus = bus
        self.requests = requests
        self.app = app

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(
        cls, url: str | None = None, data_dir: Path | str | None = None, app: str = OWNER_APP
    ) -> AsyncIterator["Client"]:
        """Connect to a bus: at `url`, else at LLUM_NATS_URL, else where the llum on the data folder runs.

        Raises `llum.failures.Fault` if no llum runs there, `Refusal` if the app's id cannot be one.
        """
        check_token(app, "app")
        bus = await Bus.connect(url or find_bus(data_dir), name=f"llum-client-{app}")
        try:
            requests = Requests(bus)
            await requests.start()
            try:
                yield cls(bus, requests, app)
            finally:
                await requests.close()
        finally:
            await bus.close()

    async def tell(
        self,
        user: str,
        path: PathLike,
        value: Any,
        *,
        evidence_type: EvidenceType = "explicit",
        flags: Sequence[str] = (),
        comment: str | None = None,
        time: float | None = None,
        useby: float | None = None,
        extra: dict[str, Any] | None = None,
        id: str | None = None,
    ) -> Accepted:
        """Tell one piece of evidence, and return when it has been applied. Times are seconds since 1970.

        The same `id` again changes nothing and gives the first outcome: choose your own to try again safely.
        """
        context, component = _split(path)
        evidence = NewEvidence(
            value=value,
            evidence_type=evidence_type,
            flags=list(flags),
            comment=comment,
            time=time,
            useby=useby,
            extra=extra or {},
        )
        command = Tell(id=id or fresh_id(), context=context, component=component, evidence=evidence)
        return await self.send(user, command)

    async def ask(
        self,
        user: str,
        path: PathLike,
        *,
        resolver: str | None = None,
        evidence_filter: EvidenceFilter | None = None,
        include_evidence: bool = False,
        explain: bool = False,
        min_seq: int | None = None,
        as_of_seq: int | None = None,
        as_of_time: float | None = None,
    ) -> ComponentAnswer:
        """Resolve one component. `min_seq` of a tell's `seq` makes sure that the answer reflects that tell."""
        context, component = _split(path)
        query = Ask(
            context=context,
            view=[component],
            resolver=resolver,
            evidence_filter=evidence_filter,
            include_evidence=include_evidence,
            explain=explain,
            min_seq=min_seq,
            as_of_seq=as_of_seq,
            as_of_time=as_of_time,
        )
        reply = await self.ask_all(user, query)
        for failure in reply.failures:
            raise raised_from(failure.error)
        return reply.components[0]

    async def ask_all(self, user: str, query: Ask) -> AskReply:
        """Send any ask: a whole context, a view. What could not be answered is in the reply's `failures`."""
        reply = await self.query(user, query)
        assert isinstance(reply, AskReply), "an ask is answered by an ask's reply"
        return reply

    async def access(self, user: str) -> AccessReply:
        """Say whether the user has a model that knows this app, or raise `no_such_model`, `permission_denied`."""
        reply = await self.query(user, Access())
        assert isinstance(reply, AccessReply), "an access is answered by its own reply"
        return reply

    async def make_model(self, user: str, definition: ModelDefinition) -> Accepted:
        """Make a user's model; this app becomes its first owner app. Raises `already_exists`."""
        return await self.send(user, MakeModel(id=fresh_id(), definition=definition))

    async def make_context(
        self, user: str, path: PathLike, description: str = "", *, resolver: str | None = None, exist_ok: bool = False
    ) -> Accepted:
        """Make a context below one that is there."""
        context, name = _split(path)
        command = MakeContext(
            id=fresh_id(), context=context, name=name, description=description, resolver=resolver, exist_ok=exist_ok
        )
        return await self.send(user, command)

    async def make_component(
        self, user: str, context: PathLike, component: ComponentDefinition, *, exist_ok: bool = False
    ) -> Accepted:
        """Make a component in a context."""
        command = MakeComponent(id=fresh_id(), context=list(_segments(context)), component=component, exist_ok=exist_ok)
        return await self.send(user, command)

    async def make_view(self, user: str, context: PathLike, view: ViewDefinition) -> Accepted:
        """Make or replace a view in a context."""
        return await self.send(user, MakeView(id=fresh_id(), context=list(_segments(context)), view=view))

    async def register_app(
        self, user: str, app: str, description: str = "", role: Literal["owner", "app"] = "app"
    ) -> Accepted:
        """Register an app with the user's model. Owner apps only."""
        return await self.send(user, RegisterApp(id=fresh_id(), app=app, description=description, role=role))

    async def set_permission(
        self,
        user: str,
        app: str,
        context: PathLike,
        *,
        ask: bool | None = None,
        tell: bool | None = None,
        resolvers: list[str] | None = None,
    ) -> Accepted:
        """Say what an app may do in a context and below; None leaves a part as it is. Owner apps only."""
        command = SetPermission(
            id=fresh_id(), app=app, context=list(_segments(context)), ask=ask, tell=tell, resolvers=resolvers
        )
        return await self.send(user, command)

    async def send(self, user: str, command: Command) -> Accepted:
        """Send any command and return its outcome, or raise the refusal."""
        outcome = await self.requests.send(check_token(user, "user"), self.app, command)
        if isinstance(outcome, Refused):
            raise raised_from(outcome.error)
        return outcome

    async def query(self, user: str, query: Query) -> Reply:
        """Send any query and return its reply, or raise its error."""
        return await self.requests.ask(check_token(user, "user"), self.app, query)


def find_bus(data_dir: Path | str | None = None) -> str:
    """Give the address of the bus: LLUM_NATS_URL, or that of the llum that runs on the data folder."""
    settings = load({"data_dir": data_dir})
    return settings.nats_url or find(settings.data_dir).nats


def fresh_id() -> str:
    """Make an id for a command."""
    return uuid.uuid4().hex


def _segments(path: PathLike) -> Segments:
    return parse_path(path) if isinstance(path, str) else check_path(list(path), "path")


def _split(path: PathLike) -> tuple[list[str], str]:
    segments = _segments(path)
    if not segments:
        raise Refusal(Code.BAD_PATH, "the path names the root, not a component", "path")
    return list(segments[:-1]), segments[-1]
