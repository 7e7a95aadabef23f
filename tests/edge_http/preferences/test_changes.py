"""The live feed of changes, over HTTP, with a worker behind the edge.

Goal: whoever listens hears of every change that they may see, of none that they may not, and learns why it ends.
Method: programs with different rights listen to one person's preferences while others change them.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from aiohttp import web

from edge_http.http import event_stream
from edge_http.http.event_stream import EventStream, ReaderGone
from edge_http.preferences import changes, feeds
from edge_http.preferences.changes import _Feed
from edge_http.preferences.face import PreferencesFace
from edge_http.preferences.reached import ReachedPlace
from identity.preferences.keys import OWN_PLACE
from llum.ontologies.loading import load
from schemas.events import Event
from schemas.grants import Consent
from schemas.preferences import PreferencesReply
from schemas.slices import Slice
from tests.edge_http.accounts.conftest import Site
from tests.edge_http.accounts.conftest import llum as llum
from tests.edge_http.accounts.conftest import make_site as make_site
from tests.edge_http.conftest import Edge
from tests.edge_http.preferences.listening import ALL, NIGHT, Programs
from tests.waiting import DEADLINE_S, until

FONT_SIZE = "http://registry.gpii.net/common/fontSize"
FONT_SIZE_TERM = "http://registry\\.gpii\\.net/common/fontSize"


@pytest.fixture
async def programs(make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Programs]:
    """Alice has a model. Feeds look after their callers all the time, so that nobody waits for that."""
    monkeypatch.setattr(changes, "HEARTBEAT_S", 0.05)
    site = make_site(preferences=PreferencesFace(lambda: load(None), "anywhere"))
    async with site.http:
        await site.llum.make_person("alice", "steps")
        yield Programs(site)


async def test_a_feed_tells_of_each_change_and_after_a_break_of_what_was_missed(programs: Programs) -> None:
    """One event for each, with the settings that it has changed, and none for changes elsewhere in the model."""
    phone = await programs.let_in("phone", ALL)
    owner = await programs.let_in("twin", role="owner")
    await programs.patch(phone, {FONT_SIZE: 12, "gone": 1})
    async with programs.listening(owner) as feed:
        first = await feed.next()
        await programs.site.llum.tell("steps", 1)
        await programs.patch(phone, {FONT_SIZE: 14, "other": {"deep": 1, "wide": 1}})
        await programs.patch(phone, {"gone": None})
        one, two = await feed.next("change"), await feed.next("change")
    assert first.kind == ""
    assert one.data["settings"] == [
        {"view": "flat", "set": "gpii-default", "term": FONT_SIZE_TERM},
        {"view": "flat", "set": "gpii-default", "term": "other.deep"},
        {"view": "flat", "set": "gpii-default", "term": "other.wide"},
    ]
    assert two.terms == ["gone"]
    assert first.id is not None
    assert first.id < one.data["seq"] == one.id < two.data["seq"] == two.id
    assert one.data["time"] <= two.data["time"]

    async with programs.listening(owner, last=two.id) as feed:
        assert (await feed.next()).kind == ""
        await programs.patch(phone, {"other": {"deep": 2}})
        three = await feed.next("change")
    assert three.terms == ["other.deep"], "nothing was missed, so nothing comes twice"

    await programs.patch(phone, {FONT_SIZE: 16})
    await programs.patch(phone, {"other": {"deep": None}, "new": True})
    async with programs.listening(owner, last=three.id) as feed:
        missed = await feed.next("change")
    assert sorted(missed.terms) == [FONT_SIZE_TERM, "new", "other.deep"]
    async with programs.listening(phone, last=three.id) as feed:
        assert (await feed.next("reload")).data["seq"] == missed.id, "the past is not for everybody"


async def test_an_app_hears_of_what_it_may_see_alone_and_no_more_when_that_ends(programs: Programs) -> None:
    """It may see one set, so it hears nothing of others. When its right ends, it is told so, and nothing after that."""
    phone, lamp = await programs.let_in("phone", ALL), await programs.let_in("lamp", NIGHT)
    await programs.patch(phone, {"dim": 1}, name="night")
    async with programs.listening(lamp) as feed:
        await programs.patch(phone, {"secret": 1})
        await programs.patch(phone, {"dim": 2}, name="night")
        assert (await feed.next("change")).data["settings"] == [{"view": "flat", "set": "night", "term": "dim"}]
        await programs.let_in("other", NIGHT)
        await programs.patch(phone, {"dim": 3}, name="night")
        assert (await feed.next("change")).terms == ["dim"], "what others may do is nothing that it hears of"
        elsewhere = Slice(paths=["c"], actions=["ask"])
        await programs.site.llum.do(Consent(id="out", app="lamp", decision="changed", granted=[elsewhere]), "alice")
        end = await feed.next("end")
        assert await feed.is_over()
    assert end.data["error"]["code"] == "permission_denied"


async def test_a_key_listens_where_paths_are_open_until_it_is_revoked(programs: Programs) -> None:
    """As itself, without a token. A key that opens nothing is refused as elsewhere."""
    keys = programs.site.authenticator.preference_keys
    async with programs.site.http.get("/preferences/carla/changes") as response:
        assert (response.status, (await response.json())["code"]) == (404, "no_such_model")
    await programs.patch("", {"size": 1}, key="carla")
    async with programs.listening(key="carla") as feed:
        await programs.patch("", {"size": 2}, key="carla")
        assert (await feed.next("change")).terms == ["size"]
        await keys.revoke("carla")
        end = await feed.next("end")
        assert await feed.is_over()
    assert end.data["error"]["code"] == "key_revoked"


async def test_what_no_event_has_told_is_a_reload(programs: Programs) -> None:
    """As after a worker was away: whoever listens sees it by the sequence of an answer."""
    owner = await programs.let_in("twin", role="owner")
    await programs.patch(owner, {"size": 1})
    async with programs.listening(owner) as feed:
        first = await feed.next()
        heard = programs.site.app[feeds.FEEDS].events._heard["alice"]
        takers, heard.takers = heard.takers, []
        await programs.patch(owner, {"size": 2})
        reload = await feed.next("reload")
        heard.takers = takers
    assert first.id is not None
    assert reload.data == {"seq": reload.id}
    assert reload.data["seq"] > first.id


async def test_the_next_event_hides_none_that_was_missed(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the one before it: so the feed sees at once that it has missed one, and a break then loses nothing."""
    owner = await programs.let_in("twin", role="owner")
    await programs.patch(owner, {"size": 1, "other": 1})
    monkeypatch.setattr(changes, "HEARTBEAT_S", 10 * DEADLINE_S)
    async with programs.listening(owner) as feed:
        first = await feed.next()
        heard = programs.site.app[feeds.FEEDS].events._heard["alice"]
        takers, seen = heard.takers, list[Event]()
        heard.takers = [seen.append]
        await programs.patch(owner, {"size": 2})
        await until(lambda: bool(seen), "what the feed does not hear of was told")
        heard.takers = takers
        await programs.patch(owner, {"other": 2})
        reload = await feed.next()
    assert (reload.kind, reload.data["seq"]) == ("reload", reload.id)
    async with programs.listening(owner, last=first.id) as feed:
        assert sorted((await feed.next("change")).terms) == ["other", "size"]


