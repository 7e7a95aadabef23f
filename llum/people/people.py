"""People and their models, as the command line sees them."""

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import Refusal
from schemas.queries import Ask
from schemas.replies import AskReply

if TYPE_CHECKING:
    from llum.client import Client

MAX_CONCURRENT_ASKS = 32
"""Asks in flight while a list of people is checked."""


class Overview(NamedTuple):
    """What `llum admin person show` shows."""

    role: str
    seq: int
    contexts: dict[str, Any]
    """The tree of contexts, by name."""
    personal: AskReply | None
    time_zone: str | None
    """The person's; None: that of the installation counts."""


async def list_people(client: "Client") -> list[str]:
    """Give the ids of all who have a model, sorted. A safe of preferences is nobody."""
    from bus.users import list_users
    from identity.preferences.keys import is_safe

    limit = asyncio.Semaphore(MAX_CONCURRENT_ASKS)

    async def has_model(user: str) -> bool:
        async with limit:
            try:
                await client.access(user)
            except Refusal as refusal:
                return refusal.code != "no_such_model"
            return True

    users = [user for user in await list_users(client.bus) if not is_safe(user)]
    has = await asyncio.gather(*map(has_model, users))
    return [user for user, yes in zip(users, has, strict=True) if yes]


async def overview(client: "Client", user: str) -> Overview:
    """Look at a model: role, tree of contexts, what Personal holds."""
    access = await client.access(user)
    contexts = await _subtree(client, user, [])
    personal = await client.ask_all(user, Ask(context=["Personal"])) if "Personal" in contexts else None
    root = await client.get_context(user)
    return Overview(access.role, access.seq, contexts, personal, root.time_zone)


async def _subtree(client: "Client", user: str, path: list[str]) -> dict[str, Any]:
    reply = await client.ask_all(user, Ask(context=path, view=[], show_contexts=True))
    return {name: await _subtree(client, user, [*path, name]) for name in reply.contexts or []}
