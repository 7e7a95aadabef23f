"""A real llum, as `llum up` runs it, and the original's clients of it."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from identity.new_people import default_model
from identity.tokens import Tokens
from llum.client import Client
from llum.people.apps import set_quotas
from tests.edge_http.personis_client import Component, Context, DeviceClient, Evidence, PersonisClient
from tests.system.harness import Llum

_numbers = itertools.count(1)


async def _made(nats_url: str, user: str) -> str:
    """Do what `llum admin person add` and `llum admin token` do, without two more processes."""
    async with Client.connect(nats_url) as client:
        await client.make_model(user, default_model(user))
        registered = await client.register_app(user, "probe", "for tests", role="owner")
        await set_quotas(client, user, "probe", fires_per_minute=60)
        return await Tokens(client.bus).issue(user, "probe", registered.result, 3600.0)


class OpenLlum(Llum):
    """One that lets rules notify this machine, so that a test can listen."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"LLUM_ALLOW_PRIVATE_WEBHOOKS": "true"}


class Person:
    """Someone with a model, and clients of it. Each test has people of its own."""

    def __init__(self, llum: Llum) -> None:
        self.llum = llum
        self.user = f"person{next(_numbers)}"
        self._clients: list[PersonisClient] = []
        self.token = asyncio.run(_made(llum.nats, self.user))
        self.client = self.another_client()

    def another_client(self) -> PersonisClient:
        """Make a client of the same app, for another thread say."""
        client = PersonisClient(self.llum.http, self.token)
        self._clients.append(client)
        return client

    def device(self, app: str, password: str) -> DeviceClient:
        return DeviceClient(self.llum.http, self.user, app, password)

    def make(self, context: str, *names: str, value_type: str = "string", **members: Any) -> list[str]:
        """Make a context below the root with components in it, and give its path."""
        assert self.client.mkcontext([], Context(Identifier=context)) is True
        for name in names:
            component = Component(Identifier=name, component_type="attribute", value_type=value_type, **members)
            assert self.client.mkcomponent([context], component) is None
        return [context]

    def tell(self, context: list[str], name: str, value: Any, **members: Any) -> None:
        told = Evidence(evidence_type="explicit", value=value, **members)
        assert self.client.tell(context, name, told) is None

    def value(self, context: list[str], name: str) -> Any:
        return self.client.ask(context, [name])[0].value

    def evidence(self, context: list[str], name: str) -> list[Evidence]:
        found: list[Evidence] = self.client.ask(context, [name])[0].evidencelist
        return found

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture(scope="package")
def llum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    """A running llum for all tests here; one of them restarts it, so its addresses may change."""
    llum = OpenLlum(tmp_path_factory.mktemp("personis"))
    try:
        llum.start()
        yield llum
    finally:
        llum.clean_up()


@pytest.fixture
def new_person(llum: Llum) -> Iterator[Callable[[], Person]]:
    people: list[Person] = []

    def make() -> Person:
        people.append(Person(llum))
        return people[-1]

    yield make
    for person in people:
        person.close()


@pytest.fixture
def person(new_person: Callable[[], Person]) -> Person:
    return new_person()
