"""Definitions through a model and back, with a client that applies and answers in memory."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from bus.as_app import AsApp, LastWrites
from llum.people.mdefs import MadeOfDefinition, apply_definition, read_model
from model.formats.mdef import format_mdef, parse_mdef
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.commands import Command, Forget, Import, MakeModel
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.errors import Refusal
from schemas.evidence import NewEvidence
from schemas.queries import Ask, GetContext, ListRules
from schemas.replies import Accepted, AskReply
from tests.effort import EFFORT
from tests.model.given import RULE, Person, picture
from tests.model.strategies import definitions


class MemoryRequests:
    """Applies and answers what is sent about one person in memory, and keeps the commands."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.commands: list[Command] = []

    async def send(self, _user: str, app: str, command: Command, _timeout_s: float = 0, **_how: Any) -> Accepted:
        self.commands.append(command)
        return Accepted(id=command.id, seq=self.person.seq, result=self.person.do(command, app).result)

    async def ask(self, _user: str, app: str, query: Any) -> Any:
        return self.person.answered(query, app)


class MemoryClient:
    """What `llum.client.Client` does for definitions, on one person in memory."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.requests = MemoryRequests(person)

    def of(self, user: str) -> AsApp:
        return AsApp(self.requests, user, OWNER_APP, LastWrites())  # type: ignore[arg-type]

    async def make_model(self, user: str, definition: ModelDefinition) -> Accepted:
        return await self.requests.send(user, ADMIN_APP, MakeModel(id="m", definition=definition))

    async def get_context(self, _user: str, path: list[str]) -> Any:
        return self.person.describe(GetContext(context=path))

    async def list_rules(self, _user: str, path: list[str]) -> Any:
        return self.person.describe(ListRules(context=path)).rules

    async def ask_all(self, _user: str, query: Ask) -> AskReply:
        return self.person.ask(query)


def plain(definition: ModelDefinition) -> dict[tuple[str, ...], ContextDefinition]:
    """Give the contexts by path, with those above them, without evidence, views by name: what a model can tell."""
    found = {(): ContextDefinition(path=[])}
    for context in definition.contexts:
        for depth in range(1, len(context.path)):
            found.setdefault(tuple(context.path[:depth]), ContextDefinition(path=context.path[:depth]))
        components = [msgspec.structs.replace(component, evidence=[]) for component in context.components]
        views = sorted(context.views, key=lambda view: view.name)
        found[tuple(context.path)] = msgspec.structs.replace(context, components=components, views=views)
    return found


@settings(max_examples=80 * EFFORT)
@given(definition=definitions())
async def test_a_model_gives_back_the_definition_that_it_was_made_from(definition: ModelDefinition) -> None:
    """Made, exported, read and made again: always the same."""
    first = await read_model(MemoryClient(Person(definition)), "alice")  # type: ignore[arg-type]
    assert plain(first) == plain(definition)
    read = parse_mdef(format_mdef(first))
    assert read == first
    assert await read_model(MemoryClient(Person(read)), "alice") == first  # type: ignore[arg-type]


@settings(max_examples=50 * EFFORT)
@given(definition=definitions())
async def test_applying_completes_a_model_and_then_does_nothing(definition: ModelDefinition) -> None:
    """An empty model becomes the definition's; what is there is left alone, and evidence is told once."""
    client = MemoryClient(Person(ModelDefinition()))
    made = await apply_definition(client, "alice", definition)  # type: ignore[arg-type]
    assert not made.model
    wanted = plain(definition)
    got = plain(await read_model(client, "alice"))  # type: ignore[arg-type]
    wanted[()] = msgspec.structs.replace(wanted[()], description="", resolver=None)
    assert got == wanted
    rows = len(client.person.store.rows)
    again = await apply_definition(client, "alice", definition)  # type: ignore[arg-type]
    assert again == MadeOfDefinition(found=again.found)
    assert len(client.person.store.rows) == rows


async def test_a_definition_with_something_wrong_makes_nothing() -> None:
    """All of it is one command."""
    good, bad = ComponentDefinition(name="good"), ComponentDefinition(name="bad", value_type="enum")
    contexts = [ContextDefinition(path=[name], components=[one]) for name, one in (("a", good), ("b", bad))]
    client = MemoryClient(Person())
    before = picture(client.person.live)
    with pytest.raises(Refusal, match="b/bad: an enum needs its values"):
        await apply_definition(client, "alice", ModelDefinition(contexts=contexts))  # type: ignore[arg-type]
    assert picture(client.person.live) == before
    contexts[1].components[0].value_list = ["x"]
    client.requests.commands.clear()
    made = await apply_definition(client, "alice", ModelDefinition(contexts=contexts))  # type: ignore[arg-type]
    assert (made.contexts, made.components) == (2, 2)
    assert [type(command) for command in client.requests.commands if not isinstance(command, MakeModel)] == [Import]


async def test_rules_of_a_definition_wait() -> None:
    """In a new model and in one that is there: whoever wrote the file is not whoever applies it."""
    component = ComponentDefinition(name="new", rules=[RULE])
    definition = ModelDefinition(contexts=[ContextDefinition(path=["Personal"], components=[component])])
    fresh = Person()
    fresh.do(Forget(id="f"))
    for person in (fresh, Person()):
        made = await apply_definition(MemoryClient(person), "alice", definition)  # type: ignore[arg-type]
        assert made.rules == 1
        rules = person.describe(ListRules(context=["Personal"])).rules["new"]
        assert [rule.suspended for rule in rules.values()] == ["imported"]


async def test_what_a_component_has_is_left_alone() -> None:
    """Its description, type and evidence: a definition does not change what is there."""
    component = ComponentDefinition(name="firstname", description="other", value_type="number")
    component.evidence = [NewEvidence(value=1)]
    client = MemoryClient(Person())
    client.person.tell("firstname", "Al")
    definition = ModelDefinition(contexts=[ContextDefinition(path=["Personal"], components=[component])])
    made = await apply_definition(client, "alice", definition)  # type: ignore[arg-type]
    assert made == MadeOfDefinition(found=2)
    assert client.person.value("firstname") == "Al"
