"""The operations that take evidence back, and say what follows before something goes. The original has none of them."""

from typing import Any, Final

import msgspec

from edge_http.personis import calls, requests
from edge_http.personis.caller import Caller, Operation
from schemas.app_names import app_name
from schemas.commands import DeleteComponent, DeleteContext, Withdraw
from schemas.following import FollowsReply
from schemas.queries import Consequences, Follows
from schemas.replies import ConsequencesReply

_APPS: Final = ("source", "app")
"""Members that hold an app's id."""


async def _withdraw(caller: Caller) -> None:
    call = caller.parse(calls.WITHDRAW)
    command = Withdraw(
        id=caller.id_for(call),
        context=requests.path_of(call.context),
        component=call.componentid,
        seq=call.seq,
        n=call.n,
        comment=call.comment,
    )
    await caller.send(command)


async def _consequences(caller: Caller) -> dict[str, Any]:
    """Say what would follow if a piece were withdrawn; without `seq` if the component, or the context, were deleted."""
    call = caller.parse(calls.CONSEQUENCES)
    path = requests.path_of(call.context)
    command: Withdraw | DeleteComponent | DeleteContext
    if call.componentid is None:
        command = DeleteContext(id="", context=path)
    elif call.seq is None:
        command = DeleteComponent(id="", context=path, component=call.componentid)
    else:
        command = Withdraw(id="", context=path, component=call.componentid, seq=call.seq, n=call.n)
    reply: ConsequencesReply = await caller.ask(Consequences(command=command))
    members: dict[str, Any] = msgspec.to_builtins(reply)
    listed = {name: [_named(one) for one in there] for name, there in members.items() if isinstance(there, list)}
    return {"seq": reply.seq, "values": []} | listed | ({"cut": members["cut"]} if reply.cut else {})


async def _follows(caller: Caller) -> dict[str, Any]:
    """Say what has followed from a piece."""
    call = caller.parse(calls.FOLLOWS)
    query = Follows(context=requests.path_of(call.context), component=call.componentid, seq=call.seq, n=call.n)
    reply: FollowsReply = await caller.ask(query)
    members: dict[str, Any] = msgspec.to_builtins(reply)
    kinds = ("values", "rules", "notices", "elsewhere", "asked")
    listed = {name: [_named(one) for one in members.get(name, [])] for name in kinds}
    return {"seq": reply.seq} | listed | {"more": reply.more}


def _named(one: dict[str, Any]) -> dict[str, Any]:
    """Call apps what people call them."""
    return one | {name: app_name(one[name]) for name in _APPS if name in one}


OPERATIONS: Final[dict[str, Operation]] = {
    "withdraw": _withdraw,
    "consequences": _consequences,
    "follows": _follows,
}
