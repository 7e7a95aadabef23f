"""Which sequence an ask must have seen."""

import pytest

from schemas.commands import Tell
from schemas.errors import Code
from schemas.replies import Accepted
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import accepted, refused, token_of

TELL = {"context": ["Personal"], "componentid": "firstname", "evidence": {"value": "Al"}}


async def test_an_ask_waits_for_the_last_tell(edge: Edge) -> None:
    """The sequence of a tell is passed on with the next ask and access."""
    edge.requests.outcomes = [accepted(41), accepted(42)]
    for _ in range(2):
        await edge.call("tell", TELL)
    await edge.call("ask", {"context": ["Personal"]})
    await edge.call("access")
    assert [query.min_seq for query in edge.requests.queries] == [42, 42]


async def test_others_do_not_wait_for_it(edge: Edge) -> None:
    """Another person's ask, or another app's, has no minimum."""
    edge.authenticator.known["bob"] = token_of("bob", "probe")
    edge.authenticator.known["other"] = token_of("alice", "other")
    await edge.call("tell", TELL)
    await edge.call("ask", {}, token="bob")
    await edge.call("ask", {}, token="other")
    assert [query.min_seq for query in edge.requests.queries] == [None, None]


async def test_a_refused_tell_is_not_waited_for(edge: Edge) -> None:
    """A command that changed nothing leaves nothing to see."""
    edge.requests.outcomes = [refused(Code.NO_SUCH_COMPONENT)]
    await edge.call("tell", TELL)
    await edge.call("ask", {})
    assert edge.requests.queries[0].min_seq is None


async def test_an_ask_waits_for_what_rules_do_with_a_tell(edge: Edge) -> None:
    """Every tell waits for its rules, and only tells do; the next ask has to have seen what they told."""
    edge.requests.outcomes = [Accepted(id="x", seq=41, settled_seq=45, settled=True)]
    answer = await edge.call("tell", TELL)
    await edge.call("mkcontext", {"context": [], "contextobj": {"Identifier": "Sport"}})
    await edge.call("ask", {"context": ["Personal"]})
    assert [type(command) for command in edge.requests.settling] == [Tell]
    assert edge.requests.queries[0].min_seq == 45
    assert answer == {"result": "ok", "val": None}


@pytest.mark.parametrize("settled", [True, False])
async def test_who_wants_to_know_is_told_how_far_rules_have_come(edge: Edge, settled: bool) -> None:
    """With the header the answer says it beside the value. Rules that take too long do not fail the tell."""
    edge.requests.outcomes = [Accepted(id="x", seq=41, settled_seq=45, settled=settled)]
    answer = await edge.call("tell", TELL, headers={"Llum-Settle": "1"})
    assert answer == {"result": "ok", "val": None, "seq": 41, "settled_seq": 45, "settled": settled}


async def test_who_has_told_through_another_edge_says_up_to_where(edge: Edge) -> None:
    """The header counts for that request; what was told through this edge later counts, too."""
    await edge.call("ask", {}, headers={"Llum-Min-Seq": "77"})
    edge.requests.outcomes = [accepted(80)]
    await edge.call("tell", TELL)
    await edge.call("ask", {}, headers={"Llum-Min-Seq": "78"})
    await edge.call("ask", {})
    assert [query.min_seq for query in edge.requests.queries] == [77, 80, 80]


@pytest.mark.parametrize("header", ["", "-1", "x", "9" * 19])
async def test_what_is_no_sequence_is_refused(edge: Edge, header: str) -> None:
    """With the name of the header."""
    answer = await edge.call("ask", {}, headers={"Llum-Min-Seq": header})
    assert (answer["error"]["code"], answer["error"]["field"]) == ("bad_field", "Llum-Min-Seq")
    assert edge.requests.queries == []