class _FeedOfAnswers(_Feed):
    """A feed whose questions are answered with given sequences. What is heard meanwhile comes before the answer."""

    def __init__(self, *answers: int) -> None:
        request = cast(web.Request, None)
        super().__init__(request, ReachedPlace("me", "alice", "phone", OWN_PLACE, request))
        self.answers = list(answers)
        self.meanwhile: list[Event] = []
        self.said: list[tuple[str, int]] = []
        self._stream = cast(EventStream, self)

    async def _asked(self, _min_seq: int | None = None) -> PreferencesReply:
        for event in self.meanwhile:
            self.take(event)
        self.meanwhile = []
        return PreferencesReply(seq=self.answers.pop(0), sets={})

    async def _grants(self) -> list[Slice]:
        return []

    async def _check_caller(self) -> None:
        pass

    async def _reload(self, seq: int) -> None:
        self.said.append(("reload", seq))

    async def beat(self, seq: int) -> None:
        self.said.append(("beat", seq))


def _event(seq: int, before: int) -> Event:
    path = [*OWN_PLACE, "flat", "gpii-default", "size"]
    return Event(user="alice", app="phone", verb="put_preferences", seq=seq, time=0.0, paths=[path], before=before)


@pytest.mark.parametrize(
    ("early", "later", "missed"),
    [
        ([(5, 4)], [], False),
        ([(4, 3), (5, 4), (6, 5)], [(7, 6)], False),
        ([(6, 5)], [], False),
        ([(7, 6)], [], True),
        ([], [(6, 5), (7, 6)], False),
        ([], [(5, 4), (4, 3), (6, 5)], False),
        ([], [(7, 6)], True),
        ([], [(6, 5), (8, 7)], True),
        ([], [(8, 7), (7, 6), (6, 5)], True),
        ([], [(6, 0)], True),
    ],
)
async def test_a_feed_knows_whether_it_has_heard_of_everything(
    early: list[tuple[int, int]], later: list[tuple[int, int]], missed: bool
) -> None:
    """From what the first answer shows, by what each event names before it; a model that is made anew is another."""
    feed = _FeedOfAnswers(5)
    feed.meanwhile = [_event(*one) for one in early]
    await feed.begin()
    for one in later:
        feed.take(_event(*one))
    assert feed._missed == missed


