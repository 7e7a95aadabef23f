"""The SDK's methods, each against a real llum."""

from collections.abc import AsyncIterator

import pytest

from identity.new_people import default_model
from llum.client import Client
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Refusal
from schemas.parts import ForgetPart, PartSize
from schemas.permissions import Permission
from schemas.queries import MeasurePart
from schemas.replies import AppDescription
from tests.system.harness import Llum

STATEMENT = '<default!./T/a> ~ "x" : TELL ./T/b, inferred:"y"'


@pytest.fixture
async def client(llum: Llum) -> AsyncIterator[Client]:
    async with Client.connect(llum.nats) as client:
        yield client


@pytest.fixture
async def user(client: Client, request: pytest.FixtureRequest) -> str:
    """Make a model with T/a and T/b."""
    user = request.node.name.replace("[", "_").replace("]", "")[:60]
    await client.make_model(user, default_model(user))
    await client.make_context(user, "T", "for tests")
    for name in ("a", "b"):
        await client.make_component(user, "T", ComponentDefinition(name=name))
    return str(user)


async def test_a_part_is_forgotten(client: Client, user: str) -> None:
    """Its value is gone at once; the log follows."""
    await client.tell(user, "T/a", "secret")
    await client.tell(user, "T/b", "kept")
    await client.forget_part(user, ForgetPart(id="part", context=["T"], component="a"))
    with pytest.raises(Refusal, match="no_such_component"):
        await client.ask(user, "T/a")
    assert (await client.ask(user, "T/b")).value == "kept"
    left = await client.measure_part(user, MeasurePart(context=["T"], component="a"))
    assert left.size == PartSize()


async def test_a_correction_stands_until_it_is_withdrawn(client: Client, user: str) -> None:
    """Whatever is told after it."""
    await client.tell(user, "T/a", "wrong")
    corrected = await client.correct(user, "T/a", "right", comment="that's wrong")
    await client.tell(user, "T/a", "wrong again")
    assert (await client.ask(user, "T/a")).value == "right"
    await client.withdraw(user, "T/a", corrected.result["seq"], corrected.result["n"])
    assert (await client.ask(user, "T/a")).value == "wrong again"


async def test_a_name_is_the_same_however_it_is_spelled(client: Client, user: str) -> None:
    """`é` as one character, or as `e` with an accent behind it: in what is made, told, asked, and in rules."""
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    await client.make_component(user, "T", ComponentDefinition(name=decomposed))
    await client.make_rule(user, "T/a", f'<default!./T/a> ~ "x" : TELL ./T/{decomposed}, inferred:"of a rule"')
    with pytest.raises(Refusal, match="already_exists"):
        await client.make_component(user, "T", ComponentDefinition(name=composed))
    await client.tell(user, f"T/{composed}", "open")
    assert (await client.ask(user, f"T/{decomposed}")).value == "open"
    assert composed in (await client.get_context(user, "T")).components
    with pytest.raises(Refusal, match="U\\+200B ZERO WIDTH SPACE"):
        await client.make_component(user, "T", ComponentDefinition(name="ca\u200bfe"))


async def test_structure_is_made_described_and_deleted(client: Client, user: str) -> None:
    """Contexts, components, views, resolvers and goals."""
    await client.make_view(user, "T", ViewDefinition(name="v", components=["a"]))
    await client.set_resolver(user, "T/a", "goal")
    await client.set_context_resolver(user, "T", "recent")
    await client.set_goals(user, "T/a", ["T/b", ["Personal", "email"]])
    found = await client.get_context(user, "T", size=True)
    assert (found.description, found.resolver, found.components) == ("for tests", "recent", ["a", "b"])
    assert found.size is not None
    assert found.size.components == 2
    answer = await client.ask(user, "T/a")
    assert (answer.resolver, answer.goals) == ("goal", [["T", "b"], ["Personal", "email"]])
    await client.delete_view(user, "T/v")
    await client.delete_component(user, "T/b")
    assert not (await client.get_context(user, "T")).views
    await client.delete_context(user, "T")
    with pytest.raises(Refusal, match="no_such_context"):
        await client.get_context(user, "T")
    assert "default" in await client.list_resolvers(user)


async def test_rules_are_attached_listed_and_removed(client: Client, user: str) -> None:
    """By their tokens."""
    token = await client.make_rule(user, "T/a", STATEMENT)
    assert (await client.list_rules(user, "T"))["a"][token].statement == STATEMENT
    await client.delete_rule(user, "T/a", token)
    assert await client.list_rules(user, "T", component="a") == {}


async def test_apps_are_permitted(client: Client, user: str) -> None:
    """In a context, or with one component."""
    await client.register_app(user, "scale", "a scale")
    assert (await client.list_apps(user))["scale"] == AppDescription(description="a scale", role="app")
    await client.set_permission(user, "scale", "T", ask=True, filters=["last1"])
    await client.set_permission(user, "scale", "T", component="a", bind_resolver="goal", expires=4e9)
    assert await client.get_permission(user, "scale", "T") == Permission(ask=True, filters=["last1"])
    single = await client.get_permission(user, "scale", "T", component="a")
    assert single == Permission(bind_resolver="goal", expires=4e9)
    await client.delete_app(user, "scale")
    assert "scale" not in await client.list_apps(user)


async def test_an_export_is_imported_page_by_page(client: Client, user: str) -> None:
    """Below another context."""
    await client.tell(user, "T/a", "kept", time=5.0)
    await client.make_context(user, "To")
    async for page in client.export(user, "T"):
        await client.import_contexts(user, "To", page.contexts)
    answer = await client.ask(user, "To/a", include_evidence=True)
    assert answer.evidence is not None
    assert [(one.value, one.time, one.source) for one in answer.evidence] == [("kept", 5.0, "llum")]


async def test_a_forgotten_model_is_gone(client: Client, user: str) -> None:
    """Nobody can access it any more."""
    await client.forget(user)
    with pytest.raises(Refusal, match="no_such_model"):
        await client.access(user)
