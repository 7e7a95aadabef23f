"""What a page about a model shows, asked for as the person's own app: it may see all of it, and nobody else's."""

import asyncio
from typing import Final, NamedTuple
from urllib.parse import quote

from aiohttp import web

from bus.as_app import AsApp
from edge_http.home.values import ShownValue, shown
from edge_http.home.why import ShownWhy, why
from edge_http.http.observe import TRACE
from edge_http.keys import TIME_ZONE
from edge_http.sessions.own_model import own_model
from schemas.errors import Code, Refusal
from schemas.paths import format_path
from schemas.queries import Ask, GetContext
from schemas.replies import AskReply, ComponentAnswer, ContextReply

ENTRIES: Final = 50
"""Contexts and components on one page."""

MODEL: Final = "/model"


class Crumb(NamedTuple):
    """A link to a context or a component."""

    name: str
    url: str


class ShownContext(NamedTuple):
    """A context as an entry of the one above."""

    name: str
    url: str
    description: str
    below: list[Crumb]
    """The contexts in it."""
    components: int


class ShownComponent(NamedTuple):
    """A component as an entry of its context."""

    name: str
    url: str
    description: str
    value: ShownValue
    why: ShownWhy | None
    failed: str
    """Why it cannot be answered; empty: it is."""


class ContextView(NamedTuple):
    """A page of a context."""

    path: tuple[str, ...]
    crumbs: list[Crumb]
    description: str
    zone: str
    contexts: list[ShownContext]
    components: list[ShownComponent]
    views: list[tuple[str, list[Crumb]]]
    total: int
    """Entries of all pages."""
    number: int
    pages: int


class ComponentView(NamedTuple):
    """The page of a component."""

    crumbs: list[Crumb]
    component: ShownComponent
    kind: str
    made: float
    zone: str


def url_of(path: tuple[str, ...]) -> str:
    """Give the address of a context or a component."""
    return f"{MODEL}/{quote(format_path(path), safe='/~')}" if path else "/"


async def read(request: web.Request, user: str, path: tuple[str, ...], number: int = 1) -> ContextView | ComponentView:
    """Read what is at a path, of a context a page. Raises `no_such_context`, `no_such_model`, `Transient`."""
    model, default_zone = own_model(request, user), request[TRACE].edge[TIME_ZONE]
    root = await model.find(GetContext(), ContextReply)
    zone = root.time_zone or default_zone
    try:
        context = root if not path else await model.find(GetContext(context=list(path)), ContextReply)
    except Refusal as absent:
        if absent.code is not Code.NO_SUCH_CONTEXT:
            raise
        return await _component(model, path, zone, absent)
    return await _context(model, path, context, zone, number)


async def _context(model: AsApp, path: tuple[str, ...], context: ContextReply, zone: str, number: int) -> ContextView:
    total = len(context.contexts) + len(context.components)
    pages = max(1, -(-total // ENTRIES))
    number = min(max(1, number), pages)
    first = (number - 1) * ENTRIES
    contexts = context.contexts[first : first + ENTRIES]
    after = max(0, first - len(context.contexts))
    components = context.components[after : after + ENTRIES - len(contexts)]
    shown_contexts, shown_components = await asyncio.gather(
        asyncio.gather(*(_sub_context(model, (*path, name)) for name in contexts)),
        _components(model, path, components),
    )
    views = [(name, [_listed(path, one) for one in listed]) for name, listed in context.views.items()]
    return ContextView(
        path, _crumbs(path), context.description, zone, shown_contexts, shown_components, views, total, number, pages
    )


async def _sub_context(model: AsApp, path: tuple[str, ...]) -> ShownContext:
    reply = await model.find(GetContext(context=list(path)), ContextReply)
    below = [Crumb(name, url_of((*path, name))) for name in reply.contexts[:ENTRIES]]
    return ShownContext(path[-1], url_of(path), reply.description, below, len(reply.components))


async def _components(model: AsApp, path: tuple[str, ...], names: list[str]) -> list[ShownComponent]:
    if not names:
        return []
    query = Ask(context=list(path), view=list(names), explain=True)
    reply = await model.find(query, AskReply)
    answers = {one.path[-1]: _answered(one) for one in reply.components}
    answers |= {one.path[-1]: _failed(one.path, one.error.message) for one in reply.failures}
    return [answers[name] for name in names if name in answers]


async def _component(model: AsApp, path: tuple[str, ...], zone: str, absent: Refusal) -> ComponentView:
    """Read the component at a path. Raises `absent` if there is none either."""
    *context, name = path
    reply = await model.find(Ask(context=context, view=[name], explain=True), AskReply)
    if reply.components:
        answer = reply.components[0]
        kind = f"{answer.component_type}, {answer.value_type}"
        return ComponentView(_crumbs(path), _answered(answer), kind, answer.creation_time, zone)
    raise absent


def _answered(one: ComponentAnswer) -> ShownComponent:
    reasons = None if one.explanation is None else why(one.explanation)
    return ShownComponent(one.path[-1], url_of(tuple(one.path)), one.description, shown(one.value), reasons, "")


def _failed(path: list[str], message: str) -> ShownComponent:
    return ShownComponent(path[-1], url_of(tuple(path)), "", shown(None), None, message)


def _crumbs(path: tuple[str, ...]) -> list[Crumb]:
    return [Crumb(name, url_of(path[: depth + 1])) for depth, name in enumerate(path)]


def _listed(path: tuple[str, ...], one: str | list[str]) -> Crumb:
    """Name a component of a view: one of the context itself by its name, others by their path."""
    full = (*path, one) if isinstance(one, str) else tuple(one)
    return Crumb(one if isinstance(one, str) else format_path(one), url_of(full))
