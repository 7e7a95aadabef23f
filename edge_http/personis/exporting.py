"""`export_model`: a context with all below it as a JSON text of the original's shape.

It is made of asks, one for each context: they resolve the values, filter the evidence and give it page by page, and
show an app nothing that it may not ask. A sub-context that it may not ask is left out.
"""

from typing import Any, Final

import msgspec

from edge_http.personis import calls, render, requests
from edge_http.personis.caller import Caller
from edge_http.personis.calls import AskCall
from edge_http.personis.evidence import ByteBudget, all_evidence
from edge_http.personis.structure import permissions_of
from schemas.errors import Code, Refusal, raised_from
from schemas.queries import Ask, GetContext
from schemas.replies import AskReply, ContextReply

MAX_EXPORT_BYTES: Final = 32 * 1024 * 1024
"""Bytes of evidence in one export: it is held three times while it is made a text. `llum` archives have no bound."""

MAX_CONTEXTS: Final = 10_000
"""Contexts of one export."""


async def export_model(caller: Caller) -> str:
    """Give the text. Raises `too_large`, and what asking raises."""
    call = caller.parse(calls.EXPORT)
    path = requests.path_of(call.context)
    asked = requests.ask_of(AskCall(context=path, resolver=call.resolver, showcontexts=True))
    async with caller.few_exports:
        exported = await _Export(caller, asked).context(path)
        return msgspec.json.encode(exported).decode()


class _Export:
    """One export, and what it may still take."""

    def __init__(self, caller: Caller, asked: Ask) -> None:
        self._caller = caller
        self._asked = asked
        self._budget = ByteBudget(size=MAX_EXPORT_BYTES)
        self._contexts_left = MAX_CONTEXTS

    async def context(self, path: list[str]) -> dict[str, Any]:
        """Export a context and all below it. Raises what asking raises."""
        self._contexts_left -= 1
        if self._contexts_left < 0:
            raise Refusal(Code.TOO_LARGE, f"an export has at most {MAX_CONTEXTS} contexts", "context")
        found: ContextReply = await self._caller.ask(GetContext(context=path))
        reply: AskReply = await self._caller.ask(self._query(path))
        return {
            "contextinfo": render.context(path, found, await permissions_of(self._caller, path, found)),
            "contexts": await self._below(path, reply.contexts or []),
            "components": await self._components(path, reply),
            "views": render.views(reply),
            "subs": render.exported_subscriptions(reply.rules or {}, self._caller.principal.user),
        }

    async def _below(self, path: list[str], names: list[str]) -> dict[str, Any] | None:
        exported = {}
        for name in names:
            try:
                exported[name] = await self.context([*path, name])
            except Refusal as refusal:
                if refusal.code not in (Code.PERMISSION_DENIED, Code.NO_SUCH_CONTEXT):
                    raise
        return exported or None

    async def _components(self, path: list[str], reply: AskReply) -> dict[str, Any]:
        exported = await self._rendered(self._query(path), reply)
        unresolved = [failure for failure in reply.failures if failure.error.code is not Code.PERMISSION_DENIED]
        if unresolved:
            if self._asked.resolver is not None:
                raise raised_from(render.in_call(self._caller.op, unresolved[0].error))
            exported |= await self._unresolved(path, [failure.path[-1] for failure in unresolved])
        return exported

    async def _unresolved(self, path: list[str], names: list[str]) -> dict[str, Any]:
        """Export components whose own resolver fails: with all that there is of them but a value."""
        query = msgspec.structs.replace(self._query(path), view=list(names), resolver="default", resolver_arguments={})
        exported = await self._rendered(query, await self._caller.ask(query))
        return {name: {**members, "value": None} for name, members in exported.items()}

    async def _rendered(self, query: Ask, reply: AskReply) -> dict[str, Any]:
        caller = self._caller
        evidence = await all_evidence(caller.ask, query, reply, caller.large_answers, self._budget)
        pairs = zip(reply.components, evidence.lists(), strict=True)
        return {answer.path[-1]: render.component(answer, pieces) for answer, pieces in pairs}

    def _query(self, path: list[str]) -> Ask:
        return msgspec.structs.replace(self._asked, context=path)
