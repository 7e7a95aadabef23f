"""Asks of the Personis face: how they may be spelled, and what they answer."""

from typing import Any

import pytest

from schemas.codec import decode_reply, encode
from schemas.errors import Code, Error
from schemas.evidence import EvidenceFilter, Withdrawal
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentFailure, RuleDescription
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import answer, piece

ROOTS = [[], [""], None, "", "/"]
FIT = [["Apps", "fit"], ["", "Apps", "fit"], "Apps/fit", "/Apps/fit", "Apps/fit/"]


@pytest.mark.parametrize(("spelling", "path"), [*((it, []) for it in ROOTS), *((it, ["Apps", "fit"]) for it in FIT)])
async def test_a_context_may_be_spelled_in_many_ways(edge: Edge, spelling: Any, path: list[str]) -> None:
    """Lists, text and null, with or without a leading empty segment."""
    await edge.call("ask", {"context": spelling})
    assert edge.requests.queries[0].context == path


async def test_a_context_that_climbs_is_refused(edge: Edge) -> None:
    """`..` is a fault of the path, not skipped over."""
    found = await edge.call("ask", {"context": "a/../b"})
    assert found["error"]["code"] == "bad_path"


RESOLVERS = [
    (None, None, None),
    ("goal", "goal", None),
    ({}, None, None),
    ({"resolver": "recent"}, "recent", None),
    ({"evidence_filter": None, "resolver": None}, None, None),
    ({"evidence_filter": "all"}, None, EvidenceFilter(name="all")),
    ({"evidence_filter": "last10", "resolver": "goal"}, "goal", EvidenceFilter(name="last10")),
    ({"evidence_filter": "since_time", "since_time": 5}, None, EvidenceFilter(name="since_time", since_time=5.0)),
    ({"evidence_filter": "since_time", "since_time": "5.5"}, None, EvidenceFilter(name="since_time", since_time=5.5)),
    ({"evidence_filter": "since_time"}, None, EvidenceFilter(name="all")),
    ({"evidence_filter": "recent_count", "recent_count": 7}, None, EvidenceFilter(name="recent_count", recent_count=7)),
    ({"resolver": "default", "threshold": 3}, "default", None),
]


@pytest.mark.parametrize(("spelling", "resolver", "evidence_filter"), RESOLVERS)
async def test_a_resolver_is_a_name_or_a_dictionary(
    edge: Edge, spelling: Any, resolver: str | None, evidence_filter: EvidenceFilter | None
) -> None:
    """The dictionary holds the resolver's name, the filter and its arguments. The filter chooses what is listed."""
    await edge.call("ask", {"context": [], "resolver": spelling})
    over_all = evidence_filter is not None
    expected = Ask(resolver=resolver, evidence_filter=evidence_filter, value_over_all=over_all, include_evidence=True)
    assert edge.requests.queries == [expected]


async def test_an_unknown_filter_is_refused(edge: Edge) -> None:
    """With the code for it, and the names there are."""
    found = await edge.call("ask", {"resolver": {"evidence_filter": "last5"}})
    assert found["error"]["code"] == "bad_filter"
    assert found["error"]["field"] == "resolver.evidence_filter"
    assert "last10" in found["error"]["hint"]


@pytest.mark.parametrize(
    ("spelling", "view"),
    [(None, None), ("full", "full"), (["a", ["", "P", "b"], ["P", "c"]], ["a", ["P", "b"], ["P", "c"]])],
)
async def test_a_view_is_passed_on(edge: Edge, spelling: Any, view: Any) -> None:
    """A name, components and paths, or nothing."""
    await edge.call("ask", {"view": spelling})
    assert edge.requests.queries[0].view == view


