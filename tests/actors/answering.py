"""Asking a partition without a bus."""

import msgspec

from actors.answers import Answers
from actors.partition import Partition
from bus.subjects import Address
from model.resolvers.summaries import SHIPPED
from schemas.queries import Ask
from schemas.replies import AskReply
from tests.actors import histories


async def ask(partition: Partition, query: Ask, user: str = "alice", app: str = "llum") -> AskReply:
    """Ask, long after everything in the log; the reply must be one."""
    answers = Answers(partition, lambda: histories.START_US / 1e6 + 100, lambda: 0, SHIPPED)
    answer = answers.answer(Address(partition.number, user, app, "ask"), msgspec.json.encode(query))
    reply = answer if isinstance(answer, msgspec.Struct) else await answer()
    assert isinstance(reply, AskReply), reply
    return reply
