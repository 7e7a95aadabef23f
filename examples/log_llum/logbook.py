"""The place in a person's model where log-llum writes: made at first use, written to, read."""

import time
from typing import Any, NamedTuple

from log_llum.access import Access, NotAllowedError
from log_llum.things import COMPONENT, CONTEXT, LABELS, PLACE


class Logged(NamedTuple):
    """One thing that was logged."""

    item: str
    time: float
    """Seconds since 1970."""


class Shown(NamedTuple):
    """What an ask has brought: pieces of evidence, or the value alone if the person lets log-llum see no more."""

    pieces: list[Logged]
    value: Any
    only_value: bool


async def install(access: Access) -> None:
    """Make the place. What is there stays as it is. Raises what `Access.call` raises."""
    *around, name = CONTEXT
    about = {"Identifier": name, "Description": "What you have logged"}
    await access.call("mkcontext", context=around, contextobj=about)
    component = {
        "Identifier": COMPONENT,
        "Description": "Each thing, when you logged it",
        "component_type": "activity",
        "value_type": "enum",
        "value_list": list(LABELS),
    }
    await access.call("mkcomponent", context=list(CONTEXT), componentobj=component)


async def log(access: Access, item: str) -> int:
    """Write a thing down, and give the sequence that takes it back. Raises what `Access.call` raises."""
    evidence = {"evidence_type": "explicit", "value": item, "time": time.time()}
    answer = await access.call("tell", context=list(CONTEXT), componentid=COMPONENT, evidence=evidence)
    return int(answer["seq"])


async def take_back(access: Access, seq: int) -> None:
    """Undo what was written down. Raises what `Access.call` raises."""
    await access.call("withdraw", context=list(CONTEXT), componentid=COMPONENT, seq=seq, comment="a slip of the finger")


async def read(access: Access, since: float) -> Shown:
    """Read what was logged since a time, the latest last. Raises what `Access.call` raises."""
    how = {"resolver": None, "evidence_filter": "since_time", "since_time": since}
    answer = await access.call("ask", context=list(CONTEXT), view=[COMPONENT], resolver=how)
    for failure in answer.get("failures", []):
        if failure["error"]["code"] == "permission_denied":
            raise NotAllowedError(failure["error"].get("missing"))
    return _shown(answer["val"])


def _shown(components: list[dict[str, Any]]) -> Shown:
    if not components:
        return Shown([], None, only_value=False)
    found = components[0]
    evidence, value = found["evidencelist"] or [], found["value"]
    pieces = [Logged(str(one["value"]), float(one["time"] or one["creation_time"])) for one in evidence]
    return Shown(sorted(pieces, key=lambda one: one.time), value, only_value=not pieces and value is not None)


def is_about_our_place(missing: dict[str, Any]) -> bool:
    """Tell whether a slice that llum names is one that log-llum has a use for."""
    places = [*missing.get("paths", []), *missing.get("components", [])]
    return all(place == PLACE or place.startswith(f"{PLACE}/") for place in places)