async def test_components_have_all_members_of_the_original(edge: Edge) -> None:
    """The order of the reply is kept, evidence carries its extra members at its own level."""
    edge.requests.replies = [
        AskReply(
            seq=5,
            components=[
                answer(
                    "Personal", "b", value="Al", description="d", goals=[["G"]], resolver="goal",
                    evidence=[
                        piece(1, "x", extra={"exp": 3, "value": "hidden"}),
                        piece(2, "Al", flags=["goal"], useby=7.0),
                    ],
                ),
                answer("Personal", "a", value_type="enum", value_list=["p", "q"]),
            ],
        )
    ]  # fmt: skip
    found = (await edge.call("ask", {"context": ["Personal"]}))["val"]
    assert [one["Identifier"] for one in found] == ["b", "a"]
    assert found[0] == {
        "Identifier": "b", "Description": "d", "component_type": "attribute", "value_type": "string", "value_list": [],
        "value": "Al", "resolver": "goal", "goals": [["G"]], "objectType": "Component", "creation_time": 1.0,
        "evidencelist": [
            {
                "evidence_type": "explicit", "source": "probe", "owner": "alice", "value": "x", "comment": None,
                "flags": [], "time": 1.5, "creation_time": 2.5, "useby": None, "objectType": "Evidence", "exp": 3,
            },
            {
                "evidence_type": "explicit", "source": "probe", "owner": "alice", "value": "Al", "comment": None,
                "flags": ["goal"], "time": 1.5, "creation_time": 2.5, "useby": 7.0, "objectType": "Evidence",
            },
        ],
    }  # fmt: skip
    assert (found[1]["value_list"], found[1]["evidencelist"]) == (["p", "q"], [])


async def test_showcontexts_gives_a_list_of_four(edge: Edge) -> None:
    """Components, names of sub-contexts, views, subscriptions."""
    edge.requests.replies = [
        AskReply(
            seq=1,
            components=[answer("a")],
            contexts=["Apps"],
            views={"full": ["a", ["P", "b"]]},
            rules={"a": {"t": RuleDescription(statement="s", app="probe", created=7.0)}},
        )
    ]
    components, contexts, views, subscriptions = (await edge.call("ask", {"showcontexts": True}))["val"]
    assert [one["Identifier"] for one in components] == ["a"]
    assert contexts == ["Apps"]
    assert views["full"]["component_list"] == ["a", ["P", "b"]]
    assert views["full"]["Identifier"] == "full"
    assert subscriptions == {"a": {"t": {"user": "probe", "statement": "s", "modelname": "alice", "created": 7.0}}}
    assert edge.requests.queries[0].show_contexts


async def test_showcontexts_of_an_empty_context(edge: Edge) -> None:
    """Four empty things, none of them null: the original's client walks through them."""
    edge.requests.replies = [AskReply(seq=1)]
    assert (await edge.call("ask", {"showcontexts": 1}))["val"] == [[], [], {}, {}]


FAILURE = ComponentFailure(path=["P", "bad"], error=Error(Code.UNKNOWN_RESOLVER, "no resolver x", "resolver"))


async def test_one_bad_component_does_not_break_the_ask(edge: Edge) -> None:
    """The good ones are answered; the others are named beside them, where the original's clients do not look."""
    edge.requests.replies = [AskReply(seq=1, components=[answer("P", "good")], failures=[FAILURE])]
    found = await edge.call("ask", {"context": ["P"]})
    assert [one["Identifier"] for one in found["val"]] == ["good"]
    error = {"code": "unknown_resolver", "message": "no resolver x", "field": "resolver", "hint": None}
    assert found["failures"] == [{"path": FAILURE.path, "error": error}]


async def test_an_ask_of_bad_components_only_fails(edge: Edge) -> None:
    """With the error of the first."""
    edge.requests.replies = [AskReply(seq=1, failures=[FAILURE, FAILURE])]
    expected = {"code": "unknown_resolver", "message": "no resolver x", "field": "resolver", "hint": None}
    assert (await edge.call("ask", {"context": ["P"]}))["error"] == expected


async def test_withdrawn_evidence_is_not_shown(edge: Edge) -> None:
    """The original's clients would count it: they know nothing of withdrawal."""
    gone = piece(1, "wrong", withdrawn=Withdrawal(by="probe", time=3.0))
    edge.requests.replies = [AskReply(seq=1, components=[answer("a", value="b", evidence=[gone, piece(2, "b")])])]
    found = await edge.call("ask", {})
    assert [one["value"] for one in found["val"][0]["evidencelist"]] == ["b"]


async def test_a_resolver_that_is_off_says_when_it_is_on_again(edge: Edge) -> None:
    """The delay comes from the worker, over the bus."""
    error = Error(Code.RESOLVER_FAILED, "it is off", retry_after_s=299.2)
    reply = decode_reply(encode(AskReply(seq=1, failures=[ComponentFailure(path=["P", "x"], error=error)])))
    edge.requests.replies = [reply]
    response = await edge.post("ask", {"context": ["P"]})
    assert response.headers["Retry-After"] == "300"
    assert (await response.json())["error"]["code"] == "resolver_failed"
