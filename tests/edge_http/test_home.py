"""The first page and the pages of a model: what a person sees of theirs, and nobody else does."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientResponse

from edge_http.home import why
from edge_http.home.reading import ENTRIES, url_of
from identity.issuers.configured import Issuer
from identity.sessions.session import Session
from identity.sessions.store import new_sid
from schemas.apps import OWNER_APP
from schemas.errors import Code, Error, Refusal
from schemas.evidence import EvidenceType
from schemas.explaining import Explanation, Reason
from schemas.queries import Ask, GetContext
from schemas.replies import AskReply, ComponentFailure, ContextReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import answer, context_reply, piece

BROWSER = {"Accept": "text/html"}
AT = 1_790_000_000.0
"""21 September 2026, 14:13:20 in UTC."""


class Reader:
    """A browser with a session of alice, and a model behind the bus: contexts by their path, answers by component."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.contexts: dict[tuple[str, ...], ContextReply] = {(): context_reply(time_zone="Europe/Amsterdam")}
        self.answers: dict[tuple[str, ...], Any] = {}
        self.sid = new_sid()
        now = time.time()
        edge.authenticator.sessions.by_id[self.sid] = Session(user="alice", made=now, expires=now + 60)

    async def get(self, path: str, **more: Any) -> ClientResponse:
        self.edge.requests.replies[:] = [self._reply] * 1000
        headers = BROWSER | {"Cookie": f"llumsessionid={self.sid}; llumprofile=passkey"}
        return await self.edge.http.get(path, headers=headers, allow_redirects=False, **more)

    async def text(self, path: str) -> str:
        response = await self.get(path)
        assert response.status == 200, await response.text()
        return await response.text()

    def component(self, *path: str, value: Any = None, explanation: Explanation | None = None) -> None:
        context = self.contexts[path[:-1]]
        context.components.append(path[-1])
        explained = explanation or Explanation(
            resolver="default", resolver_from="default", grant="owner", evaluated_at=0
        )
        self.answers[path] = answer(*path, value=value, explanation=explained)

    def context(self, *path: str, **more: Any) -> None:
        self.contexts[path] = context_reply(*path, **more)
        self.contexts[path[:-1]].contexts.append(path[-1])

    def _reply(self, query: Any) -> Any:
        if isinstance(query, GetContext):
            found = self.contexts.get(tuple(query.context))
            return found or Refusal(Code.NO_SUCH_CONTEXT, "there is no such context", "context")
        assert isinstance(query, Ask)
        assert isinstance(query.view, list)
        asked = [(*query.context, str(name)) for name in query.view]
        found = [self.answers.get(path) for path in asked]
        missing = Error(Code.NO_SUCH_COMPONENT, "there is no such component")
        return AskReply(
            seq=1,
            components=[one for one in found if one and not isinstance(one, ComponentFailure)],
            failures=[
                one or ComponentFailure(path=list(path), error=missing)
                for path, one in zip(asked, found, strict=True)
                if one is None or isinstance(one, ComponentFailure)
            ],
        )


@pytest.fixture
def reader(edge: Edge) -> Reader:
    return Reader(edge)


def explained(**parts: Any) -> Explanation:
    return Explanation(resolver="default", resolver_from="default", grant="owner", evaluated_at=AT, **parts)


async def test_a_stranger_is_told_what_llum_is_for(edge: Edge) -> None:
    """And how to sign in; the model of nobody is asked for."""
    response = await edge.http.get("/", headers=BROWSER)
    text = await response.text()
    assert response.status == 200
    assert 'href="/sign-in"' in text
    assert edge.requests.asked == []


async def test_somebody_who_was_here_is_welcomed_back(edge: Edge) -> None:
    """By the way that they used last; whom it was nobody says, for the cookie does not."""
    text = await (await edge.http.get("/", headers=BROWSER | {"Cookie": "llumprofile=passkey"})).text()
    assert "Welcome back" in text
    assert "by a passkey" in text


async def test_issuers_are_offered_where_people_arrive() -> None:
    """All that are configured; the one that was used last comes first, by its name."""
    names = {"google": "Google", "other": "Other"}
    issuers = {id_: Issuer(name=name, issuer=f"https://{id_}.example", client_id="llum") for id_, name in names.items()}
    edge = Edge(issuers=issuers)
    async with edge.http:
        stranger = await (await edge.http.get("/", headers=BROWSER)).text()
        assert 'href="/sign-in/with/google"' in stranger
        assert 'href="/sign-in/with/other"' in stranger
        known = BROWSER | {"Cookie": "llumprofile=oidc%3Agoogle"}
        back = await (await edge.http.get("/", headers=known)).text()
        assert "Sign in with Google" in back
        assert "by Google" in back


