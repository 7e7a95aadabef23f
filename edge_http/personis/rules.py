"""The operations about rules, which the original calls subscriptions."""

from typing import Any, Final

from edge_http.personis import calls, render, requests
from edge_http.personis.caller import Caller, Operation
from edge_http.personis.calls import SubscribeCall, SubscriptionMembers
from model.formats.spellings import Segments
from schemas.commands import DeleteRule, MakeRule
from schemas.errors import Code, Refusal, raised_from
from schemas.limits import MAX_LIST_ITEMS
from schemas.queries import Ask, ListRules
from schemas.replies import AskReply, RulesReply

WITHOUT_VALUE: Final = frozenset({Code.UNKNOWN_RESOLVER, Code.RESOLVER_FAILED, Code.TOO_MUCH_EVIDENCE})
"""Failures of components that are there: a rule can be attached to them."""


async def _subscribe(caller: Caller) -> str | list[str]:
    """Attach a rule to each component of the view. One component: its token; several: their tokens in that order.

    Those whose value cannot be had now are the last ones. When one is refused, none has the rule.
    """
    call = caller.parse(calls.SUBSCRIBE)
    given = (
        SubscriptionMembers(statement=call.subscription) if isinstance(call.subscription, str) else call.subscription
    )
    path, *further = await _paths(caller, call)
    command = MakeRule(
        id=caller.id_for(call),
        context=path[:-1],
        component=path[-1],
        statement=given.statement,
        further=further,
        user=given.user if isinstance(given.user, str) and given.user else None,
    )
    attached: str | list[str] = (await caller.accepted(command)).result
    return attached


async def _paths(caller: Caller, call: SubscribeCall) -> list[Segments]:
    context = requests.path_of(call.context)
    if call.componentid is not None:
        return [[*context, call.componentid]]
    view = requests.view_of(call.view)
    if not isinstance(view, list):
        reply: AskReply = await caller.ask(Ask(context=context, view=view))
        there = [failure for failure in reply.failures if failure.error.code in WITHOUT_VALUE]
        for failure in reply.failures:
            if failure not in there:
                raise raised_from(render.in_call(caller.op, failure.error))
        view = [*(answer.path for answer in reply.components), *(failure.path for failure in there)]
        context = []
    if not view or len(view) > MAX_LIST_ITEMS or [] in view:
        raise Refusal(Code.BAD_FIELD, f"a rule is attached to 1 to {MAX_LIST_ITEMS} components", "view")
    paths = [(*context, item) if isinstance(item, str) else tuple(item) for item in view]
    return [list(path) for path in dict.fromkeys(paths)]


async def _list_subscriptions(caller: Caller) -> dict[str, Any]:
    """List the rules of one component by token, or those of all components of the context by component and token."""
    call = caller.parse(calls.LIST_SUBSCRIPTIONS)
    path = requests.path_of(call.context)
    query = ListRules(context=path, component=call.componentid)
    reply: RulesReply = await caller.ask(query)
    found = render.subscriptions(reply.rules, caller.principal.user)
    return found if call.componentid is None else found.get(call.componentid, {})


async def _delete_subscription(caller: Caller) -> None:
    call = caller.parse(calls.DELETE_SUBSCRIPTION)
    path = requests.path_of(call.context)
    identifier = caller.id_for(call)
    await caller.send(DeleteRule(id=identifier, context=path, component=call.componentid, token=call.subname))


OPERATIONS: Final[dict[str, Operation]] = {
    "subscribe": _subscribe,
    "list_subs": _list_subscriptions,
    "delete_sub": _delete_subscription,
}
