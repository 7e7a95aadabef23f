"""Which sequence an ask must have seen."""

from schemas.errors import Code
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
