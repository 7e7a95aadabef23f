"""The resolvers of an installation: those that llum ships, and plug-ins of the entry-point group `llum.resolvers`.

An entry point's name is the resolver's name; it leads to a `Resolver`, or to a function that makes
one. A plug-in that cannot be loaded does not keep llum from starting: whoever names it gets `resolver_failed`. No
plug-in takes the place of a shipped resolver.
"""

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import msgspec

from bus.logger import get_logger
from model.resolvers.registry import Arguments, Resolved, Resolver, Resolvers
from model.resolvers.summaries import SHIPPED
from schemas.evidence import Evidence

log = get_logger(__name__)

GROUP: Final = "llum.resolvers"


def load_resolvers(plugins: Iterable[EntryPoint] | None = None) -> Resolvers:
    """Give the shipped resolvers and the installed ones, by name."""
    resolvers = dict(SHIPPED)
    for plugin in entry_points(group=GROUP) if plugins is None else plugins:
        if plugin.name in resolvers:
            log.warning("resolver_ignored", name=plugin.name, plugin=plugin.value, reason="the name is taken")
        else:
            resolvers[plugin.name] = _load(plugin)
    return resolvers


def _load(plugin: EntryPoint) -> Resolver:
    try:
        loaded = plugin.load()
        resolver = loaded if isinstance(loaded, Resolver) else loaded()
        if not isinstance(resolver, Resolver):
            raise TypeError(f"{plugin.value} is no resolver")
    except Exception as error:  # whatever a plug-in does when it is loaded, the others are still good
        log.exception("resolver_not_loaded", name=plugin.name, plugin=plugin.value)
        return _broken(plugin.name, f"it could not be loaded: {error}")
    return msgspec.structs.replace(resolver, name=plugin.name)


def _broken(name: str, reason: str) -> Resolver:
    def resolve(_evidence: Sequence[Evidence], _now: float, _arguments: Arguments) -> Resolved:
        raise RuntimeError(reason)

    return Resolver(name, resolve, description=f"broken: {reason[:200]}")
