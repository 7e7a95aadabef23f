"""The operations that forget a part of a person, and say before how much there is of it. The original has neither."""

from typing import Any, Final

from edge_http.personis import calls, requests
from edge_http.personis.caller import Caller, Operation
from edge_http.personis.calls import PartCall
from schemas.app_names import app_id
from schemas.parts import ForgetPart, MeasurePartReply, PartSize
from schemas.queries import MeasurePart

_AS_THEY_ARE: Final = ("seq", "n", "accepted_from", "accepted_until", "held_from", "held_until")


async def _forget_part(caller: Caller) -> None:
    call = caller.parse(calls.PART)
    await caller.send(ForgetPart(id=caller.id_for(call), **_members(call)))


async def _measure_part(caller: Caller) -> dict[str, Any]:
    """Count what would go. Without any member it only says whether something is still being erased."""
    reply: MeasurePartReply = await caller.ask(MeasurePart(**_members(caller.parse(calls.PART))))
    size = None if reply.size is None else {name: getattr(reply.size, name) for name in PartSize.__struct_fields__}
    return {"seq": reply.seq, "size": size, "waits": reply.waits}


def _members(call: PartCall) -> dict[str, Any]:
    members: dict[str, Any] = {name: getattr(call, name) for name in _AS_THEY_ARE}
    if call.componentid is not None:
        members |= {"context": requests.path_of(call.context), "component": call.componentid}
    elif call.context is not None:
        members["context"] = requests.path_of(call.context)
    if call.source is not None:
        members["source"] = app_id(call.source, "source")
    return members


OPERATIONS: Final[dict[str, Operation]] = {"forgetpart": _forget_part, "measurepart": _measure_part}
