"""Definitions and models that exist: making what a definition says and a model lacks, and writing a model's down."""

from collections.abc import Iterator
from typing import Final

import msgspec

from bus.as_app import new_id
from bus.importing import send_parts
from llum.client import Client
from model.formats.foreign import count_rules, with_rules_suspended
from model.formats.parcels import Piece, import_commands
from schemas.definitions import (
    ComponentDefinition,
    ContextDefinition,
    ImportedComponent,
    ImportedContext,
    ModelDefinition,
    ViewDefinition,
)
from schemas.errors import Code, Refusal, raised_from
from schemas.queries import Ask
from schemas.replies import ComponentAnswer, RuleDescription

CHEAPEST_RESOLVER: Final = "recent"
"""For asks that want the structure and not the values: one that is answered from memory."""


class MadeOfDefinition(msgspec.Struct, kw_only=True):
    """What applying a definition has made, and what was there."""

    model: bool = False
    contexts: int = 0
    components: int = 0
    views: int = 0
    rules: int = 0
    """They are suspended."""
    found: int = 0


async def apply_definition(client: Client, user: str, definition: ModelDefinition) -> MadeOfDefinition:
    """Make what a definition says and the user's model lacks; without a model, all of it at once.

    What is there stays as it is, whatever the definition says of it. Rules that are made are suspended: somebody else
    may have written the definition.
    """
    definition = with_rules_suspended(definition)
    try:
        await client.make_model(user, definition)
    except Refusal as refusal:
        if refusal.code is not Code.ALREADY_EXISTS:
            raise
        return await _complete(client, user, definition)
    contexts = definition.contexts
    components = sum(len(context.components) for context in contexts)
    views = sum(len(context.views) for context in contexts)
    rules = count_rules(definition)
    return MadeOfDefinition(model=True, contexts=len(contexts), components=components, views=views, rules=rules)


async def read_model(client: Client, user: str) -> ModelDefinition:
    """Give the definition of a model as it is: contexts, components, views and rules, without evidence."""
    contexts: list[ContextDefinition] = []
    waiting: list[list[str]] = [[]]
    while waiting:
        path = waiting.pop()
        context, below = await _read_context(client, user, path)
        contexts.append(context)
        waiting += [[*path, name] for name in reversed(below)]
    return ModelDefinition(contexts=contexts)


async def _complete(client: Client, user: str, definition: ModelDefinition) -> MadeOfDefinition:
    """Import it, in one command if it fits into one: what is there stays as it is."""
    salt = new_id()
    imported = await send_parts(client.of(user), lambda: import_commands(_pieces(definition), [], salt, only_new=True))
    counts = imported.counts
    return MadeOfDefinition(
        contexts=counts["contexts"],
        components=counts["components"],
        views=counts["views"],
        rules=counts["rules"],
        found=counts["found"],
    )


def _pieces(definition: ModelDefinition) -> Iterator[Piece]:
    for context in definition.contexts:
        head = ImportedContext(path=context.path, description=context.description, resolver=context.resolver)
        yield Piece(head)
        for component in context.components:
            yield Piece(head, ImportedComponent(definition=component))
        for view in context.views:
            yield Piece(head, view)


async def _read_context(client: Client, user: str, path: list[str]) -> tuple[ContextDefinition, list[str]]:
    """Read a context's definition, and the names of the contexts below it."""
    described = await client.get_context(user, path)
    reply = await client.ask_all(user, Ask(context=path, resolver=CHEAPEST_RESOLVER, show_contexts=True))
    for failure in reply.failures:
        raise raised_from(failure.error)
    rules = await client.list_rules(user, path)
    components = [_component(answer, rules.get(answer.path[-1], {})) for answer in reply.components]
    views = [ViewDefinition(name=name, components=names) for name, names in (reply.views or {}).items()]
    context = ContextDefinition(
        path=path,
        description=described.description,
        resolver=described.resolver,
        components=components,
        views=views,
    )
    return context, reply.contexts or []


def _component(answer: ComponentAnswer, rules: dict[str, RuleDescription]) -> ComponentDefinition:
    return ComponentDefinition(
        name=answer.path[-1],
        description=answer.description,
        component_type=answer.component_type,
        value_type=answer.value_type,
        value_list=answer.value_list,
        resolver=answer.resolver,
        goals=answer.goals,
        rules=[rule.statement for rule in rules.values()],
    )
