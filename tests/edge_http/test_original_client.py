"""The original's own client against the face."""

import asyncio
import pickle

import pytest

from schemas.commands import MakeComponent, MakeContext, MakeView
from schemas.errors import Code, Refusal, Transient
from schemas.replies import AskReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import answer, piece, refused
from tests.edge_http.personis_client import Component, Context, Evidence, View


async def test_the_client_goes_the_whole_way(edge: Edge) -> None:
    """Access, make, tell and ask, with the objects that the client builds."""
    client = edge.original_client()
    await asyncio.to_thread(client.access)
    made = await asyncio.to_thread(client.mkcontext, ["Apps"], Context(Identifier="fit", Description="d"))
    assert made is True
    component = Component(Identifier="steps", component_type="attribute", value_type="number")
    assert await asyncio.to_thread(client.mkcomponent, ["Apps", "fit"], component) is None
    assert await asyncio.to_thread(client.mkview, ["Apps"], View(Identifier="all", component_list=["steps"])) is None
    told = Evidence(evidence_type="explicit", value=5, mine="kept")
    assert await asyncio.to_thread(client.tell, ["Apps", "fit"], "steps", told) is None
    context, made_component, view, tell = edge.requests.commands
    assert isinstance(context, MakeContext)
    assert isinstance(made_component, MakeComponent)
    assert isinstance(view, MakeView)
    assert (tell.evidence.value, tell.evidence.extra) == (5, {"mine": "kept"})
    steps = answer("Apps", "fit", "steps", value=5, value_type="number", evidence=[piece(9, 5)])
    edge.requests.replies = [AskReply(seq=9, components=[steps])]
    (found,) = await asyncio.to_thread(client.ask, ["Apps", "fit"], ["steps"])
    assert (found.Identifier, found.value, found.evidencelist[0].value) == ("steps", 5, 5)
    client.close()


async def test_the_client_reads_contexts(edge: Edge) -> None:
    """The list of four is unpacked."""
    edge.requests.replies = [AskReply(seq=1, components=[answer("a")], contexts=["Apps"], views={"v": ["a"]})]
    client = edge.original_client()
    components, contexts, views, subscriptions = await asyncio.to_thread(client.ask, [""], None, None, True)
    assert (components[0].Identifier, contexts, list(views), subscriptions) == ("a", ["Apps"], ["v"], {})
    client.close()


@pytest.mark.parametrize(
    "failure",
    [
        refused(Code.PERMISSION_DENIED, "not for you"),
        Transient(Code.UNAVAILABLE, "no worker"),
        Refusal(Code.TOO_LARGE, "too much"),
        RuntimeError("a bug"),
    ],
)
async def test_the_client_never_takes_a_failure_for_success(edge: Edge, failure: object) -> None:
    """It ignores the status, so every failing answer must say error in its body. It lives on after a `ValueError`."""
    edge.requests.outcomes = [failure]
    client = edge.original_client()
    evidence = Evidence(evidence_type="explicit")
    with pytest.raises(ValueError, match=r"permission_denied|unavailable|too_large|internal"):
        await asyncio.to_thread(client.tell, [], "c", evidence)
    client.close()


@pytest.mark.parametrize("code", Code)
async def test_what_the_client_unpickles_is_fixed_text(edge: Edge, code: Code) -> None:
    """Of each code it is one text in ASCII; nothing of the request or of the message enters it."""
    edge.requests.outcomes = [refused(code, "secret-message", "secret-field")]
    found = await edge.call("tell", {"componentid": "secret-name", "evidence": {"value": "secret-value"}})
    kind, members, exception = found["val"]
    assert (kind, members) == ("ValueError", {})
    assert exception.isascii()
    assert "secret" not in exception
    assert repr(pickle.loads(exception.encode())) == repr(ValueError(f"{code}: {code.description}"))
    assert (found["error"]["code"], found["error"]["message"]) == (code, "secret-message")


async def test_the_client_refreshes_an_expired_token_and_goes_on(edge: Edge) -> None:
    """A 401 makes it fetch a new token and repeat the call."""
    client = edge.original_client("expired", refresh=lambda: "good")
    await asyncio.to_thread(client.access)
    assert client.status == 200
    client.close()


async def test_the_client_without_a_new_token_is_told(edge: Edge) -> None:
    """Not even then is a failed tell taken for a success."""
    client = edge.original_client("expired")
    with pytest.raises(ValueError, match="not_authenticated"):
        await asyncio.to_thread(client.tell, [], "c", Evidence(evidence_type="explicit"))
    client.close()


async def test_a_refusal_does_not_make_the_client_refresh(edge: Edge) -> None:
    """Errors about the model are not 401 or 403."""
    refreshed: list[str] = []
    client = edge.original_client(refresh=lambda: refreshed.append("x") or "good")
    edge.requests.outcomes = [refused(Code.PERMISSION_DENIED)]
    with pytest.raises(ValueError, match="permission_denied"):
        await asyncio.to_thread(client.tell, [], "c", Evidence(evidence_type="explicit"))
    assert refreshed == []
    client.close()


async def test_an_existing_component_with_any_name_is_told(edge: Edge) -> None:
    """The client's `str` fails on text that is not ASCII; the answer has none."""
    edge.requests.outcomes = [refused(Code.ALREADY_EXISTS)]
    client = edge.original_client()
    component = Component(Identifier="größe", component_type="attribute", value_type="number")
    said = await asyncio.to_thread(client.mkcomponent, [], component)
    assert said.endswith("already exists")
    client.close()
