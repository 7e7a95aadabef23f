"""The ask: from its call to the list that the original gives."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_http.personis import calls, render, requests
from edge_http.personis.caller import Caller
from edge_http.personis.evidence import all_evidence, evidence_at_once
from schemas.errors import raised_from
from schemas.queries import Ask
from schemas.replies import AskReply


async def ask(caller: Caller) -> render.Value:
    """Ask, and give the components with all of their evidence."""
    return await asked(caller, requests.ask_of(caller.parse(calls.ASK)))


async def asked(caller: Caller, query: Ask) -> render.Value:
    """Do the same for a call that is a query already."""
    reply: AskReply = await caller.ask(query)
    if reply.failures and not reply.components and not query.show_contexts:
        raise raised_from(render.in_call(caller.op, reply.failures[0].error))
    caller.failures = reply.failures
    user, at_once = caller.principal.user, evidence_at_once(reply)
    if at_once is not None:
        return value_of(query, reply, at_once, user)
    evidence = await all_evidence(caller.ask, query, reply, caller.large_answers)
    if evidence.is_large:
        value = value_of(query, reply, [render.GAP] * len(reply.components), user)
        return render.LargeValue(value, [*map(evidence.list_in_pieces, evidence.components)], evidence.held)
    return value_of(query, reply, evidence.lists(), user)


def value_of(query: Ask, reply: AskReply, evidence: Sequence[msgspec.Raw | str], user: str) -> list[Any]:
    """Render a reply, with the evidence of each component."""
    components = [render.component(*pair) for pair in zip(reply.components, evidence, strict=True)]
    return render.with_contexts(reply, components, user) if query.show_contexts else components
