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


async def test_another_edge_is_told_by_a_header(edge: Edge) -> None:
    """The answer to a write says its sequence; a request that names one is asked to have seen it."""
    edge.requests.outcomes = [Accepted(id="x", seq=41, settled_seq=45, settled=True)]
    told = await edge.post("tell", TELL)
    assert told.headers["Llum-Seq"] == "45"
    other = Edge()
    other.authenticator.known["llum_good"] = token_of("alice", "probe")
    async with other.http:
        asked = await other.post("ask", {"context": ["Personal"]}, headers={"Llum-Min-Seq": told.headers["Llum-Seq"]})
        assert "Llum-Seq" not in asked.headers
        await other.call("ask", {"context": ["Personal"]})
        headers = {"Authorization": "Bearer llum_good", "Llum-Min-Seq": "47"}
        await other.http.get("/preferences/me", headers=headers)
    assert [query.min_seq for query in other.requests.queries] == [45, None, 47]


async def test_the_larger_of_two_sequences_counts(edge: Edge) -> None:
    """What this edge knows, and what the request says."""
    edge.requests.outcomes = [accepted(44)]
    await edge.call("tell", TELL)
    for said in ("43", "45"):
        await edge.call("ask", {}, headers={"Llum-Min-Seq": said})
    await edge.call("ask", {})
    assert [query.min_seq for query in edge.requests.queries] == [44, 45, 44]


@pytest.mark.parametrize("said", ["", "x", "-1", "1.0", "٣", "9223372036854775808", "1" * 5000])
async def test_a_header_that_is_no_sequence_is_refused(edge: Edge, said: str) -> None:
    """It names the header, and says what to send."""
    headers = {"Llum-Min-Seq": said}
    if not said.isascii():
        headers = {"Llum-Min-Seq": said.encode().decode("latin-1")}
    answer = await edge.call("ask", {}, headers=headers)
    assert (answer["error"]["code"], answer["error"]["field"]) == ("bad_field", "Llum-Min-Seq")
    assert "Llum-Seq" in answer["error"]["hint"]
    assert edge.requests.queries == []


async def test_a_browser_tells_another_edge_by_a_cookie(edge: Edge) -> None:
    """It is set when the request came with cookies, lasts for a minute, and says nothing about another person."""
    edge.requests.outcomes = [accepted(45)]
    told = await edge.post("tell", TELL, headers={"Cookie": "anything=1"})
    (header,) = told.headers.getall("Set-Cookie")
    cookie, _, how = header.partition("; ")
    assert how == "Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
    other = Edge()
    other.authenticator.known["bob"] = token_of("bob", "probe")
    async with other.http:
        for token, sent in (
            ("good", cookie),
            ("bob", cookie),
            ("good", "llumseen=x.y"),
            ("good", f"{cookie}; {cookie}"),
        ):
            await other.call("ask", {}, token=token, headers={"Cookie": sent})
    assert [query.min_seq for query in other.requests.queries] == [45, None, None, None]
