"""What tests are given: a person's model that is told things, asked things, and stored on the way."""

import copy
from typing import Any

import pytest

from model.caches import Caches
from model.permissions import Grant, grant_of
from model.queries import Answering, answer
from model.reads import Read
from model.resolvers.registry import Resolvers
from model.resolvers.summaries import SHIPPED
from model.state import Model
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.commands import Command, MakeModel, RegisterApp, SetPermission, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition, ViewDefinition
from schemas.errors import Code, Error, Refusal
from schemas.evidence import EvidenceFilter, NewEvidence
from schemas.queries import Ask, AskForRule, Export, Query
from schemas.replies import AskReply, ComponentAnswer, ExportReply
from tests.driving import run

from .applying import Applied, apply
from .memory_store import MemoryStore

START_US = 1_700_000_000_000_000
RULE = "<default!./Personal/firstname> ~ 'Al' : NOTIFY 'https://example.org/'"
CRON_RULE = '["0 7 * * *"] ' + RULE

STEP_US = 1_000_000
"""A second passes from command to command."""

DEFINITION = ModelDefinition(
    contexts=[
        ContextDefinition(
            path=["Personal"],
            description="Who",
            components=[
                ComponentDefinition(name="firstname", description="Given name"),
                ComponentDefinition(name="lastname"),
                ComponentDefinition(name="age", value_type="number"),
                ComponentDefinition(name="active", value_type="boolean"),
                ComponentDefinition(name="mood", value_type="enum", value_list=["good", "bad"]),
                ComponentDefinition(name="anything", value_type="JSON"),
            ],
            views=[ViewDefinition(name="fullname", components=["lastname", ["Personal", "firstname"]])],
        ),
        ContextDefinition(
            path=["Goals", "Health"], components=[ComponentDefinition(name="steps", value_type="number")]
        ),
    ]
)


