"""All evidence of a component in one answer."""

import asyncio
from typing import Any

import pytest

from edge_http.personis import evidence
from schemas.errors import Code, Error, Refusal
from schemas.evidence import EvidenceFilter
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentFailure
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import answer, piece
from tests.waiting import until


def pages(counts: dict[str, int], size: int) -> Any:
    """Answer asks about components of so many pieces, `size` at a time, as the worker does."""

    def reply(query: Ask) -> AskReply:
        names = query.view or sorted(counts)
        components = []
        for name in names:
            after = query.evidence_after or (0, 0)
            rest = [piece(seq, seq) for seq in range(1, counts[name] + 1) if (seq, 0) > after]
            more = len(rest) > size
            components.append(answer("P", name, value=counts[name], evidence=rest[:size], evidence_more=more))
        return AskReply(seq=77, components=components)

    return reply


async def test_every_page_is_fetched(edge: Edge) -> None:
    """Each component's evidence is whole and ascending; those that fit are not asked again."""
    edge.requests.replies = [pages({"a": 7, "b": 2, "c": 4}, 3)] * 10
    found = (await edge.call("ask", {"context": ["P"]}))["val"]
    assert [[one["value"] for one in component["evidencelist"]] for component in found] == [
        [1, 2, 3, 4, 5, 6, 7],
        [1, 2],
        [1, 2, 3, 4],
    ]
    assert [query.view for query in edge.requests.queries] == [None, ["a"], ["a"], ["c"]]


async def test_pages_continue_as_of_the_first(edge: Edge) -> None:
    """With the same resolver and filter, after the last piece, and on a replica that has come as far."""
    edge.requests.replies = [pages({"a": 5}, 3)] * 2
    resolver = {"resolver": "goal", "evidence_filter": "all"}
    await edge.call("ask", {"context": ["P"], "view": ["a"], "resolver": resolver})
    assert edge.requests.queries[1] == Ask(
        context=["P"],
        view=["a"],
        resolver="goal",
        evidence_filter=EvidenceFilter(name="all"),
        value_over_all=True,
        include_evidence=True,
        evidence_after=(3, 0),
        as_of_seq=77,
        min_seq=77,
    )


@pytest.mark.parametrize(("limit", "bound"), [("pieces", 6), ("size", 300)])
async def test_too_much_evidence_is_refused_with_a_hint(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, limit: str, bound: int
) -> None:
    """The answer is bounded in pieces and in bytes, over all components together."""
    budget = evidence.ByteBudget
    monkeypatch.setattr(evidence, "ByteBudget", lambda: budget(**{limit: bound}))
    edge.requests.replies = [pages({"a": 4, "b": 4}, 3)] * 10
    found = await edge.call("ask", {"context": ["P"]})
    assert found["error"]["code"] == "too_large"
    assert "filter" in found["error"]["hint"]


async def test_few_large_answers_are_put_together_at_once(edge: Edge) -> None:
    """The others wait for their second page, and are then answered."""
    gate, reply, first_pages, waiting = asyncio.Event(), pages({"a": 5}, 3), 0, 0

    async def gated(query: Ask) -> AskReply:
        nonlocal first_pages, waiting
        first_pages += query.evidence_after is None
        if query.evidence_after:
            waiting += 1
            await gate.wait()
        return reply(query)

    edge.requests.replies = [gated] * 100
    asks = [asyncio.create_task(edge.call("ask", {"context": ["P"]})) for _ in range(evidence.MAX_LARGE_ANSWERS + 3)]
    await until(lambda: first_pages == len(asks), "the first page of each")
    await until(lambda: waiting >= evidence.MAX_LARGE_ANSWERS, "those that may go on do")
    for _ in range(100):
        await asyncio.sleep(0)  # Whoever else would ask for a second page has the time to.
    assert waiting == evidence.MAX_LARGE_ANSWERS
    gate.set()
    answers = [await ask for ask in asks]
    assert {len(found["val"][0]["evidencelist"]) for found in answers} == {5}


async def test_a_page_that_fails_fails_the_ask(edge: Edge) -> None:
    """Half of the evidence would be a wrong answer."""
    failure = ComponentFailure(path=["P", "a"], error=Error(Code.NO_SUCH_COMPONENT, "gone"))
    edge.requests.replies = [pages({"a": 5}, 3), AskReply(seq=78, failures=[failure])]
    assert (await edge.call("ask", {"context": ["P"]}))["error"]["code"] == "no_such_component"
    edge.requests.replies = [pages({"a": 5}, 3), Refusal(Code.PERMISSION_DENIED, "no longer")]
    assert (await edge.call("ask", {"context": ["P"]}))["error"]["code"] == "permission_denied"


async def test_a_page_that_says_more_but_has_nothing_ends(edge: Edge) -> None:
    """A worker that contradicts itself does not keep the edge asking for ever."""
    edge.requests.replies = [AskReply(seq=1, components=[answer("P", "a", evidence_more=True)])]
    assert (await edge.call("ask", {"context": ["P"]}))["val"][0]["evidencelist"] == []
