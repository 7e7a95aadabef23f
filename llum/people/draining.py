"""Draining workers: they serve nothing more once others have taken over, until that is undone."""

import asyncio
from typing import Final

import msgspec

from bus.connection import Bus
from bus.operator_subjects import worker_subject
from bus.workers import Order, WorkerWord, from_bits, read_words
from schemas.errors import Code, Refusal, Transient

ANSWERED_WITHIN_S: Final = 5.0
"""Seconds for a worker to answer an order."""

LOOK_EVERY_S: Final = 0.25


class Drained(msgspec.Struct, frozen=True):
    """What has come of draining a worker, or of undoing that."""

    id: str
    host: str
    partitions: int
    """How many it still answers for."""


async def drain(bus: Bus, name: str, *, undo: bool, within_s: float) -> list[Drained]:
    """Drain all workers of a machine, or one by its id, and wait until others have taken over.

    Gives how many partitions each still answers for when the time is over, or when there is nobody to take them.
    Raises `bad_field` when no such worker is there, `Transient` when one does not answer.
    """
    words = await read_words(bus)
    chosen = [word for word in words if name in (word.id, word.host)]
    if not chosen:
        there = ", ".join(f"{word.id} on {word.host}" for word in words) or "none"
        raise Refusal(Code.BAD_FIELD, f"no worker is called {name}, nor its machine", "host", f"there are: {there}")
    # One that is lost keeps no other from being drained.
    answers = await asyncio.gather(
        *(_order(bus, word, Order(drain=not undo)) for word in chosen), return_exceptions=True
    )
    for answer in answers:
        if answer is not None:
            raise answer
    ids = {word.id for word in chosen}
    has_heirs = any(not word.draining for word in words if word.id not in ids)
    if not undo and has_heirs:
        await _until_empty(bus, ids, within_s)
    return [Drained(w.id, w.host, len(from_bits(w.ready))) for w in await read_words(bus) if w.id in ids]


async def _order(bus: Bus, word: WorkerWord, order: Order) -> None:
    try:
        answer = await bus.inbox.request(worker_subject(word.id), msgspec.json.encode(order), ANSWERED_WITHIN_S)
    except Transient as error:
        message = f"worker {word.id} on {word.host} does not answer within {ANSWERED_WITHIN_S:g} s"
        hint = "it is stopped or cut off, or its machine is lost; the others of that name have got the order"
        raise Transient(Code.UNAVAILABLE, message, hint) from error
    if answer.no_responders:
        message = f"worker {word.id} on {word.host} does not answer: it has ended, or ends"
        raise Transient(Code.UNAVAILABLE, message, "look again with `llum status` in a moment")
    if msgspec.json.decode(answer.data, type=WorkerWord).draining != order.drain:
        message = f"worker {word.id} on {word.host} cannot write this into its folder of shards, so nothing has changed"
        raise Transient(Code.UNAVAILABLE, message, "see the last lines of its log, and make the folder writable")


async def _until_empty(bus: Bus, ids: set[str], within_s: float) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    while asyncio.get_running_loop().time() < deadline:
        words = [word for word in await read_words(bus) if word.id in ids]
        if not any(from_bits(word.ready) for word in words):
            return
        await asyncio.sleep(LOOK_EVERY_S)
