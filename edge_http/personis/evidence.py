"""All the evidence of an answer, page by page: the original gives all of it in one reply.

Further pages are asked as of the first page's sequence, so that they continue exactly where it ended. Pages are kept
encoded: about a third of what their objects would take.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

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

AskOn = Callable[[Ask], Awaitable[AskReply]]

FEW_EXPORTS: Final = web.AppKey("few_exports", asyncio.Semaphore)
LARGE_ANSWERS: Final = web.AppKey("large_answers", asyncio.Semaphore)


class ByteBudget:
    """What an answer may still take."""

    def __init__(self, pieces: int = MAX_PIECES, size: int = MAX_EVIDENCE_BYTES) -> None:
        self._pieces = pieces
        self._size = size

    def spend(self, pieces: int, size: int) -> None:
        """Raise `too_much_evidence` when it is used up."""
        self._pieces -= pieces
        self._size -= size
        if self._pieces < 0 or self._size < 0:
            raise Refusal(
                Code.TOO_MUCH_EVIDENCE,
                f"the answer has more than {MAX_PIECES} pieces or {MAX_EVIDENCE_BYTES} bytes of evidence",
                "resolver.evidence_filter",
                "ask for less with an evidence filter, such as last10 or since_time",
            )


async def all_evidence(
    ask_on: AskOn, query: Ask, reply: AskReply, large_answers: asyncio.Semaphore, budget: ByteBudget | None = None
) -> list[msgspec.Raw]:
    """Give the evidence of each component of the reply, encoded. Raises `too_much_evidence`, and what asking raises."""
    budget = budget or ByteBudget()
    if not any(answer.evidence_more for answer in reply.components):
        return [_joined([_page(answer, budget)]) for answer in reply.components]
    async with large_answers:
        return [await _all_pages(ask_on, query, reply.seq, answer, budget) for answer in reply.components]


async def _all_pages(ask_on: AskOn, query: Ask, seq: int, answer: ComponentAnswer, budget: ByteBudget) -> msgspec.Raw:
    pages = [_page(answer, budget)]
    while answer.evidence_more and answer.evidence:
        following = await ask_on(_following(query, seq, answer.path, answer.evidence[-1]))
        if following.failures:
            raise raised_from(following.failures[0].error)
        answer = following.components[0]
        pages.append(_page(answer, budget))
    return _joined(pages)


def _following(query: Ask, seq: int, path: list[str], last: Evidence) -> Ask:
    return Ask(
        context=path[:-1],
        view=[path[-1]],
        resolver=query.resolver,
        resolver_arguments=query.resolver_arguments,
        evidence_filter=query.evidence_filter,
        include_evidence=True,
        evidence_after=(last.seq, last.n),
        as_of_seq=seq,
        min_seq=seq,
    )


def _page(answer: ComponentAnswer, budget: ByteBudget) -> bytes:
    pieces = answer.evidence or []
    page = evidence_list(pieces)[1:-1]
    budget.spend(len(pieces), len(page))
    return page


def _joined(pages: list[bytes]) -> msgspec.Raw:
    return msgspec.Raw(b"[" + b",".join(page for page in pages if page) + b"]")
