"""What an app with a limited grant tries against a real llum, over HTTP and on the bus."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from identity.tokens import Tokens
from llum.client import Client
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter
from tests.edge_http.personis_client import PersonisClient, View
from tests.personis.conftest import Person
from tests.system.harness import until

LAST = EvidenceFilter(name="last1")


@pytest.fixture
def person(person: Person) -> Person:
    """Alice, with a context `T` and what is told there."""
    person.make("T", "open", "secret")
    person.client.mkview(["T"], View(Identifier="some", component_list=["open"]))
    for value in ("one", "two", "three"):
        person.tell(["T"], "open", value)
        person.tell(["T"], "secret", value)
    return person


def mallory(person: Person, **permissions: Any) -> PersonisClient:
    """Register an app with this permission at `T`, and give its client."""

    async def token() -> str:
        async with Client.connect(person.llum.nats) as client:
            registered = await client.register_app(person.user, "mallory")
            await client.set_permission(person.user, "mallory", "T", **permissions)
            return await Tokens(client.bus).issue(person.user, "mallory", registered.result, 3600.0)

    return PersonisClient(person.llum.http, asyncio.run(token()))


def refused(client: PersonisClient, op: str, **arguments: Any) -> str:
    """Call what is refused, and give the code."""
    body = json.dumps({"version": "11.2", "modelname": "-", **arguments})
    answer = json.loads(client._post(op, body))
    assert answer["result"] == "error", answer
    return str(answer["error"]["code"])


def as_mallory(person: Person, do: Callable[[Client], Any]) -> Any:
    """Speak on the bus as the app."""

    async def speaking() -> Any:
        async with Client.connect(person.llum.nats, app="mallory") as client:
            return await do(client)

    return asyncio.run(speaking())


def test_an_app_does_not_widen_the_view_that_it_is_bound_to(person: Person) -> None:
    """Neither the view nor what it lists is its own to make anew."""
    client = mallory(person, ask=True, tell=True, bind_view="some")
    wider = {"Identifier": "some", "component_list": ["open", "secret"]}
    assert refused(client, "delview", context=["T"], viewid="some") == "permission_denied"
    assert refused(client, "mkview", context=["T"], viewobj=wider) == "permission_denied"
    assert refused(client, "delcomponent", context=["T"], componentid="open") == "permission_denied"
    assert refused(client, "delcontext", context=["T"]) == "permission_denied"
    assert [one.Identifier for one in client.ask(["T"])] == ["open"]
    client.close()


def test_an_app_learns_no_name_that_it_may_not_ask(person: Person) -> None:
    """A name that is taken and one that is free are answered alike, and views show what may be asked."""
    client = mallory(person, ask=True, tell=True, bind_view="some")
    taken, free = (
        client.call("mkcomponent", {"modelname": "-", "context": ["T"], "componentobj": {"Identifier": name}})
        for name in ("secret", "new")
    )
    assert (taken, free) == (None, None)
    assert person.value(["T"], "secret") == "three"
    shown = client.ask(["T"], showcontexts=True)
    assert "secret" not in json.dumps(shown[2])
    assert refused(client, "getcontext", context=["Personal"]) == refused(client, "getcontext", context=["Nowhere"])
    client.close()


def test_what_a_file_claims_is_not_real(person: Person) -> None:
    """A claim is refused where it is told; imported, a correction is evidence, and a rule waits for its owner."""
    client = mallory(person, ask=True, tell=True)
    for claim in ("correction", "rule", "withdrawn"):
        told = {"evidence_type": "explicit", "value": "owned", claim: True}
        assert refused(client, "tell", context=["T"], componentid="open", evidence=told) == "bad_field"
    client.close()
    exported = json.loads(person.client.export_model(["T"]))
    exported["contextinfo"]["Identifier"] = "Copy"
    exported["components"]["open"]["evidencelist"][0]["correction"] = True
    statement = "'' ~ '' : TELL ./Copy/secret, explicit:'fired'"
    exported["subs"] = {"open": {"1": {"statement": statement}}}
    person.client.import_model([], json.dumps(exported))
    assert person.value(["Copy"], "open") == "three"
    ((token, rule),) = person.client.list_subs(["Copy"], "open").items()
    assert rule["suspended"] == "imported"
    person.tell(["Copy"], "open", "four")
    assert person.value(["Copy"], "secret") == "three"
    assert "suspended" in person.llum.run("admin", "rule", "list", person.user, "Copy")
    person.llum.run("admin", "rule", "activate", person.user, "Copy/open", token)
    person.tell(["Copy"], "open", "five")
    until(lambda: person.value(["Copy"], "secret") == "fired", "the rule is at work")


def test_an_app_does_not_look_back(person: Person) -> None:
    """As of each sequence `last1` would show everything; from now on, an app sees what is told from now on."""
    mallory(person, ask=True, filters=["last1"]).close()
    user = person.user

    async def look_back(client: Client) -> list[Any]:
        now = await client.ask(user, "T/open", evidence_filter=LAST, include_evidence=True)
        assert now.evidence is not None
        seq = now.evidence[-1].seq
        for past in ({"as_of_seq": seq - 1}, {"as_of_time": now.evidence[-1].creation_time - 0.001}):
            with pytest.raises(Refusal) as caught:
                await client.ask(user, "T/open", evidence_filter=LAST, include_evidence=True, **past)
            assert caught.value.code is Code.PERMISSION_DENIED
        return [piece.value for piece in now.evidence]

    assert as_mallory(person, look_back) == ["three"]
    person.llum.run("admin", "app", "permit", user, "mallory", "T", "--any-filter", "--since", "now", "--past", "1h")

    async def ask(client: Client) -> tuple[Any, list[Any]]:
        found = await client.ask(user, "T/open", include_evidence=True)
        return found.value, [piece.value for piece in found.evidence or []]

    assert as_mallory(person, ask) == (None, [])
    person.tell(["T"], "open", "four")
    assert as_mallory(person, ask) == ("four", ["four"])
    assert [piece.value for piece in person.evidence(["T"], "open")] == ["one", "two", "three", "four"]