class Person:
    """Alice, whose model app `llum` has made. Every command is one second after the one before."""

    def __init__(self, definition: ModelDefinition = DEFINITION, resolvers: Resolvers = SHIPPED) -> None:
        self.store = MemoryStore()
        self.resolvers = resolvers
        self.seq = 0
        self.model: Model | None = None
        self.caches = Caches()
        self.do(MakeModel(id="make", definition=definition))

    @property
    def now(self) -> float:
        """A moment after the last command."""
        return (START_US + self.seq * STEP_US) / 1e6 + 0.5

    @property
    def live(self) -> Model:
        assert self.model is not None
        return self.model

    def do(self, command: Command, app: str | None = None, time_us: int | None = None) -> Applied:
        """Apply and store a command, of the app `llum` unless another one is named; models are made by `_admin`."""
        app = app or (ADMIN_APP if isinstance(command, MakeModel) else OWNER_APP)
        self.seq += 1
        at = START_US + self.seq * STEP_US if time_us is None else time_us
        applied = apply(self.model, "alice", app, command, self.seq, at, self.store.of_command, self.caches)
        self.model = applied.model
        self.store.keep(applied.changes, self.seq, at if applied.model is None else applied.model.time_us)
        return applied

    def refuses(self, command: Command, app: str | None = None) -> Error:
        """Expect a refusal that changes nothing."""
        before = picture(self.model)
        with pytest.raises(Refusal) as caught:
            self.do(command, app)
        assert picture(self.model) == before
        return caught.value.error

    def tell(self, component: str = "firstname", value: Any = "Al", app: str = "llum", **members: Any) -> Applied:
        evidence = NewEvidence(value=value, **members)
        return self.do(Tell(id="t", context=["Personal"], component=component, evidence=evidence), app)

    def refuses_tell(self, component: str = "firstname", value: Any = "Al", app: str = "llum", **members: Any) -> Error:
        evidence = NewEvidence(value=value, **members)
        return self.refuses(Tell(id="t", context=["Personal"], component=component, evidence=evidence), app)

    def register(self, app: str, **permission: Any) -> None:
        """Register an app, with a permission at the root if one is given."""
        self.do(RegisterApp(id="r", app=app))
        if permission:
            self.do(SetPermission(id="p", app=app, context=[], **permission))

    def permit(self, app: str, *context: str, **permission: Any) -> None:
        self.do(SetPermission(id="p", app=app, context=list(context), **permission))

    def grant(self, app: str, *context: str) -> Grant:
        return grant_of(self.live, app, context, self.now, self.caches.grants)

    def begin(self, query: Query, app: str = "llum", now: float | None = None) -> Answering:
        """Begin to answer; nothing is looked at until the first step."""
        return answer(self.live, self.caches, app, query, self.now if now is None else now, self.resolvers)

    def reads(self, query: Query, app: str = "llum", now: float | None = None) -> list[Read]:
        """Give what an answer wants read first: nothing, if it comes from memory."""
        need = next(self.begin(query, app, now), [])
        assert isinstance(need, list), need
        return need

    def answered(self, query: Query, app: str = "llum", now: float | None = None) -> Any:
        """Give the reply to a query. Raises a `Refusal`."""
        return run(self.begin(query, app, now), self.store.meet)

    def describe(self, query: Query, app: str = "llum") -> Any:
        """Answer a small query."""
        return self.answered(query, app)

    def export(self, query: Export, app: str = "llum") -> ExportReply:
        """Give one page of an export."""
        reply = self.answered(query, app)
        assert isinstance(reply, ExportReply)
        return reply

    def export_all(self, *context: str) -> list[ExportReply]:
        """Give all pages of an export."""
        pages = [self.export(Export(context=list(context)))]
        while pages[-1].next is not None:
            pages.append(self.export(Export(context=list(context), after=pages[-1].next)))
        return pages

    def reload(self) -> None:
        """Passivate and activate: nothing is in memory then."""
        self.model = self.store.load("alice", self.live.seq, self.live.time_us)
        self.caches = Caches()

    def ask(self, query: Ask | AskForRule, app: str = "llum", now: float | None = None) -> AskReply:
        """Ask as an actor does."""
        reply = self.answered(query, app, now)
        assert isinstance(reply, AskReply)
        return reply

    def answer(
        self, component: str = "firstname", app: str = "llum", now: float | None = None, **query: Any
    ) -> ComponentAnswer:
        """Ask for one component of `Personal` that is expected to be answered."""
        reply = self.ask(Ask(context=["Personal"], view=[component], **query), app, now)
        assert not reply.failures
        return reply.components[0]

    def answer_at(self, context: str, component: str, app: str = "llum", **query: Any) -> ComponentAnswer:
        """Ask for one component of another context."""
        (answer,) = self.ask(Ask(context=[context], view=[component], **query), app).components
        return answer

    def value(self, component: str = "firstname", **query: Any) -> Any:
        return self.answer(component, **query).value

    def refuses_ask(self, query: Query, app: str = "llum") -> Error:
        with pytest.raises(Refusal) as caught:
            self.answered(query, app)
        return caught.value.error


def picture(model: Model | None) -> Any:
    """Copy everything that a model is, to compare it before and after."""
    if model is None:
        return None
    contexts = {}
    waiting = [((), model.root)]
    while waiting:
        path, context = waiting.pop()
        rules = {name: list(each.items()) for name, each in context.rules.items()}
        contexts[path] = (context.item, list(context.components.items()), context.views, rules)
        waiting += [((*path, name), child) for name, child in context.children.items()]
    return copy.deepcopy((model.seq, model.time_us, contexts, *_rest(model)))


def _rest(model: Model) -> tuple[Any, ...]:
    rights = (dict(model.apps), dict(model.permissions), dict(model.component_permissions))
    return *rights, list(model.causes.items())


def last(count: int) -> EvidenceFilter:
    return EvidenceFilter(name="recent_count", recent_count=count)


def failed(reply: AskReply) -> dict[str, Code]:
    """Give the codes of a reply's failures by path."""
    return {"/".join(failure.path): failure.error.code for failure in reply.failures}
