"""Large answers: the same as small ones, sent in pieces, bounded in memory, and passed by small ones.

Method: the same evidence is asked for once as it is and once with bounds so small that the answer counts as large.
"""

import asyncio
import gc
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from edge_http.http import pieces
from edge_http.http.pieces import AnswerRoom, Held, pieces_response
from edge_http.personis import evidence, render
from edge_http.personis.evidence import LARGE_ANSWERS
from schemas.errors import Transient
from schemas.evidence import Evidence, Withdrawal
from schemas.replies import AskReply
from tests.edge_http.conftest import Edge
from tests.edge_http.fakes import answer, piece
from tests.edge_http.test_evidence_pages import pages
from tests.waiting import until

ALL_SIZES = {"a": 40, "b": 0, "c": 3}


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make slices of three pieces, and everything large."""
    monkeypatch.setattr(evidence, "SLICE_PIECES", 3)
    monkeypatch.setattr(evidence, "LARGE_BYTES", 0)


def varied(count: int) -> list[Evidence]:
    """Pieces with all that evidence may have; some are withdrawn, and not shown on this face."""
    gone = Withdrawal(by="llum", time=5.0)
    extras: list[dict[str, Any]] = [{}, {"unit": "kg"}, {"value": "not this", "objectType": "Thing"}]
    return [
        piece(
            seq,
            f'{seq} ü " {render.GAP[:9]}',
            extra=extras[seq % 3],
            correction=seq % 4 == 0,
            withdrawn=gone if seq % 5 == 0 else None,
            comment=None if seq % 2 else "so",
        )
        for seq in range(1, count + 1)
    ]


def reply() -> AskReply:
    components = [answer("P", name, value=name, evidence=varied(count)) for name, count in ALL_SIZES.items()]
    return AskReply(seq=7, components=components, contexts=["Q"], views={"v": ["a"]}, rules={})


@pytest.mark.parametrize("body", [{}, {"showcontexts": True}])
@pytest.mark.parametrize("enveloped", [True, False])
async def test_a_large_answer_is_what_a_small_one_would_be(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any], enveloped: bool
) -> None:
    """To the byte, whatever the evidence holds and however it is wrapped."""
    call = {"context": ["P"], **body, **({"version": "11.2"} if enveloped else {})}
    answers = []
    for is_large in (False, True):
        if is_large:
            monkeypatch.setattr(evidence, "SLICE_PIECES", 3)
            monkeypatch.setattr(evidence, "LARGE_BYTES", 0)
        edge.requests.replies = [reply()]
        response = await edge.post("ask", json.dumps(call).encode())
        assert response.headers["Content-Length"] == str(len(await response.read()))
        assert response.headers["Content-Type"] == "application/json"
        answers.append(await response.read())
    assert answers[0] == answers[1]
    found = json.loads(answers[0])
    components = found["val"] if enveloped else found
    shown = (components[0] if body else components)[0]["evidencelist"]
    assert len(shown) == ALL_SIZES["a"] - ALL_SIZES["a"] // 5
    assert shown[3]["correction"] is True
    assert {piece["objectType"] for piece in shown} == {"Evidence"}


@pytest.mark.usefixtures("small_bounds")
async def test_a_small_ask_passes_a_large_one(edge: Edge) -> None:
    """While the slices of one answer wait for their turn, another ask is answered."""
    edge.requests.replies = [pages({"a": 100}, 1000)]
    turn = edge.app[LARGE_ANSWERS].turn
    async with turn:
        large = asyncio.create_task(edge.call("ask", {"context": ["P"]}))
        await until(lambda: len(edge.requests.queries) == 1, "the large ask is on its way")
        edge.requests.replies = [pages({"a": 2}, 1000)]
        assert len((await edge.call("ask", {"context": ["P"]}))["val"][0]["evidencelist"]) == 2
        assert not large.done()
    assert len((await large)["val"][0]["evidencelist"]) == 100


@pytest.mark.usefixtures("small_bounds")
async def test_what_is_held_is_given_back(edge: Edge) -> None:
    """After the answer was sent, after it failed, and after its client left in the middle."""
    room = edge.app[LARGE_ANSWERS].room
    whole, asked = room.left, asyncio.Event()

    async def never(_: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    edge.requests.replies = [pages({"a": 100}, 60)] * 2
    await edge.call("ask", {"context": ["P"]})
    edge.requests.replies = [pages({"a": 100}, 60), Transient(pieces.Code.UNAVAILABLE, "gone")]
    assert (await edge.post("ask", {"context": ["P"]})).status == 503
    edge.requests.replies = [pages({"a": 100}, 60), never]
    leaving = asyncio.create_task(edge.call("ask", {"context": ["P"]}))
    await asked.wait()
    assert room.left < whole, "the first page is held"
    leaving.cancel()
    await until(lambda: gc.collect() is not None and room.left == whole, "all is given back")


@pytest.mark.usefixtures("small_bounds")
async def test_without_room_the_client_is_told_to_come_again(edge: Edge) -> None:
    """Large answers that are on their way take the room; a small ask needs none of it."""
    taken = Held(edge.app[LARGE_ANSWERS].room)
    taken.grow(edge.app[LARGE_ANSWERS].room.left)
    edge.requests.replies = [pages({"a": 2}, 1000), AskReply(seq=1, components=[answer("P", "b")])]
    refused = await edge.post("ask", {"context": ["P"]})
    assert refused.status == 503
    assert refused.headers["Retry-After"]
    assert (await edge.post("ask", {"context": ["P"]})).status == 200
    del taken
    edge.requests.replies = [pages({"a": 2}, 1000)]
    assert (await edge.post("ask", {"context": ["P"]})).status == 200


class SlowWriter:
    """Takes pieces one by one, each when the test lets it."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.let_go = asyncio.Event()

    async def write(self, chunk: bytes) -> None:
        self.taken.append(chunk)
        await self.let_go.wait()


def body_of(response: web.Response) -> Any:
    return response.body


async def test_pieces_are_sent_as_the_client_takes_them() -> None:
    """In order; none is written before the one in front of it has been taken, and what is taken is not kept."""
    body, writer = body_of(pieces_response([b"[", b"1", b"]"], None)), SlowWriter()
    sending = asyncio.create_task(body.write(_as_writer(writer)))
    await until(lambda: writer.taken, "the first is written")
    for _ in range(20):
        await asyncio.sleep(0)  # Others could be written now.
    assert writer.taken == [b"["]
    writer.let_go.set()
    await sending
    assert writer.taken == [b"[", b"1", b"]", b"\n"]


async def test_a_client_that_does_not_take_its_answer_loses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection ends, and with it what was held for it."""
    monkeypatch.setattr(pieces, "SEND_BASE_S", 0.01)
    room = AnswerRoom(10)
    held = Held(room)
    held.grow(10)
    body = body_of(pieces_response([b"12345", b"67890"], held))
    del held
    with pytest.raises(ConnectionResetError):
        await body.write(_as_writer(SlowWriter()))
    assert room.left == 10


def _as_writer(writer: SlowWriter) -> AbstractStreamWriter:
    return writer  # type: ignore[return-value]
