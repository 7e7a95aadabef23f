"""What a page of consent must know of the person's model before anything is chosen: asked for as their own app."""

import asyncio
from typing import Final, NamedTuple

from aiohttp import web

from bus.as_app import AsApp
from edge_http.consent.choices import ONLY_VALUE, Option, resolver_option, view_option
from edge_http.consent.wording import place_words
from edge_http.http.observe import TRACE
from edge_http.keys import TIME_ZONE
from edge_http.sessions.own_model import own_model
from schemas.errors import Code, Refusal
from schemas.grants import GrantedApp, GrantsReply
from schemas.paths import Path, format_path, parse_path
from schemas.queries import GetContext, Grants, ListResolvers
from schemas.replies import ContextReply, ResolversReply
from schemas.slices import Slice

YES_OR_NO: Final = "Whether "
"""How the description of a resolver begins that answers yes or no."""

MAX_LISTED: Final = 6
"""Components of a view that are named."""


class ConsentGround(NamedTuple):
    """What is there already."""

    zone: str
    """The person's time zone."""
    app: GrantedApp | None
    """What the app may do now, and what was decided about it; null: nothing was."""
    contexts: dict[str, ContextReply | None]
    """Those that the slices name, and those around the components that they name; null: there is none yet."""
    resolvers: dict[str, str]
    """Those that answer yes or no, with their descriptions."""


async def ground_of(request: web.Request, user: str, app: str, slices: list[Slice]) -> ConsentGround:
    """Find it. Raises `no_such_model`, `Transient`."""
    model = own_model(request, user)
    paths = dict.fromkeys([*(path for one in slices for path in one.paths), *map(_around, _components(slices))])
    root, granted, resolvers = await asyncio.gather(
        model.find(GetContext(), ContextReply),
        _granted(model, app),
        model.find(ListResolvers(), ResolversReply),
    )
    found = await asyncio.gather(*(_context(model, path) for path in paths))
    return ConsentGround(
        root.time_zone or request[TRACE].edge[TIME_ZONE],
        granted,
        dict(zip(paths, found, strict=True)),
        {name: text for name, text in resolvers.resolvers.items() if text.startswith(YES_OR_NO)},
    )


def options_of(one: Slice, ground: ConsentGround) -> list[Option]:
    """List by what a person may narrow how an app asks: what was asked for more narrowly already, nobody narrows."""
    if "ask" not in one.actions or one.resolver or one.view:
        return []
    options = [resolver_option(name, text) for name, text in ground.resolvers.items()]
    if len(one.paths) == 1 and not one.components:
        context = ground.contexts.get(one.paths[0])
        views = context.views if context is not None else {}
        options += [view_option(name, _listed(listed)) for name, listed in views.items()]
    return [*options, ONLY_VALUE]


def missing_places(one: Slice, ground: ConsentGround) -> list[str]:
    """Name the places of a slice that are not there yet."""
    absent = [path for path in one.paths if ground.contexts.get(path) is None]
    absent += [path for path in one.components if not _has_component(parse_path(path), ground)]
    return list(map(place_words, absent))


def _has_component(path: Path, ground: ConsentGround) -> bool:
    context = ground.contexts.get(format_path(path[:-1]))
    return context is not None and path[-1] in context.components


async def _granted(model: AsApp, app: str) -> GrantedApp | None:
    try:
        return next(iter((await model.find(Grants(app=app), GrantsReply)).apps), None)
    except Refusal as unknown:
        if unknown.code is not Code.NO_SUCH_APP:
            raise
        return None


async def _context(model: AsApp, path: str) -> ContextReply | None:
    try:
        return await model.find(GetContext(context=list(parse_path(path))), ContextReply)
    except Refusal as absent:
        if absent.code is not Code.NO_SUCH_CONTEXT:
            raise
        return None


def _components(slices: list[Slice]) -> list[str]:
    return [path for one in slices for path in one.components]


def _around(component: str) -> str:
    return format_path(parse_path(component)[:-1])


def _listed(listed: list[str | list[str]]) -> str:
    names = [one if isinstance(one, str) else format_path(one) for one in listed[:MAX_LISTED]]
    return ", ".join(names) + (" and more" if len(listed) > MAX_LISTED else "")
