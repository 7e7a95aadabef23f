"""All the evidence of an answer, page by page: the original gives all of it in one reply.

Further pages are asked as of the first page's sequence, so that they continue exactly where it ended. Pages are kept
encoded: about a third of what their objects would take. They are encoded in slices, and of one answer at a time, so
that small answers pass between them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import msgspec
from aiohttp import web

from edge_http.http.pieces import AnswerRoom, Held
from edge_http.personis.render import evidence_list
from schemas.errors import Code, Refusal, raised_from
from schemas.evidence import Evidence
from schemas.queries import Ask
from schemas.replies import AskReply, ComponentAnswer

MAX_PIECES: Final = 200_000
"""Pieces of evidence in one answer: what one resolver may be given, too."""

MAX_EVIDENCE_BYTES: Final = 64 * 1024 * 1024
"""Bytes of evidence in one answer, as it is held in memory until it has been sent."""

MAX_LARGE_ANSWERS: Final = 4
"""Answers of more than one page put together at once; others wait, so that memory is bounded by the product."""

MAX_EXPORTS: Final = 2
"""Exports that are made at once."""

SLICE_PIECES: Final = 256
"""Pieces encoded in one go: a tenth of a millisecond."""

LARGE_BYTES: Final = 64 * 1024
"""Bytes of evidence from which on an answer counts as large: it is sent in pieces."""

AskOn = Callable[[Ask], Awaitable[AskReply]]


class LargeAnswers:
    """What the large answers of an edge share."""

    def __init__(self) -> None:
        self.paged = asyncio.Semaphore(MAX_LARGE_ANSWERS)
        self.turn = asyncio.Lock()
        """Whose slices are encoded."""
        self.room = AnswerRoom()


FEW_EXPORTS: Final = web.AppKey("few_exports", asyncio.Semaphore)
LARGE_ANSWERS: Final = web.AppKey("large_answers", LargeAnswers)


class ByteBudget:
    """What an answer may still take."""

    def __init__(self, pieces: int = MAX_PIECES, size: int = MAX_EVIDENCE_BYTES) -> None:
        self._pieces = pieces
        self._size = size

    def spend(self, pieces: int, size: int) -> None:
        """Raise `too_large` when it is used up."""
        self._pieces -= pieces
        self._size -= size
        if self._pieces < 0 or self._size < 0:
            raise Refusal(
                Code.TOO_LARGE,
                f"the answer has more than {MAX_PIECES} pieces or {MAX_EVIDENCE_BYTES} bytes of evidence",
                "resolver.evidence_filter",
                "ask for less with an evidence filter, such as last10 or since_time",
            )


class Encoded:
    """All the evidence of a reply's components, encoded."""

    def __init__(self, large: LargeAnswers, budget: ByteBudget) -> None:
        self.components: list[list[bytes]] = []
        """Of each component: its pieces, in JSON, with commas between them, slice by slice."""
        self.size = 0
        self.held = Held(large.room)
        self._large = large
        self._budget = budget

    @property
    def is_large(self) -> bool:
        """Tell whether it is better sent in pieces."""
        return self.size > LARGE_BYTES

    def lists(self) -> list[msgspec.Raw]:
        """Give the JSON list of each component."""
        return [msgspec.Raw(b"".join(self.list_in_pieces(slices))) for slices in self.components]

    @staticmethod
    def list_in_pieces(slices: Sequence[bytes]) -> list[bytes]:
        """Make a JSON list of slices."""
        filled = [piece for one in slices if one for piece in (b",", one)]
        return [b"[", *filled[1:], b"]"]

    async def add_page(self, slices: list[bytes], answer: ComponentAnswer) -> None:
        """Encode a page. Raises `too_large`, and `unavailable` when too much is held already."""
        pieces = answer.evidence or ()
        if len(pieces) <= SLICE_PIECES:
            self._take(slices, pieces)
            return
        async with self._large.turn:
            for at in range(0, len(pieces), SLICE_PIECES):
                self._take(slices, pieces[at : at + SLICE_PIECES])
                await asyncio.sleep(0)

    def _take(self, slices: list[bytes], pieces: Sequence[Evidence]) -> None:
        encoded = evidence_list(pieces)[1:-1]
        self._budget.spend(len(pieces), len(encoded))
        self.held.grow(len(encoded))
        self.size += len(encoded)
        slices.append(encoded)


def evidence_at_once(reply: AskReply) -> list[msgspec.Raw] | None:
    """Give the JSON list of each component, if it is all there and little, as it mostly is; None: `all_evidence`."""
    pieces = 0
    for answer in reply.components:
        pieces += len(answer.evidence or ())
        if answer.evidence_more or pieces > SLICE_PIECES:
            return None
    lists = [evidence_list(answer.evidence or ()) for answer in reply.components]
    return [*map(msgspec.Raw, lists)] if sum(map(len, lists)) <= LARGE_BYTES else None


async def all_evidence(
    ask_on: AskOn, query: Ask, reply: AskReply, large: LargeAnswers, budget: ByteBudget | None = None
) -> Encoded:
    """Give the evidence of all components of a reply. Raises as `Encoded.add_page`, and what asking raises."""
    evidence = Encoded(large, budget or ByteBudget())
    paged = any(answer.evidence_more for answer in reply.components)
    async with large.paged if paged else contextlib.nullcontext():
        for answer in reply.components:
            slices: list[bytes] = []
            evidence.components.append(slices)
            await evidence.add_page(slices, answer)
            if answer.evidence_more:
                async for page in _further_pages(ask_on, query, reply.seq, answer):
                    await evidence.add_page(slices, page)
    return evidence


async def _further_pages(
    ask_on: AskOn, query: Ask, seq: int, answer: ComponentAnswer
) -> AsyncIterator[ComponentAnswer]:
    while answer.evidence_more and answer.evidence:
        following = await ask_on(_following(query, seq, answer.path, answer.evidence[-1]))
        if following.failures:
            raise raised_from(following.failures[0].error)
        answer = following.components[0]
        yield answer


def _following(query: Ask, seq: int, path: list[str], last: Evidence) -> Ask:
    return Ask(
        context=path[:-1],
        view=[path[-1]],
        resolver=query.resolver,
        resolver_arguments=query.resolver_arguments,
        evidence_filter=query.evidence_filter,
        held_at=query.held_at,
        value_over_all=query.value_over_all,
        include_evidence=True,
        evidence_after=(last.seq, last.n),
        as_of_seq=seq,
        min_seq=seq,
    )