async def test_a_person_sees_values_and_why(reader: Reader) -> None:
    """What counts, what does not and why, who told it, and when by the clocks where the person is."""
    reader.context("Work", description="What she does")
    used = piece(7, "busy", comment="Meeting <b>")
    used.time = AT
    older = piece(6, "free")
    why_so = explained(used=[used], left_out=[Reason(reason="older", count=3, examples=[older])])
    reader.component("Work", "state", value="busy", explanation=why_so)
    text = await reader.text("/model/Work")
    assert "busy" in text
    assert "told by <strong>probe</strong>" in text
    assert "21 Sep 2026, 16:13" in text, "Amsterdam is two hours ahead of UTC then"
    assert "older than what counts" in text
    assert "Meeting &lt;b&gt;" in text
    assert "<script" not in text
    assert "style=" not in text


async def test_a_page_asks_as_the_persons_own_app(reader: Reader) -> None:
    """So restricted values are shown to them; and about nobody else, whatever the address says."""
    reader.component("bob", value=1)
    await reader.text("/")
    await reader.get("/model/bob", params={"user": "bob"})
    assert {(user, app) for user, app, _ in reader.edge.requests.asked} == {("alice", OWNER_APP)}


async def test_contexts_show_what_is_in_them(reader: Reader) -> None:
    """Two levels at once, each a link."""
    reader.context("Work", description="What she does")
    reader.context("Work", "Projects")
    text = await reader.text("/")
    assert 'href="/model/Work"' in text
    assert "What she does" in text
    assert 'href="/model/Work/Projects"' in text


@pytest.mark.parametrize("name", ["a/b", "100%", "%2F", "é", "?x=1#y", "https://terms.example/a~b", "<i>", "a b"])
async def test_every_name_has_an_address(reader: Reader, name: str) -> None:
    """Of a context and of a component in it: the link that a page shows leads there."""
    reader.context(name, description="found it")
    reader.component(name, name, value="the value")
    assert "found it" in await reader.text(url_of((name,)))
    assert "the value" in await reader.text(url_of((name, name)))


async def test_what_is_not_there_is_not_found(reader: Reader) -> None:
    """As a page that says so."""
    response = await reader.get("/model/Nowhere/at/all")
    assert response.status == 404
    assert "There is nothing here" in await response.text()


async def test_a_large_context_has_pages(reader: Reader) -> None:
    """Each asks for its own components alone, and together they show each once."""
    for number in range(2 * ENTRIES + 1):
        reader.component(f"c{number:03}", value=number)
    seen: list[str] = []
    for number in range(1, 4):
        text = await reader.text(f"/?page={number}")
        seen += [f"c{one:03}" for one in range(2 * ENTRIES + 1) if f'href="/model/c{one:03}"' in text]
    assert seen == [f"c{one:03}" for one in range(2 * ENTRIES + 1)]
    assert max(len(query.view) for query in reader.edge.requests.queries if isinstance(query, Ask)) == ENTRIES  # type: ignore[arg-type]


async def test_who_is_here_for_the_first_time_is_welcome(reader: Reader) -> None:
    """As a sign-in in a new browser leads to; a visit after that is greeted as ever."""
    assert "Welcome to your model" in await reader.text("/?first=1")
    assert "Welcome to your model" not in await reader.text("/")


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999", "²", ""])
async def test_a_page_that_there_is_not_is_the_first_or_last(reader: Reader, number: str) -> None:
    """Whatever stands in the address."""
    reader.component("only", value=1)
    assert 'href="/model/only"' in await reader.text(f"/?page={number}")


async def test_a_component_that_fails_leaves_the_others(reader: Reader) -> None:
    """It says why, where its value would be."""
    reader.component("good", value="fine")
    reader.component("bad")
    reader.answers["bad",] = ComponentFailure(path=["bad"], error=Error(Code.RESOLVER_FAILED, "the resolver failed"))
    text = await reader.text("/")
    assert "fine" in text
    assert "the resolver failed" in text


async def test_without_a_session_one_is_sent_to_sign_in(edge: Edge) -> None:
    """And comes back to the page from there."""
    response = await edge.http.get("/model/Work", headers=BROWSER, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/sign-in?then=%2Fmodel%2FWork")


async def test_a_person_without_a_model_is_told_so(edge: Edge, reader: Reader) -> None:
    """Instead of an error."""
    gone: Callable[[Any], Any] = lambda _: Refusal(Code.NO_SUCH_MODEL, "there is no model")  # noqa: E731
    reader._reply = gone  # type: ignore[method-assign]
    assert "There is no model yet" in await reader.text("/")


@pytest.mark.parametrize(("words", "schema"), [(why.REASONS, Reason), (why.ORIGINS, Explanation)])
def test_everything_is_said_in_words(words: dict[str, str], schema: Any) -> None:
    """Each reason and each origin that an explanation may name."""
    annotation = {Reason: "reason", Explanation: "resolver_from"}[schema]
    assert set(words) == set(schema.__annotations__[annotation].__args__)


def test_each_kind_of_evidence_is_said_in_words() -> None:
    """How it is known."""
    assert set(why.KINDS) == set(EvidenceType.__args__)  # type: ignore[attr-defined]
