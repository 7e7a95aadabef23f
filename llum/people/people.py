"""People and their models, as the command line sees them."""

import asyncio
import importlib.metadata
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, NamedTuple

from llum.people.mdef_files import read_definition
from schemas.definitions import ComponentDefinition, ModelDefinition
from schemas.errors import Refusal
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.replies import AskReply

if TYPE_CHECKING:
    from llum.client import Client

MAX_CONCURRENT_ASKS = 32
"""Asks in flight while a list of people is checked."""

DEFAULT_DEFINITION = "default.mdef"


class Overview(NamedTuple):
    """What `llum admin person show` shows."""

    role: str
    seq: int
    contexts: dict[str, Any]
    """The tree of contexts, by name."""
    personal: AskReply | None
    time_zone: str | None
    """The person's; None: that of the installation counts."""


def default_model(user: str, **personal: str) -> ModelDefinition:
    """Give the default model with what is known of the person filled in."""
    with as_file(files("llum") / DEFAULT_DEFINITION) as path:
        definition = read_definition(path)
    fill(definition, ["Personal"], personal)
    fill(definition, ["modelinfo"], {"modeled": user, "personisversion": importlib.metadata.version("llum")})
    return definition


def fill(definition: ModelDefinition, path: list[str], values: dict[str, str]) -> None:
    """Tell initial values to components of a definition; those that are empty or not defined are left out."""
    for component in _components(definition, path):
        if value := values.get(component.name):
            component.evidence = [*component.evidence, NewEvidence(value=value)]


def _components(definition: ModelDefinition, path: list[str]) -> list[ComponentDefinition]:
    return [component for context in definition.contexts if context.path == path for component in context.components]


async def list_people(client: "Client") -> list[str]:
    """Give the ids of all who have a model, sorted."""
    from bus.users import list_users

    limit = asyncio.Semaphore(MAX_CONCURRENT_ASKS)

    async def has_model(user: str) -> bool:
        async with limit:
            try:
                await client.access(user)
            except Refusal as refusal:
                return refusal.code != "no_such_model"
            return True

    users = await list_users(client.bus)
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
