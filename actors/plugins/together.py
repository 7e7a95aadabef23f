"""All that one ask wants of plug-ins: each is called once, side by side, and together they have a deadline."""

import asyncio

from actors.plugins.plugin import Plugin, PluginCall
from model.elsewhere import Together
from model.resolvers.registry import Resolved
from schemas.errors import LlumError


async def resolve_together(together: Together) -> list[Resolved | LlumError]:
    """Give what comes of each, in order. What is not done in time has failed, and the rest is answered."""
    loop = asyncio.get_running_loop()
    calls: dict[Plugin, PluginCall] = {}
    places: list[tuple[Plugin, int]] = []
    for one in together.wanted:
        plugin: Plugin = one.resolver.elsewhere
        call = calls.setdefault(plugin, PluginCall())
        places.append((plugin, len(call.wanted)))
        call.wanted.append(one)
    deadline = loop.time() + max(plugin.bounds.ask_s for plugin in calls)
    await asyncio.gather(*(plugin.resolve(call, deadline) for plugin, call in calls.items()))
    return [calls[plugin].results[place] for plugin, place in places]
