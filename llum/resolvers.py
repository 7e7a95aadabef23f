"""The resolvers of an installation: those that llum ships, and plug-ins of the entry-point group `llum.resolvers`.

An entry point's name is the resolver's name; it leads to a `Resolver`, or to a function that makes one. Nothing of a
plug-in is imported here: it has a process of its own. One that cannot be loaded does not keep llum from starting:
whoever names it gets `resolver_failed`. No plug-in takes the place of a shipped resolver.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from actors.days import days_of
from actors.plugins.plugin import BOUNDS, Bounds, Plugin
from actors.plugins.wire import PluginDeclaration, PluginEntry
from bus.logger import get_logger
from model.resolvers.latest import LATEST
from model.resolvers.registry import Arguments, Resolved, Resolver, Resolvers
from model.resolvers.summaries import SHIPPED, shipped_with
from schemas.evidence import Evidence
from schemas.time_zones import UTC

log = get_logger(__name__)

GROUP: Final = "llum.resolvers"

_BY_KIND: Final = {resolver.newest_of: resolver.resolve for resolver in LATEST if not resolver.by_held}


def installed() -> list[EntryPoint]:
    """List the plug-ins of this environment."""
    return list(entry_points(group=GROUP))


@asynccontextmanager
async def running_resolvers(
    plugins: Iterable[EntryPoint], bounds: Bounds = BOUNDS, time_zone: str = UTC
) -> AsyncIterator[Resolvers]:
    """Give the shipped resolvers and these plug-ins, by name. Their processes run as long as the block lasts.

    `time_zone` is that of people who have set none.
    """
    running = [Plugin(PluginEntry(one.name, one.value, one.group), bounds) for one in _named(plugins)]
    try:
        loaded = await asyncio.gather(*(plugin.load() for plugin in running))
        added = [await _resolver_of(*pair) for pair in zip(running, loaded, strict=True)]
        yield {**shipped_with(days_of(time_zone)), **{resolver.name: resolver for resolver in added}}
    finally:
        await asyncio.gather(*(plugin.close() for plugin in running))


def _named(plugins: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Give the first plug-in of each name that is not taken."""
    named: dict[str, EntryPoint] = {}
    for plugin in plugins:
        if plugin.name in SHIPPED or (plugin.name in named and named[plugin.name] != plugin):
            log.warning("resolver_ignored", name=plugin.name, plugin=plugin.value, reason="the name is taken")
        else:
            named[plugin.name] = plugin
    return list(named.values())


async def _resolver_of(plugin: Plugin, loaded: PluginDeclaration) -> Resolver:
    """Describe a plug-in to the model. What promises the value of the newest evidence need not be called for that."""
    name = plugin.name
    if loaded.error is not None:
        log.error("resolver_not_loaded", name=name, why=loaded.error)
        return _broken(name, f"it could not be loaded: {loaded.error}")
    resolve = _BY_KIND[loaded.newest_of] if loaded.newest_of else _broken(name, "it does not run here").resolve
    if loaded.newest_of:
        await plugin.close()
    return Resolver(
        name,
        resolve,
        loaded.newest_of,
        loaded.description,
        loaded.arguments,
        loaded.considers,
        elsewhere=None if loaded.newest_of else plugin,
    )


def _broken(name: str, reason: str) -> Resolver:
    def resolve(_evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
        raise RuntimeError(reason)

    return Resolver(name, resolve, description=f"broken: {reason[:200]}")