async def test_what_comes_while_a_feed_looks_is_told_after_it() -> None:
    """Neither by a reload, which shows an older state, nor by a sign of life, whose id would say that it was told."""
    feed = _FeedOfAnswers(5, 7, 9, 9)
    await feed.begin()
    feed.take(_event(7, 6))
    feed.meanwhile = [_event(8, 7)]
    await feed._look()
    assert (feed.said, [one.seq for one in feed._waiting], feed._missed) == ([("reload", 7)], [8], False)
    feed._waiting.clear()
    feed.meanwhile = [_event(9, 8)]
    await feed._look()
    assert (feed.said, [one.seq for one in feed._waiting]) == ([("reload", 7)], [9])
    feed._waiting.clear()
    await feed._look()
    assert feed.said == [("reload", 7), ("beat", 9)]


async def test_feeds_are_few_for_each_caller(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused until another ends. A feed whose reader has gone ends by itself."""
    monkeypatch.setattr(feeds, "MAX_FEEDS_OF_CALLER", 1)
    owner, phone = await programs.let_in("twin", role="owner"), await programs.let_in("phone", ALL)
    headers = {"Authorization": f"Bearer {owner}"}
    async with programs.listening(owner):
        async with programs.site.http.get("/preferences/me/changes", headers=headers) as response:
            assert response.status == 429
            assert int(response.headers["Retry-After"]) > 0
        async with programs.listening(phone):
            pass
    await until(lambda: not programs.site.app[feeds.FEEDS]._of_caller, "the feeds end with their readers")
    async with programs.listening(owner) as feed:
        await feed.next()


async def test_a_reader_who_does_not_read_is_cut_off_and_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent before comes whole, then an event says why it ends."""
    monkeypatch.setattr(event_stream, "WRITE_WITHIN_S", 0.1)
    sent: list[int] = []

    async def flood(request: web.Request) -> web.StreamResponse:
        stream = await EventStream.begin(request, 0)
        try:
            while True:
                await stream.send("change", "x" * 10_000, len(sent) + 1)
                sent.append(1)
        except ReaderGone:
            sent.append(0)
        return stream.response

    edge = Edge()
    edge.app.router.add_get("/flood", flood)
    async with edge.http:
        received = await _read_late(edge, lambda: 0 in sent)
    assert received.count(b"event: change") >= sum(sent)
    assert received.rstrip().endswith(b"0"), "the answer is whole"
    last = received[received.index(b"event: end") :]
    assert b'"code":"too_slow"' in last


async def _read_late(edge: Edge, is_time: Callable[[], Any]) -> bytes:
    """Ask, read nothing until it is time, and give all that comes then."""
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    end.connect(("127.0.0.1", edge.http.port))
    end.sendall(b"GET /flood HTTP/1.1\r\nHost: llum\r\n\r\n")
    end.setblocking(False)
    await until(is_time, "the reader is cut off")
    received = b""
    while data := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(end, 65536), DEADLINE_S):
        received += data
    end.close()
    return received
